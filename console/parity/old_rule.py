"""What the old web application says to somebody at a door or a tool. Pure.

It differs from ours in what it calls paying: neither the payment's amount nor its beginning count,
its end is compared in the wrong time zone, and system accounts are people. Source: the contract of
the old API, §7 and §8.
"""

from collections.abc import Set

from msgspec import Struct

DAY_MS = 24 * 3600 * 1000


class Payment(Struct, frozen=True):
    """A row of stripe_payment, in Unix time, without any slack."""

    start_ms: int
    end_ms: int
    is_above_zero: bool


class OldPerson(Struct, frozen=True):
    """Somebody as the old application sees her. `is_employed`: by an active company."""

    account: int
    username: str
    is_system: bool
    is_employed: bool
    circles: frozenset[int]
    payments: tuple[Payment, ...]


class OldMoment(Struct, frozen=True):
    """Now. `offset_ms`: how far its database sessions are east of UTC a day before now."""

    now_ms: int
    offset_ms: int


def counts(payment: Payment, moment: OldMoment) -> bool:
    """Whether the payment makes somebody paying.

    It compares with UTC, less a day, but without a zone; the database takes that for local time.
    """
    return payment.end_ms >= moment.now_ms - DAY_MS - moment.offset_ms


def is_paying(person: OldPerson, moment: OldMoment) -> bool:
    """Whether any payment of hers counts."""
    return any(counts(payment, moment) for payment in person.payments)


def may_open(person: OldPerson, circles: Set[int], moment: OldMoment) -> bool:
    """Whether she may open a door with these circles."""
    return person.is_employed or (is_paying(person, moment) and bool(person.circles & circles))


def may_use(person: OldPerson, circle: int, moment: OldMoment) -> bool:
    """Whether she may check out a tool of this circle."""
    return circle in person.circles and (is_paying(person, moment) or person.is_employed)
