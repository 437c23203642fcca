"""What `app.py` hands to the routes, each under a typed key of the application."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from console.database import Database
from console.errors import BrokerUnavailable
from console.mail import Mailer
from console.settings import ConsoleSettings
from console.web.live_hub import LiveHub
from console.web.routing import Who

DATABASE = web.AppKey("database", Database)
SETTINGS = web.AppKey("settings", ConsoleSettings)
SITE_SALT = web.AppKey("site_salt", bytes)
LIVE = web.AppKey("live", LiveHub)
ASKED_MS = web.RequestKey("asked_ms", int)
"""When a page was asked for, as the hub counts."""
MAILER = web.AppKey("mailer", Mailer)
BROKER_ANSWERS = web.AppKey[Callable[[], Awaitable[bool]]]("broker_answers")


ALARM_BAR = web.AppKey[Callable[[Who], object]]("alarm_bar")
"""What `web/alarms.html` shows to MEMBER or ADMIN: `console.front.alarms`."""


class Publishes(Protocol):
    """Sends MQTT messages: `console.link.broker.BrokerLink`."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Returns when the broker has it. Raises: BrokerUnavailable."""
        ...


class NoBroker:
    """Stands where there is no broker."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Raises: BrokerUnavailable."""
        del payload, retain, qos
        raise BrokerUnavailable(f"there is no broker for {topic}")


MQTT = web.AppKey[Publishes]("mqtt")
"""To hardware that the old web app drove. Controllers are spoken to by `console.link.outbound`."""
