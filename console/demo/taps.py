"""The taps that visitors of the demo have made, and what the console has recorded of each. Pure.

The demo knows which card it held to which reader; the console's database knows what became of it.
Both are brought together here, and the things to try are ticked off by them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

KEPT = 60
BEFORE = timedelta(seconds=5)
"""A controller's clock may be so far behind ours."""
GREEN_FROM = timedelta(seconds=0.4)
LIGHT_WITHIN = timedelta(seconds=1.5)
"""After a tap: when a reader's light counts as the answer to it."""


class Record(Struct, frozen=True):
    """An access event at the console. `digest`: the card's, known or not."""

    event_id: int
    door: str
    digest: bytes
    is_granted: bool
    reason: str | None
    has_owner: bool
    received_at: datetime


class TapMade(Struct, frozen=True):
    """A card that was held to a reader. `was_offline`: the controller couldn't reach the console.

    `gives_back`: of a tool, by whoever had it; that is no access, and has no record.

    `record` None: the console hasn't heard of it. `is_over`: nor will it, a later one came first.
    `light`: what the reader showed after it, as far as anybody looked.
    """

    number: int
    card: str
    digest: bytes
    door: str
    at: datetime
    was_offline: bool
    gives_back: bool = False
    record: Record | None = None
    is_over: bool = False
    light: str | None = None


class Tries(Struct, frozen=True):
    """Which of the things to try were seen to happen."""

    tapped: bool = False
    refused: bool = False
    survived: bool = False
    forced: bool = False
    ran: bool = False


class TapLog(Struct, frozen=True):
    """The latest taps, oldest first, and the newest event that was looked at."""

    taps: tuple[TapMade, ...] = ()
    seen: int = 0
    tries: Tries = Tries()

    def with_tap(
        self,
        *,
        card: str,
        digest: bytes,
        door: str,
        at: datetime,
        was_offline: bool,
        is_in_use: bool = False,
    ) -> "TapLog":
        """After a card was held to a reader. `is_in_use`: of a tool that has power."""
        number = self.taps[-1].number + 1 if self.taps else 1
        gives_back = is_in_use and self._has(card, door)
        tap = TapMade(number, card, digest, door, at, was_offline, gives_back)
        return replace(self, taps=(*self.taps, tap)[-KEPT:])

    def with_records(self, records: Iterable[Record]) -> "TapLog":
        """After the console has recorded more; the records in the order of their arrival."""
        log = self
        for record in records:
            taps = _matched(log.taps, record)
            log = TapLog(taps, max(log.seen, record.event_id), _ticked(log.tries, taps, record))
        return log

    def with_light(self, door: str, colour: str, now: datetime) -> "TapLog":
        """After the reader of a door was seen to show `colour`.

        Red is a denial's for a second. Green may be left from the tap before: it counts later.
        """
        tap = self.last_at(door)
        if tap is None or tap.light == "red" or not now - tap.at <= LIGHT_WITHIN:
            return self
        is_answer = colour == "red" or (colour == "green" and now - tap.at >= GREEN_FROM)
        if not is_answer or tap.light == colour:
            return self
        taps = tuple(replace(t, light=colour) if t is tap else t for t in self.taps)
        return replace(self, taps=taps)

    def with_state(self, state: str) -> "TapLog":
        """After a door or a tool was seen in that state."""
        tries = replace(
            self.tries,
            forced=self.tries.forced or state == "forced",
            ran=self.tries.ran or state == "running",
        )
        return self if tries == self.tries else replace(self, tries=tries)

    def _has(self, card: str, tool: str) -> bool:
        """Whether that card powered the tool, as far as anybody has seen."""
        taps = [
            tap
            for tap in self.taps
            if tap.door == tool
            and (tap.light == "green" or (tap.record is not None and tap.record.is_granted))
        ]
        return bool(taps) and taps[-1].card == card

    def last_at(self, door: str) -> TapMade | None:
        """The newest tap at a door."""
        return next((tap for tap in reversed(self.taps) if tap.door == door), None)


def _matched(taps: Sequence[TapMade], record: Record) -> tuple[TapMade, ...]:
    """A controller's events come in order: a tap that was passed over was never read."""
    found = next((tap for tap in taps if _may_be(tap, record)), None)
    if found is None:
        return tuple(taps)
    return tuple(
        replace(tap, record=record)
        if tap is found
        else replace(tap, is_over=True)
        if tap.door == found.door and tap.number < found.number and tap.record is None
        else tap
        for tap in taps
    )


def _may_be(tap: TapMade, record: Record) -> bool:
    return (
        tap.record is None
        and not tap.is_over
        and not tap.gives_back
        and (tap.door, tap.digest) == (record.door, record.digest)
        and tap.at <= record.received_at + BEFORE
    )


def _ticked(tries: Tries, taps: Sequence[TapMade], record: Record) -> Tries:
    tap = next((tap for tap in taps if tap.record is record), None)
    if tap is None:
        return tries
    was_let_in = any(
        other.record is not None
        and other.record.is_granted
        and other.number < tap.number
        and (other.card, other.door) == (tap.card, tap.door)
        for other in taps
    )
    return replace(
        tries,
        tapped=tries.tapped or not tap.was_offline,
        refused=tries.refused or (was_let_in and not record.is_granted),
        survived=tries.survived or tap.was_offline,
    )
