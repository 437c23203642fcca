"""What rights follow from: the rows of the database, as `queries.py` reads them."""

from dataclasses import dataclass, field
from typing import NewType

from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest

CircleRef = NewType("CircleRef", int)
"""`circle.id` of the console's database."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment's period in Unix time, both ends included, the day of grace in `end_ms`."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Person:
    """What decides what somebody may use. System accounts are no persons.

    `is_employed`: by an active company. `circles`: at least those of doors and tools. `paid`:
    periods with an amount above zero, in any order, at least those that are not over.
    """

    account: AccountRef
    is_employed: bool
    circles: frozenset[CircleRef]
    paid: tuple[Paid, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """A door, where it hangs, and whom it lets in while they pay.

    `controller` None: none of ours moves it, so it is in no snapshot.
    """

    key: PointKey
    controller: ControllerId | None
    open_seconds: int
    circles: frozenset[CircleRef]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and whom it serves. `id` is `tool_description.id`; `circle` None: nobody."""

    id: int
    circle: CircleRef | None


@dataclass(frozen=True, slots=True)
class Card:
    """A card that is not lost."""

    account: AccountRef
    site_digest: SiteDigest = field(repr=False)


@dataclass(frozen=True, slots=True)
class Controller:
    """An enrolled controller. `entry_key`: 32 bytes, secret."""

    id: ControllerId
    entry_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it, as of one moment."""

    controllers: tuple[Controller, ...]
    doors: tuple[Door, ...]
    people: tuple[Person, ...]
    cards: tuple[Card, ...]
