"""Fixtures that every test may use, and which tests come first."""

import pytest

pytest_plugins = [
    "tests.support.brokers",
    "tests.support.broker_site",
    "tests.support.postgres",
    "tests.support.site",
    "tests.support.web_app",
    "tests.support.console_app",
]

SLOW_FIRST = (
    *("tests/prove/", "tests/legacy/test_replay", "tests/flow/", "tests/browser/"),
    "tests/walk/",
)
"""What takes minutes begins early: at the end one worker would wait for the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those first, each file whole."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW_FIRST))
