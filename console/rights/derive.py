"""Facts → what each controller's snapshot holds. Pure.

The rule: an employee of an active company opens every door. Otherwise she must be paying, and in
one of the door's circles. For a tool she must be in its circle, and paying or employed. Every card
of hers that is not lost carries it. When a paid period ends (or begins) without anybody changing
anything, the controller knows it from the snapshot; so it does when a door's open hours begin.

Whether a right holds at a given moment is not decided here but in `sync.rights.decide`.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from console.rights import weekly_hours
from console.rights.facts import Controller, Door, Facts, Person, Tool
from console.rights.periods import merged
from sync.credential import entry, member_ref
from sync.ids import ControllerId, Entry, Epoch, MemberRef, PointKey, Serial
from sync.rights import Point, PointKind, Right
from sync.snapshot import Snapshot, encode_snapshot

TOOL_SECONDS = 60
"""How long a tool waits, with power, for somebody to start it."""

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


def derive(facts: Facts, now_ms: int, zone: tzinfo) -> Derived:
    """The content of every controller's snapshot, as of `now_ms`. `zone`: of the open hours."""
    people = {person.account: person for person in facts.people}
    holders = [(people[card.account], card) for card in facts.cards if card.account in people]
    windows = {person.account: window_of(person, now_ms) for person, _ in holders}
    current = {
        account: window
        for account, window in windows.items()
        if window is not None and not window.is_over(now_ms)
    }
    contents: dict[ControllerId, Content] = {}
    for controller in facts.controllers:
        doors = [door for door in facts.doors if door.controller == controller.id]
        tools = _tools_at(controller, facts)
        entries: dict[Entry, Right] = {}
        for person, card in holders:
            window = current.get(person.account)
            points = points_of(person, doors, tools)
            if window is not None and points:
                member = member_ref(controller.entry_key, person.account)
                entries[entry(controller.entry_key, card.site_digest)] = replace(
                    right(member, points, window), is_break_glass=card.is_break_glass
                )
        described = [_with_hours(door, now_ms, zone) for door in doors]
        described += [tool_point(tool) for tool in tools]
        contents[controller.id] = Content({point.key: point for point in described}, entries)
    changes = _changes_ms(current.values())
    if any(door.open_hours and door.controller for door in facts.doors):
        changes.append(weekly_hours.next_week_ms(now_ms, zone))
    return Derived(contents, min((ms for ms in changes if ms > now_ms), default=None))


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


def points_of(
    person: Person, doors: Iterable[Door], tools: Iterable[Tool] = ()
) -> frozenset[PointKey]:
    """Which of the doors and tools the person may use while her window holds."""
    opened = {door.key for door in doors if person.is_employed or person.circles & door.circles}
    return frozenset(opened | {key_of(tool) for tool in tools if tool.circle in person.circles})


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
    """The door as a snapshot describes it, but for its open hours."""
    return Point(
        key=door.key,
        kind=PointKind.DOOR,
        unlock_seconds=door.open_seconds,
        soft_seconds=door.demands.soft_seconds,
        hard_seconds=door.demands.hard_seconds,
        requires_fresh=door.demands.requires_fresh,
        min_assurance=door.demands.min_assurance,
    )


def tool_point(tool: Tool) -> Point:
    """The tool as a snapshot describes it."""
    return Point(
        key=key_of(tool),
        kind=PointKind.TOOL,
        unlock_seconds=TOOL_SECONDS,
        soft_seconds=tool.demands.soft_seconds,
        hard_seconds=tool.demands.hard_seconds,
        requires_fresh=tool.demands.requires_fresh,
        min_assurance=tool.demands.min_assurance,
    )


def key_of(tool: Tool) -> PointKey:
    """Its point's key; where no controller powers it, one that stands for it."""
    return tool.key or PointKey(f"tool-{tool.id}")


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


def _tools_at(controller: Controller, facts: Facts) -> Sequence[Tool]:
    """Those without a key of their own are left out: a tool's circle must never open a door."""
    taken = {door.key for door in facts.doors}
    return [t for t in facts.tools if t.controller == controller.id and key_of(t) not in taken]


def _with_hours(door: Door, now_ms: int, zone: tzinfo) -> Point:
    hours = weekly_hours.written_out(
        door.open_hours, now_ms=now_ms, zone=zone, ahead_seconds=door.demands.hard_seconds
    )
    return replace(point(door), open_hours=hours)


def _changes_ms(windows: Iterable[Window]) -> list[int]:
    """When a right begins or has ended."""
    return [
        moment
        for window in windows
        for moment in (
            window.not_before_ms,
            None if window.not_after_ms is None else window.not_after_ms + 1,
        )
        if moment is not None
    ]
