"""Laws about what is on the disk: I6, I8, I9, I10, I11, I12.

They read what was committed (facts.py), never what the daemon says about itself.
"""

import hashlib
import json
from dataclasses import dataclass

from tests.prove.world.card import Query
from tests.prove.world.console import genesis_of
from tests.prove.world.facts import Applied, Facts, Row, Violation
from tests.prove.world.oracle import Situation
from tests.prove.world.timeline import MS, NS, Timeline

START_AGE_MS = 3600 * 1000
AGE_MS_MAX = 366 * 86_400 * 1000
SETTLED_NS = 2 * NS
"""A beacon that came so long ago has been read, unless the daemon stood still."""


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
        journal, acknowledged, epoch, serial, counter, clock_ms, age_ms = query(
            "SELECT journal, acknowledged, floor_epoch, floor_serial, command_counter, clock_ms,"
            " age_ms FROM state"
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
        if serial and (not applied or applied[-1].version != (epoch, serial)):
            now_ns = self._timeline.now_ns
            is_sure = not facts.troubled(now_ns, now_ns, "disk")
            applied.append(Applied((epoch, serial), len(rows), now_ns, is_sure))
        if facts.ages.get(journal, (-1, 0))[0] != age_ms:
            facts.ages[journal] = (age_ms, self._timeline.now_ns)
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


@dataclass(frozen=True, slots=True)
class Heard:
    """A genuine beacon that answers a recent nonce. `asked_ns`: when the nonce was drawn.

    `version`: the newest, as it says; `in_force`: when it came.
    """

    at_ns: int
    time_ms: int
    asked_ns: int
    version: tuple[int, int]
    in_force: tuple[int, int]


class Clock:
    """I11, I12: events tell the beacons' time, which never goes back, whatever the wall clock
    says; and the rights get no younger but by a beacon.
    """

    def __init__(self, timeline: Timeline, facts: Facts) -> None:
        self._timeline = timeline
        self._facts = facts
        self._least_ms = 0
        self._began_ns = 0
        self._aged_ms = AGE_MS_MAX
        self._heard: list[Heard] = []
        self._lead_ms = -(10**15)

    def begun(self, least_ms: int, age_ms: int) -> None:
        """A life begins; the disk says that it is at least so late, and how old the rights were."""
        self._least_ms = least_ms
        self._aged_ms = min(age_ms + START_AGE_MS, AGE_MS_MAX)
        self._began_ns = self._facts.life.began_ns
        self._heard = []
        self._lead_ms = -(10**15)

    def heard(self, beacon: Heard) -> None:
        """It has reached the controller."""
        self._heard.append(beacon)

    def situations(self) -> list[Situation]:
        """What a controller in health may know of the time now: the earliest and the latest."""
        now_ns = self._timeline.now_ns
        is_trusted = any(now_ns - beacon.at_ns > SETTLED_NS for beacon in self._heard)
        least_ms = self._least_ms + (now_ns - self._began_ns) // MS - 2000
        age_ms = self.age_ms(now_ns)
        return [Situation(ms, is_trusted, age_ms) for ms in (least_ms, self._most_ms(now_ns))]

    @property
    def is_told(self) -> bool:
        """Whether a beacon has told the time in this life."""
        return bool(self._heard)

    def age_ms(self, at_ns: int) -> tuple[int, int]:
        """The least and the most that the rights may have been old then."""
        most = self._aged_ms + (at_ns - self._began_ns) // MS
        in_force = self._facts.in_force().version
        fresh = [beacon for beacon in self._heard if beacon.version <= in_force]
        asked = [beacon.asked_ns for beacon in fresh if beacon.at_ns <= at_ns]
        least = min([most, *((at_ns - asked_ns) // MS for asked_ns in asked)])
        read = [
            beacon.asked_ns
            for beacon in fresh
            if beacon.at_ns <= at_ns - SETTLED_NS and beacon.version <= beacon.in_force
        ]
        if read and not self._facts.troubled(self._heard[0].at_ns, at_ns, "stall", "disk"):
            most = min(most, (at_ns - max(read)) // MS)
        return max(0, min(least, AGE_MS_MAX) - 100), min(most, AGE_MS_MAX) + 2000

    def check(self, row: Row) -> None:
        time_ms, mono_ms = row.event["time_ms"], row.event["mono_ms"]
        ahead_ms = time_ms - self._most_ms(row.at_ns)
        if ahead_ms > 0:
            raise Violation("I11", f"event {row.seq} runs {ahead_ms} ms ahead of all beacons")
        if time_ms < self._least_ms:
            raise Violation("I11", f"event {row.seq} is before what the disk had at the start")
        is_told = any(beacon.at_ns <= row.at_ns + MS for beacon in self._heard)
        if row.event["clock"] == "trusted" and not is_told:
            raise Violation("I11", f"event {row.seq} trusts a clock that no beacon has told")
        if row.kind != "access_withdrawn" and row.at_ns >= row.committed_ns - 200 * MS:
            if time_ms - mono_ms < self._lead_ms - 2:
                raise Violation("I11", f"event {row.seq}: the clock went back")
            self._lead_ms = max(self._lead_ms, time_ms - mono_ms)

    def check_age(self, said_ms: int, at_ns: int) -> None:
        """What the daemon says of the age, or writes."""
        least_ms, _ = self.age_ms(at_ns)
        if said_ms < least_ms - 1000:
            raise Violation("I12", f"the age is {said_ms} ms; by the beacons, at least {least_ms}")

    def _most_ms(self, at_ns: int) -> int:
        told = [(self._least_ms, self._began_ns)]
        told += [(beacon.time_ms, beacon.at_ns) for beacon in self._heard]
        return max(ms + (at_ns - when_ns) // MS for ms, when_ns in told) + 1500
