"""Fixtures that every test may use."""

pytest_plugins = [
    "tests.support.brokers",
    "tests.support.broker_site",
    "tests.support.postgres",
    "tests.support.site",
    "tests.support.web_app",
    "tests.support.console_app",
]
