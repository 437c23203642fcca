"""MQTT topic names: `{prefix}/v1/{controller}/{direction}/{leaf}`.

Source: sync/README.md, "Topics". Who may publish and subscribe what is a broker's matter.
"""

from dataclasses import dataclass
from enum import StrEnum

from sync.ids import NAME, ControllerId

VERSION = "v1"


class Leaf(StrEnum):
    """The last two levels of a topic: direction and what it carries."""

    SNAPSHOT = "down/snapshot"
    COMMAND = "down/command"
    BEACON = "down/beacon"
    ACK = "down/ack"
    KEYS = "down/keys"
    HELLO = "up/hello"
    EVENTS = "up/events"
    REPORT = "up/report"
    REQUEST = "up/request"
    PRESENCE = "up/presence"


RETAINED = frozenset({Leaf.SNAPSHOT, Leaf.KEYS, Leaf.PRESENCE})
"""Leaves whose last message the broker keeps. A retained message on any other is refused."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic taken apart."""

    controller: ControllerId
    leaf: Leaf


def topic(prefix: str, controller: ControllerId, leaf: Leaf) -> str:
    """The name of one topic."""
    return f"{prefix}/{VERSION}/{controller}/{leaf}"


def everything_down(prefix: str, controller: ControllerId) -> str:
    """The filter that a controller subscribes to."""
    return f"{prefix}/{VERSION}/{controller}/down/#"


def everything_up(prefix: str) -> str:
    """The filter that the console subscribes to."""
    return f"{prefix}/{VERSION}/+/up/#"


def parse(prefix: str, name: str) -> Topic | None:
    """Takes a topic name apart; None where it isn't one of ours."""
    start = f"{prefix}/{VERSION}/"
    controller, slash, leaf = name.removeprefix(start).partition("/")
    if not name.startswith(start) or not slash or not NAME.fullmatch(controller):
        return None
    try:
        return Topic(ControllerId(controller), Leaf(leaf))
    except ValueError:
        return None
