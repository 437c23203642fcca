"""Whether to believe what the console sent, once its signature is verified. Pure.

What to do about it is edge/downlink.py's. A message that must not be believed raises its WireError,
as everywhere in sync/; a command that is genuine and yet can't be obeyed is a value, because the
console gets an answer to it. Source: sync/README.md, "Snapshot", "Time", "Commands".
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, auto

from sync.commands import Command
from sync.errors import RolledBack, Stale
from sync.ids import BootId, Epoch, PointKey, Serial
from sync.keyset import Keyset
from sync.messages import Beacon, Version

SERIALS_AHEAD_MAX = 1_000_000
"""A stolen key must not use up the numbers of an epoch."""


class Offer(Enum):
    """What to do with a genuine snapshot."""

    APPLY = auto()
    ALREADY_APPLIED = auto()


@dataclass(frozen=True, slots=True)
class Obey:
    """Execute the command, once its counter is stored."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Store the command's counter and answer no. `detail` begins with a word for programs."""

    detail: str


def judge_snapshot(*, floor: Version, active: Version, offered: Version, epoch: Epoch) -> Offer:
    """Compares a snapshot with what was accepted before. `epoch`: that of the keyset.

    `active` is what decides now. It differs from `floor` only after the slot was found damaged: the
    floor's snapshot is then taken once more. Raises: RolledBack.
    """
    if offered.epoch != epoch:
        raise RolledBack(f"a snapshot of epoch {offered.epoch} under the keyset of epoch {epoch}")
    if offered.epoch < floor.epoch:
        raise RolledBack(f"epoch {offered.epoch} is older than {floor.epoch}")
    lowest = floor.serial if offered.epoch == floor.epoch else Serial(0)
    if offered.epoch == floor.epoch and offered.serial == floor.serial:
        if offered.digest != floor.digest:
            raise RolledBack(f"another snapshot with the same serial {offered.serial}")
        return Offer.ALREADY_APPLIED if active == floor else Offer.APPLY
    if offered.serial < lowest:
        raise RolledBack(f"serial {offered.serial} is older than {lowest}")
    if offered.serial - lowest > SERIALS_AHEAD_MAX:
        raise RolledBack(f"serial {offered.serial} is more than {SERIALS_AHEAD_MAX:,} ahead")
    return Offer.APPLY


def check_beacon(beacon: Beacon, keyset: Keyset) -> None:
    """Refuses a time at which the key that signed it is no longer valid.

    The clock never goes backwards, so this bounds what a stolen beacon key could do to it.
    Raises: Stale.
    """
    if beacon.time_ms > keyset.not_after_ms:
        raise Stale("the beacon tells a time after the end of its key's validity")


def is_behind(applied: Version, beacon: Beacon) -> bool:
    """Whether the console has a newer snapshot than the one that decides here."""
    return (beacon.epoch, beacon.serial) > (applied.epoch, applied.serial)


def judge_command(
    command: Command,
    *,
    boot: BootId,
    counter: int,
    is_challenge_fresh: bool,
    points: Container[PointKey],
) -> Obey | Refuse:
    """Whether to obey. `counter`: the highest one ever stored; `points`: those that can be opened.

    Every genuine command is answered once: its counter is used up whatever the answer, so that one
    which is sent again raises and gets no second answer. Raises: Stale.
    """
    if command.counter <= counter:
        raise Stale(f"a command with counter {command.counter} when {counter} was used before")
    if command.boot != boot:
        return Refuse("stale: meant for an earlier start of this controller")
    if not is_challenge_fresh:
        return Refuse("stale: on its way for too long")
    if command.point not in points:
        return Refuse("unknown_point: not in the rights in force, or not at this controller")
    return Obey()
