"""The embedded broker as its clients see it, beside amqtt as it comes.

A test that asks for `either_broker` runs twice: on our broker, where something must not happen,
and on amqtt itself (with the same plugins), where it must. So it has been seen to fail without the
fence.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from console.link.amqtt_plugins import CONSOLE_USER
from console.link.embedded_broker import EmbeddedBroker
from tests.support.brokers import (
    PASSWORD,
    AmqttAsItComes,
    amqtt_as_it_comes,
    enrolled,
    mqtt_settings,
)
from tests.support.raw_mqtt import RawMqtt, Will
from tests.support.waiting import eventually

FRONT, BACK = "p2k16/v1/front", "p2k16/v1/back"


@dataclass
class BrokerSite:
    """A broker, and a way in for everybody."""

    controllers_port: int
    console_port: int
    console_password: str
    is_ours: bool

    async def stranger(self) -> RawMqtt:
        return await RawMqtt.open(self.controllers_port)

    async def controller(self, name: str, *, will: Will | None = None) -> RawMqtt:
        client = await self.stranger()
        code = await client.connect(client_id=name, user=name, password=PASSWORD, will=will)
        assert code == 0
        return client

    async def console(self, name: str = "p2k16-console-1") -> RawMqtt:
        client = await RawMqtt.open(self.console_port)
        code = await client.connect(
            client_id=name, user=CONSOLE_USER, password=self.console_password
        )
        assert code == 0
        return client

    async def must_hear_nothing(self, client: RawMqtt) -> None:
        """On our broker whatever is sent is sent before the next answer; amqtt is less orderly."""
        await client.ping()
        if self.is_ours:
            assert client.heard == []
        else:
            await eventually(lambda: heard_something(client))

    def must_not(self, happened: bool) -> None:
        assert happened is not self.is_ours


async def heard_something(client: RawMqtt) -> bool:
    await client.ping()
    return bool(client.heard)


def our_site(broker: EmbeddedBroker) -> BrokerSite:
    url = urlsplit(broker.url)
    assert url.port is not None
    return BrokerSite(broker.port, url.port, url.password or "", is_ours=True)


def amqtts_site(broker: AmqttAsItComes) -> BrokerSite:
    return BrokerSite(broker.port, broker.port, "console", is_ours=False)


@pytest.fixture
def broker_site(embedded_broker: EmbeddedBroker) -> BrokerSite:
    return our_site(embedded_broker)


@pytest.fixture(params=["ours", "amqtt as it comes"])
async def either_broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerSite]:
    if request.param == "ours":
        async with EmbeddedBroker(mqtt_settings(), enrolled) as broker:
            yield our_site(broker)
    else:
        async with amqtt_as_it_comes("console") as stock:
            yield amqtts_site(stock)
