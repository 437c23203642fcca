"""What stands at each point, whoever taps: orders, hours, housings, stops, welded relays.

Found out a second time, from the commands that are on the disk and from what the world did to the
circuits. Here is also said when a door may stand unlocked for everybody.
"""

from dataclasses import dataclass, field

from sync.commands import SHUTTING, Operation
from tests.prove.world.cast import TOOL
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Row, Violation
from tests.prove.world.journal_laws import Clock
from tests.prove.world.oracle import stands_open
from tests.prove.world.timeline import MS, NS, Timeline

AT_ONCE_NS = 150 * MS
"""From the record of an order to its effect on the relay."""

TAMPER_NS = 300 * MS
STOP_NS = 200 * MS
WELDED_NS = NS
"""I20: a welded contact puts a point out of service within a second."""

LATE_NS = 2 * NS
"""Hours end within two looks of half a second, and the time that their records take."""

SHUT_REASONS = {"locked_down", "out_of_service"}
GUESSES = {"unknown_card", "no_right"}
GUESSES_MAX = 14
"""In a minute, at one reader: five, then ever fewer. Restarts begin anew."""


@dataclass(slots=True)
class Place:
    """One point. `shut`: the order that stands, and since when. `open_until_ns`: by a command.

    `restored_ns`: when such an order last ended.
    """

    shut: tuple[str, int] | None = None
    restored_ns: int = -NS
    open_until_ns: int = 0
    is_unsure: bool = False
    """An order is on the disk, and it was answered as if it weren't."""

    standing: Row | None = None
    """That it stands unlocked is recorded, and not that this ended."""

    guesses: list[int] = field(default_factory=list[int])


class Standing:
    """Of all points."""

    def __init__(self, timeline: Timeline, facts: Facts, console: Console, clock: Clock) -> None:
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._clock = clock
        self._places: dict[str, Place] = {}

    def place(self, point: str) -> Place:
        return self._places.setdefault(point, Place())

    def begun(self, *, is_new_store: bool) -> None:
        """A life begins: what only the memory knew is gone, and with a new store, all."""
        for place in self._places.values():
            place.open_until_ns, place.standing, place.guesses = 0, None, []
            if is_new_store:
                place.shut = None

    def note(self, row: Row) -> None:
        """A row was written."""
        point = row.event.get("point")
        if point is None:
            return
        place = self.place(point)
        match row.kind:
            case "command_executed":
                self._note_order(place, row)
            case "command_refused" if "recorded" in str(row.event.get("detail")):
                # What shuts is done all the same: edge/commands.py.
                place.is_unsure = True
            case "unlock_began":
                place.standing = row
            case "unlock_ended" if place.standing and row.at_ns >= place.standing.at_ns:
                place.standing = None
            case "access_denied" if row.event["reason"] in GUESSES:
                self._note_guess(place, row)
            case _:
                pass

    def _note_order(self, place: Place, row: Row) -> None:
        order = self._console.orders.get(row.event["command"])
        if order is None:
            raise Violation("I10", f"event {row.seq} obeys what the console never ordered")
        operation = order.command.operation
        place.is_unsure = self._facts.troubled(row.at_ns, row.committed_ns, "disk", "slow", "stall")
        if operation in SHUTTING:
            place.shut = (operation, row.committed_ns)
        elif operation is Operation.LOCK:
            place.shut = None
            place.restored_ns = row.committed_ns
            place.open_until_ns = row.committed_ns + AT_ONCE_NS - LATE_NS
        elif operation is Operation.UNLOCK_UNTIL:
            place.open_until_ns = row.committed_ns + (order.command.seconds or 0) * NS

    def _note_guess(self, place: Place, row: Row) -> None:
        place.guesses = [at for at in place.guesses if row.at_ns - at < 60 * NS] + [row.at_ns]
        if len(place.guesses) > GUESSES_MAX:
            raise Violation("THROTTLE", f"{len(place.guesses)} guesses within a minute")

    # What mustn't be.

    def check_lease(self, point: str, *, is_break_glass: bool) -> None:
        """The daemon wants the relay on: nothing that stands may be against it."""
        now_ns, place = self._timeline.now_ns, self.place(point)
        if place.shut is not None and now_ns - place.shut[1] > self._at_once_ns(place.shut[1]):
            is_later = place.shut[0] == Operation.OUT_OF_SERVICE and self._still_runs(
                point, place.shut[1]
            )
            if not is_later and not self._is_stalled(place.shut[1]):
                raise Violation("HOLD", f"{point} is released in spite of {place.shut[0]}")
        for name, closed, patience_ns, law in (
            ("tamper", False, TAMPER_NS, "TAMPER"),
            ("stop", False, STOP_NS, "STOP"),
        ):
            since_ns = self._facts.lasts_since_ns(point, name, is_closed=closed)
            if since_ns is None or is_break_glass or self._is_stalled(since_ns):
                continue
            if now_ns - max(since_ns, self._facts.life.began_ns) > patience_ns:
                raise Violation(law, f"{point} is released, and its {name} is open")

    def _at_once_ns(self, since_ns: int) -> int:
        """A slow disk says only later that it has done it; after 250 ms nobody waits for it."""
        is_slow = self._facts.troubled(since_ns, self._timeline.now_ns, "disk", "slow")
        return AT_ONCE_NS + 250 * MS if is_slow else AT_ONCE_NS

    def _still_runs(self, point: str, since_ns: int) -> bool:
        """Whether a tool's motor has not stood still since then, but for a moment ago."""
        if point != TOOL:
            return False
        on_ns = self._facts.lasts_since_ns(point, "current", is_closed=True)
        off_ns = self._facts.lasts_since_ns(point, "current", is_closed=False)
        ran_through = on_ns is not None and on_ns <= since_ns + AT_ONCE_NS
        return ran_through or (off_ns is not None and self._timeline.now_ns - off_ns < AT_ONCE_NS)

    def check_welded(self, point: str, off_since_ns: int) -> None:
        """I20. `off_since_ns`: of the pin."""
        felt_ns = self._facts.lasts_since_ns(point, "feedback", is_closed=True)
        if felt_ns is None or self._is_stalled(felt_ns):
            return
        since_ns = max(felt_ns, off_since_ns, self._facts.life.began_ns + 4 * NS)
        if self._timeline.now_ns - since_ns > WELDED_NS:
            raise Violation("I20", f"{point} is released, and its relay is welded")

    def may_stand_open(self, point: str) -> bool:
        """Whether a door may be unlocked for everybody now, or a moment ago."""
        now_ns, place = self._timeline.now_ns, self.place(point)
        if place.standing is None or place.standing.life != self._facts.life.number:
            return False
        in_force = self._facts.in_force()
        if place.is_unsure or not in_force.is_sure:
            return True
        if now_ns <= max(place.open_until_ns, in_force.at_ns) + LATE_NS:
            return True
        book = self._console.books.get(in_force.version)
        rule = book.points.get(point) if book else None
        if rule is None:
            return self._facts.troubled(now_ns - LATE_NS, now_ns, "rights")
        least, most = self._clock.situations()
        age_ms = least.age_ms[0] - LATE_NS // MS
        return self._clock.is_told and stands_open(
            rule, least.now_ms - LATE_NS // MS, most.now_ms + 1000, age_ms=age_ms
        )

    # What may have been why.

    def explains(self, reason: str, row: Row) -> bool:
        """Whether a denial for what stands at the point may be right."""
        point, since_ns = row.event["point"], self._facts.awake_before_ns(row.at_ns, NS)
        place = self.place(point)
        if reason in SHUT_REASONS:
            return place.shut is not None or any(
                order.command.point == point and order.command.operation in SHUTTING
                for order in self._console.orders.values()
            )
        if reason == "throttled":
            return len([at for at in place.guesses if row.at_ns - at < 130 * NS]) >= 4
        began_ns = self._facts.lives[row.life - 1].began_ns
        names = {"tampered": "tamper", "emergency_stopped": "stop"}
        if reason in names:
            name = names[reason]
            since = since_ns if reason == "emergency_stopped" else began_ns
            return self._facts.has_been(point, name, since, is_closed=False)
        if reason in {"relay_welded", "relay_stuck"}:
            return self._facts.troubled(began_ns, row.at_ns, "relay")
        return reason == "in_use" and point == "saw"

    def is_plain(self, point: str) -> bool:
        """Whether nothing at all stands in the way of whoever may."""
        now_ns, place = self._timeline.now_ns, self.place(point)
        life_ns = self._facts.life.began_ns
        is_shut = any(
            order.command.point == point
            and order.command.operation in SHUTTING
            and (place.shut is not None or now_ns - order.sent_ns < 60 * NS)
            for order in self._console.orders.values()
        )
        return not (
            is_shut
            or place.is_unsure
            or place.shut is not None
            or now_ns - place.restored_ns < NS  # the tap may have come before
            or self._facts.has_been(point, "tamper", life_ns, is_closed=False)
            or self._facts.has_been(point, "stop", now_ns - 2 * NS, is_closed=False)
            or self._facts.troubled(life_ns, now_ns, "relay")
            or len([at for at in place.guesses if now_ns - at < 130 * NS]) >= 4
        )

    def _is_stalled(self, since_ns: int) -> bool:
        return self._facts.troubled(since_ns, self._timeline.now_ns, "stall", "power", "guard")
