"""Laws about relays: I1, I3, I4, I5, I10, I15, I20. What the daemon asks of the guard, and what the
pins do.
"""

from dataclasses import dataclass

from edge.lease import Lease, Release
from sync.commands import Operation
from tests.prove.world.cast import TOOL
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Row, Violation
from tests.prove.world.standing import Standing
from tests.prove.world.tap_laws import Decisions, card_in
from tests.prove.world.timeline import MS, NS, Timeline
from tests.prove.world.tool_laws import ToolLaws

LEASE_NS = NS // 2
UNLOCK_SECONDS_CAP = 30
SLACK_NS = 100 * MS
"""I4: every relay is off within the deadline and 100 ms."""

DEATH_NS = 50 * MS
"""I5: and within 50 ms of the daemon's death."""

RELOCK_NS = (50 + 1000) * MS
"""The leaf has opened for good, and the lock locks again behind it."""

GONE_NS = 4500 * MS
"""Bytes lie unread for two seconds at most, an answer is given within two, and recorded in 0.25."""

CHALLENGE_NS = 20 * NS
NOTICED_NS = 2 * MS
"""No contactor drops out as fast as that."""

ENDLESS_NS = 10**18


@dataclass(slots=True)
class Hold:
    """Why a relay is, or was, on. `ends_ns`: of the unlock; `leased_ns`: of the last lease.

    `row` None: it stands open for everybody, or was a break-glass card's.
    """

    grant: str
    row: Row | None
    began_ns: int
    ends_ns: int
    life: int
    leased_ns: int = 0
    is_over: bool = False
    is_break_glass: bool = False
    earlier: tuple[str, ...] = ()
    """Grants that it has replaced before the relay could come on."""


class Relays:
    """All of them."""

    def __init__(
        self,
        timeline: Timeline,
        facts: Facts,
        console: Console,
        decisions: Decisions,
        standing: Standing,
        tools: ToolLaws,
    ) -> None:
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._decisions = decisions
        self._standing = standing
        self._tools = tools
        self._holds: dict[str, Hold] = {}
        self._past: set[str] = set()
        self._on: dict[str, int] = {}
        self._granted: dict[str, tuple[str, int]] = {}
        self._off_since_ns: dict[str, int] = {}
        self._moved: set[str] = set()
        self._powered: set[str] = set()
        self.unrecorded: list[str] = []
        """Break-glass grants, which are recorded later."""

        self.leases = 0
        self.hung_until_ns = 0
        """So long the guard hangs, or is just being killed for it."""

    # What the daemon and the world do.

    def ordered(self, order: Lease | Release, mono_ns: int) -> None:
        """The daemon asks the guard for something."""
        now_ns = self._timeline.now_ns
        hold = self._holds.get(order.point)
        if isinstance(order, Release):
            if hold is not None and hold.grant == order.grant_id:
                hold.is_over = True
                self._tools.released(order.grant_id)
            return
        self.leases += 1
        leased_ns = now_ns + order.until_ns - mono_ns
        if hold is None or hold.grant != order.grant_id:
            if hold is not None and order.point in self._on:
                self._moved.add(order.grant_id)
            hold = self._begin(order.point, order.grant_id)
        if hold.is_over:
            raise Violation("I1", f"{order.point} is leased for a grant that is over")
        if leased_ns > hold.ends_ns + 2 * MS or now_ns > self._ends_ns(order.point, hold) + 2 * MS:
            raise Violation("I4", f"{order.point} is leased past its unlock time")
        if leased_ns > now_ns + LEASE_NS + MS:
            raise Violation("I1", f"{order.point} is leased for longer than half a second")
        if hold.row is None and not hold.is_break_glass:
            self._check_standing(order.point)
        self._check_user(order.point, hold)
        self._standing.check_lease(order.point, is_break_glass=hold.is_break_glass)
        hold.leased_ns = leased_ns
        if order.point in self._on:
            self._moved.add(hold.grant)

    def moved(self, point: str, is_on: bool) -> None:
        """A pin changed."""
        if not is_on:
            self._on.pop(point, None)
            self._off_since_ns[point] = self._timeline.now_ns
            return
        if point not in self._holds:
            raise Violation("I1", f"the relay of {point} is on and nobody was granted")
        self._on[point] = self._timeline.now_ns
        grant = self._holds[point].grant
        off_ns = self._timeline.now_ns - self._off_since_ns.get(point, 0)
        if point == TOOL and grant in self._powered and off_ns > NOTICED_NS:
            raise Violation("RESTART", f"{point} has power again without a new tap")
        self._powered.add(grant)
        self._moved.update({grant, *self._holds[point].earlier})
        self.check(self._timeline.now_ns)

    def leaf_opened(self, point: str) -> None:
        """The leaf has stood open for as long as contacts bounce: lock again behind it."""
        hold = self._holds.get(point)
        if hold is None or hold.is_break_glass or hold.row is None or point not in self._on:
            return
        opened_ns = self._timeline.now_ns - 60 * MS
        if hold.began_ns < opened_ns and not self._facts.troubled(
            opened_ns, opened_ns + NS, "stall", "power", "guard"
        ):
            hold.ends_ns = min(hold.ends_ns, opened_ns + RELOCK_NS + 20 * MS)

    def recorded(self, row: Row) -> None:
        """A grant for a door that stands open anyhow moves nothing."""
        if row.cause is not None:
            point = str(row.event.get("point"))
            self._granted[point] = (row.cause, self._timeline.now_ns)
            if point in self._on:
                self._moved.add(row.cause)

    # What must be.

    def check(self, until_ns: int) -> None:
        """Nothing will happen before then: is every relay that is on still right until then?"""
        for point in self._on:
            hold = self._holds[point]
            law, limit_ns = self._limit(point, hold)
            if until_ns > max(limit_ns, self._patience_ns(hold)):
                late_ms = (until_ns - limit_ns) / MS
                raise Violation(law, f"the relay of {point} stays on {late_ms:.0f} ms too long")

    def is_on(self, point: str) -> bool:
        return point in self._on

    def has_moved(self, grant: str) -> bool:
        """Whether a relay was on for a grant, ever."""
        return grant in self._moved

    def _limit(self, point: str, hold: Hold) -> tuple[str, int]:
        limits = [
            ("I4", self._ends_ns(point, hold) + SLACK_NS),
            ("I4", hold.leased_ns + SLACK_NS),
        ]
        life = self._facts.life
        if life.ended_ns is not None:
            limits.append(("I5", life.ended_ns + DEATH_NS))
        return min(limits, key=lambda limit: limit[1])

    def _ends_ns(self, point: str, hold: Hold) -> int:
        return min(hold.ends_ns, self._tools.ends_ns(point, hold.grant))

    def _patience_ns(self, hold: Hold) -> int:
        """A guard that hangs is found out by its daemon, a quarter of a second after the lease."""
        is_watched = (
            self._facts.is_alive
            and hold.life == self._facts.life.number
            and not self._facts.troubled(hold.leased_ns, hold.leased_ns, "stall")
        )
        hung_ns = self.hung_until_ns
        return min(hung_ns, hold.leased_ns + 400 * MS) if is_watched else hung_ns

    def _check_user(self, point: str, hold: Hold) -> None:
        """Whoever loses the right to a tool loses the tool, once it stands still."""
        read = hold.row.read if hold.row is not None else None
        if point != TOOL or read is None or self._tools.is_running:
            return
        now_ns = self._timeline.now_ns
        if self._decisions.has_lost_right(point, read.card) and not self._facts.troubled(
            now_ns - 3 * NS, now_ns
        ):
            raise Violation("RIGHT", f"{read.card} keeps {point} without a right to it")

    def _check_standing(self, point: str) -> None:
        if not self._standing.may_stand_open(point) and not self._facts.troubled(
            self._timeline.now_ns - 3 * NS, self._timeline.now_ns, "stall", "slow", "disk"
        ):
            raise Violation("HOURS", f"{point} stands open, and it mustn't")

    def _begin(self, point: str, grant: str) -> Hold:
        if point not in self._on:
            self._standing.check_welded(point, self._off_since_ns.get(point, 0))
        now_ns = self._timeline.now_ns
        row = self._facts.grants.get(grant)
        hold = Hold(grant, row, now_ns, now_ns + ENDLESS_NS, self._facts.life.number)
        if row is None:
            self._begin_unrecorded(point, hold)
        else:
            self._check_grant(point, grant, row)
            seconds = min(self._unlock_seconds(row, point), UNLOCK_SECONDS_CAP)
            hold.ends_ns = self._tools.begin(point, grant, row) or now_ns + seconds * NS
        cause, granted_ns = self._granted.get(point, ("", -NS))
        if row is None and now_ns - granted_ns < NS:
            hold.earlier = (cause,)  # recorded while the door began to stand open: it is open
        replaced = self._holds.get(point)
        if replaced is not None and not replaced.is_over:
            hold.earlier = (*hold.earlier, *replaced.earlier, replaced.grant)
        self._past.add(grant)
        self._holds[point] = hold
        return hold

    def _begin_unrecorded(self, point: str, hold: Hold) -> None:
        """Nobody's grant: the door stands open, or it is a break-glass card on a failing disk."""
        if self._decisions.may_break_glass(point):
            hold.is_break_glass = True
            hold.ends_ns = self._timeline.now_ns + UNLOCK_SECONDS_CAP * NS
            self.unrecorded.append(hold.grant)
            return
        if self._standing.place(point).standing is None:
            raise Violation("I3", f"{point} is released without a durable record")

    def _check_grant(self, point: str, grant: str, row: Row) -> None:
        if row.event["point"] != point:
            raise Violation("I15", f"{point} is released by a grant for {row.event['point']}")
        if grant in self._past or row.life != self._facts.life.number:
            raise Violation("I10", f"{point} is released twice for one grant")
        if grant in self._facts.refusals:
            raise Violation("I16", f"{point} is released by a grant that was refused")
        if row.kind == "command_executed":
            self._check_command(row)
        else:
            self._check_tap(point, row)

    def _unlock_seconds(self, row: Row, point: str) -> int:
        facts = self._facts
        versions = {row.version, facts.in_force().version, facts.applied_before(row).version}
        books = [self._console.books.get(version) for version in versions]
        return max(
            book.points[point].unlock_seconds for book in books if book and point in book.points
        )

    def _check_tap(self, point: str, row: Row) -> None:
        now_ns = self._timeline.now_ns
        read_ns = row.at_ns - 5 * NS if row.read is None else row.read.at_ns
        if not self._facts.troubled(read_ns, now_ns, "stall"):
            if row.read is None:
                raise Violation("I15", f"event {row.seq} grants without a card")
            if now_ns - read_ns > 2 * NS:
                raise Violation("I3", f"event {row.seq} moves the relay when nobody waits for it")
        card = row.read.card if row.read is not None else card_in(row)
        if now_ns - self._facts.seen_ns.get((point, card), 0) > GONE_NS:
            raise Violation("I3", f"event {row.seq} moves the relay when nobody is there any more")
        if now_ns - row.at_ns > (250 + 50) * MS:
            raise Violation("I3", f"event {row.seq} was not durable in time")
        self._decisions.check_in_force(row)

    def _check_command(self, row: Row) -> None:
        order = self._console.orders.get(row.event["command"])
        if order is None or order.command.operation is not Operation.OPEN:
            raise Violation("I10", f"event {row.seq} obeys what the console never ordered")
        if order.command.point != row.event["point"]:
            raise Violation("I10", f"event {row.seq} obeys at another point")
        drawn_ns, life = self._facts.nonces.get(order.command.challenge, (0, -1))
        if life != self._facts.life.number or order.command.boot not in self._facts.nonces:
            raise Violation("I10", f"event {row.seq} obeys an order to another start")
        late_ns = row.at_ns - drawn_ns - CHALLENGE_NS
        if late_ns > 50 * MS:
            raise Violation("I10", f"event {row.seq} obeys {late_ns // MS} ms after the deadline")
