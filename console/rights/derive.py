"""Facts → what each controller's snapshot holds. Pure.

Who may use what is the rule of `verdict.py`. Every card of hers that is not lost carries it. When a
paid period ends (or begins) without anybody changing anything, the controller knows it from the
snapshot; so it does when a door's open hours begin.

Whether a right holds at a given moment is not decided here but in `sync.rights.decide`.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from msgspec import Struct

from console.rights import weekly_hours
from console.rights.facts import Controller, Door, Facts, Person, Tool
from console.rights.verdict import Verdicts, Window, grounds_of, key_of, verdicts_of
from sync.credential import entry, member_ref
from sync.ids import AccountRef, ControllerId, Entry, Epoch, MemberRef, PointKey, Serial
from sync.rights import Point, PointKind, Right
from sync.snapshot import Snapshot, encode_snapshot

TOOL_SECONDS = 60
"""How long a tool waits, with power, for somebody to start it."""


class Content(Struct, frozen=True):
    """What a controller has to know: all of a snapshot but its number."""

    points: Mapping[PointKey, Point]
    entries: Mapping[Entry, Right]


class Derived(Struct, frozen=True):
    """`verdicts`: why, of everybody whom a fact concerns.

    `next_change_ms`: when something changes by the passing of time alone; None: never.
    """

    contents: Mapping[ControllerId, Content]
    verdicts: Mapping[AccountRef, Verdicts]
    next_change_ms: int | None


def derive(facts: Facts, now_ms: int, zone: tzinfo) -> Derived:
    """The content of every controller's snapshot, as of `now_ms`. `zone`: of the open hours."""
    verdicts = verdicts_of(facts, now_ms)
    holders = [(card, verdicts[card.account]) for card in facts.cards if card.account in verdicts]
    contents: dict[ControllerId, Content] = {}
    for controller in facts.controllers:
        doors = [door for door in facts.doors if door.controller == controller.id]
        tools = _tools_at(controller, facts)
        here = frozenset({door.key for door in doors} | {key_of(tool) for tool in tools})
        entries: dict[Entry, Right] = {}
        for card, hers in holders:
            points = hers.granted & here
            if hers.window is not None and points:
                member = member_ref(controller.entry_key, card.account)
                entries[entry(controller.entry_key, card.site_digest)] = replace(
                    right(member, points, hers.window), is_break_glass=card.is_break_glass
                )
        described = [_with_hours(door, now_ms, zone) for door in doors]
        described += [tool_point(tool) for tool in tools]
        contents[controller.id] = Content({point.key: point for point in described}, entries)
    held = {card.account: hers.window for card, hers in holders}
    changes = _changes_ms(window for window in held.values() if window is not None)
    if any(door.open_hours and door.controller for door in facts.doors):
        changes.append(weekly_hours.next_week_ms(now_ms, zone))
    return Derived(contents, verdicts, min((ms for ms in changes if ms > now_ms), default=None))


def points_of(
    person: Person, doors: Iterable[Door], tools: Iterable[Tool] = ()
) -> frozenset[PointKey]:
    """Which of the doors and tools the person may use while her window holds."""
    grounds = grounds_of(person, doors, tools)
    return frozenset(key for key, ground in grounds.items() if ground.is_enough)


def right(member: MemberRef, points: frozenset[PointKey], window: Window) -> Right:
    """A card's right."""
    return Right(
        member, points, not_before_ms=window.not_before_ms, not_after_ms=window.not_after_ms
    )


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
