"""Facts → what each controller's snapshot holds. Pure.

The rule: an employee of an active company opens every door. Otherwise she must be paying, and in
one of the door's circles; every card of hers that is not lost carries it. When a paid period ends
(or begins) without anybody changing anything, the controller knows it from the snapshot.

Whether a right holds at a given moment is not decided here but in `sync.rights.decide`.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console.rights.facts import Controller, Door, Facts, Paid, Person
from sync.credential import entry, member_ref
from sync.ids import ControllerId, Entry, Epoch, MemberRef, PointKey, Serial
from sync.rights import Assurance, Point, PointKind, Right
from sync.snapshot import Snapshot, encode_snapshot

SOFT_SECONDS = 24 * 3600
HARD_SECONDS = 7 * 24 * 3600
"""How long a controller may go without hearing from us. Source: sync/README.md, "Time"."""

NOBODY = MemberRef(bytes(8))
"""Stands where a right is weighed for a person rather than for a card."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a person's rights hold, in Unix time, both ends included; None is no bound."""

    not_before_ms: int | None = None
    not_after_ms: int | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether it lies in the past."""
        return self.not_after_ms is not None and self.not_after_ms < now_ms

    def has_begun(self, now_ms: int) -> bool:
        """Whether it doesn't lie in the future."""
        return self.not_before_ms is None or self.not_before_ms <= now_ms


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Content:
    """What a controller has to know: all of a snapshot but its number."""

    points: Mapping[PointKey, Point]
    entries: Mapping[Entry, Right]


@dataclass(frozen=True, slots=True)
class Derived:
    """`next_change_ms`: when something changes by the passing of time alone; None: never."""

    contents: Mapping[ControllerId, Content]
    next_change_ms: int | None


def derive(facts: Facts, now_ms: int) -> Derived:
    """The content of every controller's snapshot, as of `now_ms`."""
    people = {person.account: person for person in facts.people}
    holders = [(people[c.account], c.site_digest) for c in facts.cards if c.account in people]
    windows = {person.account: window_of(person, now_ms) for person, _ in holders}
    current = {
        account: window
        for account, window in windows.items()
        if window is not None and not window.is_over(now_ms)
    }
    contents: dict[ControllerId, Content] = {}
    for controller in facts.controllers:
        doors = [door for door in facts.doors if door.controller == controller.id]
        entries: dict[Entry, Right] = {}
        for person, digest in holders:
            window = current.get(person.account)
            points = points_of(person, doors)
            if window is not None and points:
                member = member_ref(controller.entry_key, person.account)
                entries[entry(controller.entry_key, digest)] = right(member, points, window)
        contents[controller.id] = Content({door.key: point(door) for door in doors}, entries)
    return Derived(contents, _next_change_ms(current.values(), now_ms))


def window_of(person: Person, now_ms: int) -> Window | None:
    """When the person's rights hold: the period that holds now, else the next, else the last one.

    None: never. Periods that touch or overlap count as one. A period that has begun gets no
    beginning, so that a controller whose clock runs late doesn't refuse who has paid.
    """
    if person.is_employed:
        return ALWAYS
    periods = merged(person.paid)
    for period in periods:
        if now_ms <= period.end_ms:
            begins_later = period.start_ms > now_ms
            return Window(period.start_ms if begins_later else None, period.end_ms)
    return Window(not_after_ms=periods[-1].end_ms) if periods else None


def merged(periods: Iterable[Paid]) -> list[Paid]:
    """The union of the periods, in order of time. Whole milliseconds: n and n + 1 touch."""
    union: list[Paid] = []
    for period in sorted(periods, key=lambda period: period.start_ms):
        if period.end_ms < period.start_ms:
            continue
        if union and period.start_ms <= union[-1].end_ms + 1:
            last = union.pop()
            period = Paid(last.start_ms, max(last.end_ms, period.end_ms))
        union.append(period)
    return union


def points_of(person: Person, doors: Iterable[Door]) -> frozenset[PointKey]:
    """Which of the doors the person may open while her window holds."""
    return frozenset(
        door.key for door in doors if person.is_employed or person.circles & door.circles
    )


def right(member: MemberRef, points: frozenset[PointKey], window: Window) -> Right:
    """A card's right."""
    return Right(
        member, points, not_before_ms=window.not_before_ms, not_after_ms=window.not_after_ms
    )


def right_of(person: Person, doors: Iterable[Door], now_ms: int) -> Right:
    """The person's own right, as any card of hers would carry it; it may be over, or empty."""
    return right_to(points_of(person, doors), person, now_ms)


def right_to(points: frozenset[PointKey], person: Person, now_ms: int) -> Right:
    """The person's own right to these points; it may be over, or empty."""
    window = window_of(person, now_ms)
    return Right(NOBODY, frozenset()) if window is None else right(NOBODY, points, window)


def point(door: Door) -> Point:
    """The door as a snapshot describes it."""
    return Point(
        key=door.key,
        kind=PointKind.DOOR,
        unlock_seconds=door.open_seconds,
        soft_seconds=SOFT_SECONDS,
        hard_seconds=HARD_SECONDS,
        requires_fresh=False,
        min_assurance=Assurance.UID,
    )


def content_digest(controller: Controller, content: Content) -> bytes:
    """32 bytes that are equal for equal content, whatever its number and time.

    Taken before compression, so that another zlib doesn't make everything look new.
    Raises: TooLarge.
    """
    payload = encode_snapshot(numbered(controller.id, content, Epoch(1), Serial(1), 0, None))
    return hashlib.sha256(zlib.decompress(payload[4:])).digest()


def numbered(
    controller: ControllerId,
    content: Content,
    epoch: Epoch,
    serial: Serial,
    made_at_ms: int,
    previous_digest: bytes | None,
) -> Snapshot:
    """The content as a snapshot."""
    return Snapshot(
        controller, epoch, serial, made_at_ms, previous_digest, content.points, content.entries
    )


def _next_change_ms(windows: Iterable[Window], now_ms: int) -> int | None:
    moments = [
        moment
        for window in windows
        for moment in (
            window.not_before_ms,
            None if window.not_after_ms is None else window.not_after_ms + 1,
        )
        if moment is not None and moment > now_ms
    ]
    return min(moments, default=None)
