"""`[mqtt] url` is taken apart, and a mistake in it is told without the password."""

import pytest

from console.link.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", BrokerUrl("broker", 1883, False)),
        ("mqtts://broker", BrokerUrl("broker", 8883, True)),
        ("mqtt://broker:1884/", BrokerUrl("broker", 1884, False)),
        ("mqtt://me:secret@broker:1884", BrokerUrl("broker", 1884, False, "me", "secret")),
        ("mqtts://me:s%2Fe%40c@[::1]:9", BrokerUrl("::1", 9, True, "me", "s/e@c")),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: BrokerUrl) -> None:
    assert parse_broker_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://me:secret@broker",
        "mqtt://",
        "mqtt://me:secret@broker:port",
        "mqtt://me:secret@broker:99999",
        "mqtt://me:sec/ret@broker",
        "mqtt://me:secret@broker?x=1",
    ],
)
def test_a_url_with_a_mistake_is_refused_and_the_password_kept_back(url: str) -> None:
    with pytest.raises(BrokerUrlError) as refusal:
        parse_broker_url(url)
    assert "secret" not in str(refusal.value)
    assert "sec/ret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["mqtt://me:s%2Fe%40c@broker:1884", "mqtts://[::1]:8883", "mqtt://me@broker:1883"]
)
def test_putting_it_together_again_gives_the_same(url: str) -> None:
    assert parse_broker_url(url).with_credentials() == url


def test_an_address_without_credentials_shows_none() -> None:
    broker = parse_broker_url("mqtts://me:secret@[::1]")
    assert broker.without_credentials() == "mqtts://[::1]:8883"
    assert "secret" not in repr(broker)
