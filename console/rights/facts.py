"""What rights follow from: the rows of the database, as `queries.py` reads them."""

from dataclasses import dataclass, field
from typing import NewType

from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest
from sync.rights import Assurance

CircleRef = NewType("CircleRef", int)
"""`circle.id` of the console's database."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment's period in Unix time, both ends included, the day of slack in `end_ms`."""

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
class WeeklyHours:
    """Once a week, by the clock on the wall. Monday is 1.

    Minutes count from midnight of `weekday`; over 1440 the closing is on the next day.
    """

    weekday: int
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True, slots=True)
class Demands:
    """What a door or a tool demands of its controller's knowledge, and of a card.

    How old that may be, and whether it has to be fresh: sync/README.md, "Staleness".
    """

    soft_seconds: int = 24 * 3600
    hard_seconds: int = 7 * 24 * 3600
    requires_fresh: bool = False
    min_assurance: Assurance = Assurance.UID


NOTHING_SPECIAL = Demands()
"""As long as nobody has said anything else."""


@dataclass(frozen=True, slots=True)
class Door:
    """A door, where it hangs, and whom it lets in while they pay.

    `controller` None: none of ours moves it, so it is in no snapshot. `open_hours`: when it stands
    unlocked for everybody.
    """

    key: PointKey
    controller: ControllerId | None
    open_seconds: int
    circles: frozenset[CircleRef]
    demands: Demands = NOTHING_SPECIAL
    open_hours: tuple[WeeklyHours, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and whom it serves. `id` is `tool_description.id`; `circle` None: nobody.

    `key` and `controller` None: no controller powers it, so it is in no snapshot.
    """

    id: int
    circle: CircleRef | None
    key: PointKey | None = None
    controller: ControllerId | None = None
    demands: Demands = NOTHING_SPECIAL


@dataclass(frozen=True, slots=True)
class Card:
    """A card that is not lost. `is_break_glass`: it works however old a controller's rights are."""

    account: AccountRef
    site_digest: SiteDigest = field(repr=False)
    is_break_glass: bool = False


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
    tools: tuple[Tool, ...] = ()
