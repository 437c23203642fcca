"""The invariants, each a small checker of its own; tests/prove/README.md says what they mean.

Every checker reads what the world saw (facts.py), never what the daemon says about itself, except
where the law is about just that.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from edge.lease import Lease, Release
from sync.errors import BadSignature
from sync.sealing import unseal
from tests.prove.world.card import Query
from tests.prove.world.cast import CARDS, SIGNER, digest_of, entry_of
from tests.prove.world.console import Console, genesis_of
from tests.prove.world.facts import Facts, Read, Row, Violation
from tests.prove.world.oracle import RULE_REASONS, Situation, doubts, objections
from tests.prove.world.timeline import MS, NS, Timeline

GONE_SECONDS = 1.5
LEASE_SECONDS = 0.5
UNLOCK_SECONDS_CAP = 30
SLACK_NS = 100 * MS
"""I4: every relay is off within the deadline and 100 ms."""

DEATH_NS = 50 * MS
"""I5: and within 50 ms of the daemon's death."""

ANSWER_NS = 300 * MS
"""I21."""

CHALLENGE_NS = 20 * NS
FAULT_REASONS = {
    "storage_fault": ("disk", "power"),
    "storage_slow": ("disk", "slow", "stall", "power"),
    "journal_full": ("journal",),
    "relay_fault": ("guard", "stall", "power"),
    "internal_error": ("hash",),
}
"""What may be the matter when nobody was asked for her rights."""


@dataclass(slots=True)
class Hold:
    """Why a relay is, or was, on. `ends_ns`: of the unlock; `leased_ns`: of the last lease."""

    grant: str
    ends_ns: int
    leased_ns: int
    is_over: bool = False


class Journal:
    """I8, I9, I6: the rows on disk form one chain, none is lost, floors and counters only rise."""

    def __init__(self, timeline: Timeline, facts: Facts) -> None:
        self._timeline = timeline
        self._facts = facts
        self._seen_life = 0
        self._state: tuple[int, ...] = ()

    @property
    def clock_ms(self) -> int:
        """The clock's mark on the disk."""
        return self._state[3] if self._state else 0

    def committed(self, query: Query) -> list[Row]:
        """Looks at what a commit has made of the disk; returns the new rows."""
        facts = self._facts
        journal, acknowledged, epoch, serial, counter, clock_ms = query(
            "SELECT journal, acknowledged, floor_epoch, floor_serial, command_counter, clock_ms"
            " FROM state"
        )[0]
        if journal != facts.journal:
            facts.journal, self._state = journal, ()
        rows = facts.journals.setdefault(journal, [])
        if facts.life.number != self._seen_life:
            self._seen_life = facts.life.number
            kept = query("SELECT line FROM event ORDER BY seq")
            if [row.line for row in rows] != [line for (line,) in kept[: len(rows)]]:
                raise Violation("I9", "after a restart, committed events are not as they were")
        self._check_floor((epoch, serial), counter, clock_ms, acknowledged)
        new = query(f"SELECT seq, hash, line FROM event WHERE seq > {len(rows)} ORDER BY seq")  # noqa: S608
        added = [self._add(journal, rows, *found) for found in new]
        applied = facts.applied.setdefault(journal, [])
        if serial and (not applied or applied[-1][1] != (epoch, serial)):
            applied.append((len(rows), (epoch, serial)))
        return added

    def _check_floor(
        self, floor: tuple[int, int], counter: int, clock_ms: int, acknowledged: int
    ) -> None:
        state = (*floor, counter, clock_ms)
        if self._state:
            if floor < self._state[:2]:
                raise Violation("I6", f"the floor fell from {self._state[:2]} to {floor}")
            if counter < self._state[2]:
                raise Violation("I10", f"the command counter fell from {self._state[2]}")
            if clock_ms < self._state[3]:
                raise Violation("I11", f"the clock's mark fell from {self._state[3]}")
        self._state = state
        if acknowledged > len(self._facts.rows()):
            raise Violation("I8", f"{acknowledged} is acknowledged and was never written")

    def _add(self, journal: str, rows: list[Row], seq: int, digest: bytes, line: bytes) -> Row:
        event = json.loads(line)
        before = hashlib.sha256(rows[-1].line).hexdigest() if rows else genesis_of(journal)
        if seq != len(rows) + 1 or event["seq"] != seq:
            raise Violation("I8", f"row {seq}, event {event['seq']} after {len(rows)} events")
        if event["previous"] != before or hashlib.sha256(line).digest() != digest:
            raise Violation("I8", f"event {seq} breaks the chain")
        life = self._facts.life
        at_ns = life.began_ns + event["mono_ms"] * MS
        if at_ns > self._timeline.now_ns:
            raise Violation("I11", f"event {seq} comes from the future")
        row = Row(journal, seq, line, event, life.number, self._timeline.now_ns, at_ns)
        rows.append(row)
        if row.cause is not None:
            if row.kind in {"access_granted", "command_executed"}:
                if row.cause in self._facts.grants:
                    raise Violation("I10", f"{row.cause} was granted twice")
                self._facts.grants[row.cause] = row
            else:
                self._facts.refusals[row.cause] = row
        return row


class Clock:
    """I11: events tell the beacons' time, which never goes back, whatever the wall clock says."""

    def __init__(self, timeline: Timeline, facts: Facts, console: Console) -> None:
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._least_ms = 0
        self._most: list[tuple[int, int]] = []  # time, and when it was told
        self._trust_since_ns: int | None = None
        self._lead_ms = -(10**15)

    def begun(self, least_ms: int) -> None:
        """A life begins; the disk says that it is at least so late."""
        self._least_ms = least_ms
        self._most = [(least_ms, self._timeline.now_ns)]
        self._trust_since_ns = None
        self._lead_ms = -(10**15)

    def heard(self, time_ms: int) -> None:
        """A genuine beacon that answers a recent nonce has reached the controller."""
        self._most.append((time_ms, self._timeline.now_ns))
        if self._trust_since_ns is None:
            self._trust_since_ns = self._timeline.now_ns

    def situations(self) -> list[Situation]:
        """What a controller in health may know of the time now: the earliest and the latest."""
        now_ns, life = self._timeline.now_ns, self._facts.life
        is_trusted = self._trust_since_ns is not None and now_ns - self._trust_since_ns > 2 * NS
        least_ms = self._least_ms + (now_ns - life.began_ns) // MS - 2000
        return [Situation(ms, is_trusted) for ms in (least_ms, self._most_ms(now_ns))]

    def _most_ms(self, at_ns: int) -> int:
        return max(told + (at_ns - when_ns) // MS for told, when_ns in self._most) + 1500

    def check(self, row: Row) -> None:
        time_ms, mono_ms = row.event["time_ms"], row.event["mono_ms"]
        most_ms = self._most_ms(row.at_ns)
        if time_ms > most_ms:
            raise Violation("I11", f"event {row.seq} runs {time_ms - most_ms} ms ahead of beacons")
        if time_ms < self._least_ms:
            raise Violation("I11", f"event {row.seq} is before what the disk had at the start")
        if row.event["clock"] == "trusted" and (
            self._trust_since_ns is None or row.at_ns < self._trust_since_ns - MS
        ):
            raise Violation("I11", f"event {row.seq} trusts a clock that no beacon has told")
        if row.kind != "access_withdrawn" and row.at_ns >= row.committed_ns - 200 * MS:
            if time_ms - mono_ms < self._lead_ms - 2:
                raise Violation("I11", f"event {row.seq}: the clock went back")
            self._lead_ms = max(self._lead_ms, time_ms - mono_ms)


class Taps:
    """I14, I15: one presentation is one tap, and an answer is about the card that was read."""

    def __init__(self, timeline: Timeline, facts: Facts) -> None:
        self._timeline = timeline
        self._facts = facts
        self._last: dict[tuple[str, str], int] = {}

    def begun(self) -> None:
        """A life begins without a memory of cards."""
        self._last.clear()

    def read(self, point: str, card: str) -> Read | None:
        """A card was read whole. None: it is still lying there."""
        now_ns = self._timeline.now_ns
        last_ns = self._last.get((point, card))
        self._last[point, card] = now_ns
        if last_ns is not None and now_ns - last_ns < GONE_SECONDS * NS:
            return None
        found = Read(point, card, now_ns, self._facts.life.number)
        self._facts.reads.append(found)
        return found

    def check(self, row: Row) -> None:
        """An answer belongs to a presentation, which has no other one."""
        tap = row.event.get("tap")
        if tap is None:
            return
        mine = [read for read in self._facts.reads if read.tap == tap]
        if not mine:
            mine = [read for read in self._facts.reads if self._may_be(read, row)][:1]
        if not mine:
            if self._facts.troubled(row.at_ns - 5 * NS, row.at_ns, "stall"):
                return  # frames that lay unread: where one presentation ends is anybody's guess
            raise Violation("I14", f"event {row.seq} answers a card that nobody has presented")
        if not self._is_about(row, mine[0].card):
            raise Violation("I15", f"event {row.seq} is about another card than was read")
        mine[0].tap, row.read = tap, mine[0]

    def _may_be(self, read: Read, row: Row) -> bool:
        return (
            read.tap is None
            and read.life == row.life
            and read.point == row.event["point"]
            and read.at_ns <= row.at_ns + MS
            and row.at_ns - read.at_ns < 5 * NS
            and self._is_about(row, read.card)
        )

    def _is_about(self, row: Row, card: str) -> bool:
        entry, sealed = row.event.get("entry"), row.event.get("sealed")
        if entry is not None:
            return entry_of(card).hex() == entry
        if sealed is None:
            return True
        try:
            return unseal(bytes.fromhex(sealed), SIGNER.sealing_seed) == digest_of(card)
        except BadSignature:
            return False


class Decisions:
    """I2, I7, I16: the oracle says the same as the event, by the rules that it names."""

    def __init__(self, facts: Facts, console: Console, age_ms: Callable[[Row], tuple[int, int]]):
        self._facts = facts
        self._console = console
        self._age_ms = age_ms

    def check(self, row: Row) -> None:
        if row.kind == "access_granted":
            self._check_grant(row)
        elif row.kind == "access_denied" and row.cause is not None:
            self._check_denial(row)

    def check_in_force(self, row: Row) -> None:
        """A grant moves a relay: what was applied last before it has to allow it as well."""
        if row.kind == "access_granted":
            version = self._facts.applied_before(row)
            against = self._against(row, version)
            if against:
                raise Violation("I7", f"event {row.seq}: by {version} in force {sorted(against)}")

    def _check_grant(self, row: Row) -> None:
        against = self._against(row, row.version)
        if row.event["reason"] != "allowed" or against:
            raise Violation("I2", f"event {row.seq} grants by {row.version}: {sorted(against)}")

    def _check_denial(self, row: Row) -> None:
        reason = row.event["reason"]
        if reason in RULE_REASONS:
            against = self._against(row, row.version) | self._in_doubt(row)
            if reason not in against:
                raise Violation("I2", f"event {row.seq} denies: {reason}, not {sorted(against)}")
        elif reason in FAULT_REASONS:
            kinds = FAULT_REASONS[reason]
            begun_ns = row.read.at_ns if row.read else row.at_ns
            if not self._facts.troubled(begun_ns, row.committed_ns, *kinds):
                raise Violation("I16", f"event {row.seq} denies: {reason}, and nothing is wrong")
        elif (
            reason == "no_snapshot"
            and self._facts.applied_before(row) != (0, 0)
            and not self._facts.has_rotted
        ):
            raise Violation("I2", f"event {row.seq} denies: no snapshot, and there is one")

    def _against(self, row: Row, version: tuple[int, int]) -> frozenset[str]:
        book = self._console.books.get(version)
        if book is None:
            return frozenset({f"version {version} was never made"})
        return objections(book, row.event["point"], self._card(row), self._situation(row))

    def _in_doubt(self, row: Row) -> frozenset[str]:
        book = self._console.books.get(row.version)
        if book is None:
            return frozenset()
        return doubts(book, row.event["point"], self._card(row), self._situation(row))

    def _situation(self, row: Row) -> Situation:
        return Situation(
            row.event["time_ms"], row.event["clock"] == "trusted", age_ms=self._age_ms(row)
        )

    def _card(self, row: Row) -> str:
        return row.read.card if row.read is not None else card_in(row)


def card_in(row: Row) -> str:
    entry = row.event.get("entry")
    return next((card for card in CARDS if entry_of(card).hex() == entry), "nobody's")


class Relays:
    """I1, I3, I4, I5, I10: a relay is on for one recorded grant, for its time, and no longer."""

    def __init__(
        self, timeline: Timeline, facts: Facts, console: Console, decisions: Decisions
    ) -> None:
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._decisions = decisions
        self._holds: dict[str, Hold] = {}
        self._past: set[str] = set()
        self._on: dict[str, int] = {}
        self._moved: set[str] = set()
        self.hung_until_ns = 0
        """So long the guard hangs, or is just being killed for it."""

    def ordered(self, order: Lease | Release, mono_ns: int) -> None:
        """The daemon asks the guard for something."""
        now_ns = self._timeline.now_ns
        hold = self._holds.get(order.point)
        if isinstance(order, Release):
            if hold is not None and hold.grant == order.grant_id:
                hold.is_over = True
            return
        leased_ns = now_ns + order.until_ns - mono_ns
        if hold is None or hold.grant != order.grant_id:
            hold = self._begin(order.point, order.grant_id)
        if hold.is_over:
            raise Violation("I1", f"{order.point} is leased for a grant that is over")
        if leased_ns > hold.ends_ns + 2 * MS:
            raise Violation("I4", f"{order.point} is leased past its unlock time")
        if leased_ns > now_ns + LEASE_SECONDS * NS + MS:
            raise Violation("I1", f"{order.point} is leased for longer than half a second")
        hold.leased_ns = leased_ns
        if order.point in self._on:
            self._moved.add(hold.grant)

    def moved(self, point: str, is_on: bool) -> None:
        """A pin changed."""
        if not is_on:
            self._on.pop(point, None)
            return
        if point not in self._holds:
            raise Violation("I1", f"the relay of {point} is on and nobody was granted")
        self._on[point] = self._timeline.now_ns
        self._moved.add(self._holds[point].grant)
        self.check(self._timeline.now_ns)

    def check(self, until_ns: int) -> None:
        """Nothing will happen before then: is every relay that is on still right until then?"""
        for point in self._on:
            hold = self._holds[point]
            law, limit_ns = self._limit(hold)
            if until_ns > max(limit_ns, self._patience_ns(hold)):
                late_ms = (until_ns - limit_ns) / MS
                raise Violation(law, f"the relay of {point} stays on {late_ms:.0f} ms too long")

    def is_on_for(self, point: str) -> str | None:
        """The grant that a relay is on for."""
        return self._holds[point].grant if point in self._on else None

    def has_moved(self, grant: str) -> bool:
        """Whether a relay was on for a grant, ever."""
        return grant in self._moved

    def _limit(self, hold: Hold) -> tuple[str, int]:
        limits = [("I4", hold.ends_ns + SLACK_NS), ("I4", hold.leased_ns + SLACK_NS)]
        life = self._facts.life
        if life.ended_ns is not None:
            limits.append(("I5", life.ended_ns + DEATH_NS))
        return min(limits, key=lambda limit: limit[1])

    def _patience_ns(self, hold: Hold) -> int:
        """A guard that hangs is found out by the daemon, a quarter of a second after the lease."""
        is_watched = self._facts.is_alive and not self._facts.troubled(
            hold.leased_ns, hold.leased_ns, "stall"
        )
        return (
            min(self.hung_until_ns, hold.leased_ns + 400 * MS) if is_watched else self.hung_until_ns
        )

    def _begin(self, point: str, grant: str) -> Hold:
        row = self._facts.grants.get(grant)
        if row is None:
            raise Violation("I3", f"{point} is released without a durable record")
        if row.event["point"] != point:
            raise Violation("I15", f"{point} is released by a grant for {row.event['point']}")
        if grant in self._past or row.life != self._facts.life.number:
            raise Violation("I10", f"{point} is released twice for one grant")
        if grant in self._facts.refusals:
            raise Violation("I16", f"{point} is released by a grant that was refused")
        self._past.add(grant)
        if row.kind == "command_executed":
            self._check_command(row)
        else:
            self._check_tap(row)
        seconds = min(self._unlock_seconds(row, point), UNLOCK_SECONDS_CAP)
        hold = Hold(grant, self._timeline.now_ns + seconds * NS, 0)
        self._holds[point] = hold
        return hold

    def _unlock_seconds(self, row: Row, point: str) -> int:
        versions = {row.version, self._facts.rows()[-1].version, self._facts.applied_before(row)}
        books = [self._console.books.get(version) for version in versions]
        return max(
            book.points[point].unlock_seconds for book in books if book and point in book.points
        )

    def _check_tap(self, row: Row) -> None:
        now_ns = self._timeline.now_ns
        read_ns = row.at_ns - 5 * NS if row.read is None else row.read.at_ns
        if not self._facts.troubled(read_ns, now_ns, "stall"):
            if row.read is None:
                raise Violation("I15", f"event {row.seq} grants without a card")
            if now_ns - read_ns > 2 * NS:
                raise Violation("I3", f"event {row.seq} moves the relay when nobody waits for it")
            if now_ns - row.at_ns > (250 + 50) * MS:
                raise Violation("I3", f"event {row.seq} was not durable in time")
        self._decisions.check_in_force(row)

    def _check_command(self, row: Row) -> None:
        order = self._console.orders.get(row.event["command"])
        if order is None:
            raise Violation("I10", f"event {row.seq} obeys what the console never ordered")
        if order.command.point != row.event["point"]:
            raise Violation("I10", f"event {row.seq} obeys at another point")
        drawn_ns, life = self._facts.nonces.get(order.command.challenge, (0, -1))
        if life != self._facts.life.number or order.command.boot not in self._facts.nonces:
            raise Violation("I10", f"event {row.seq} obeys an order to another start")
        late_ns = row.at_ns - drawn_ns - CHALLENGE_NS
        if late_ns > 50 * MS:
            raise Violation("I10", f"event {row.seq} obeys {late_ns // MS} ms after the deadline")
