"""Laws about taps and what is answered: I2, I7, I14, I15, I16.

The oracle (oracle.py) decides a second time; where a point itself was the reason, standing.py says
whether that may have been so.
"""

from dataclasses import replace

from sync.errors import BadSignature
from sync.sealing import unseal
from tests.prove.world.cast import CARDS, SIGNER, digest_of, entry_of
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Read, Row, Violation
from tests.prove.world.journal_laws import Clock
from tests.prove.world.oracle import RULE_REASONS, Situation, doubts, objections
from tests.prove.world.standing import Standing
from tests.prove.world.timeline import MS, NS, Timeline

GONE_SECONDS = 1.5
LOST_NS = 2 * NS
"""Nobody keeps a tool for longer than two looks of half a second, but for a motor that runs."""

NOT_OF_CARDS = {"too_stale", "not_fresh", "clock_untrusted"}
FAULT_REASONS = {
    "storage_fault": ("disk", "power"),
    "storage_slow": ("disk", "slow", "stall", "power"),
    "journal_full": ("journal",),
    "relay_fault": ("guard", "stall", "power"),
    "internal_error": ("hash",),
    "too_late": ("stall", "power"),
}
"""What may be the matter when nobody was asked for her rights."""


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
        self._facts.seen_ns[point, card] = now_ns
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
        if "entry" not in row.event and "sealed" not in row.event:
            return  # nothing that names a card was recorded
        mine = [read for read in self._facts.reads if read.tap == tap]
        if not mine:
            mine = [read for read in self._facts.reads[-40:] if self._may_be(read, row)][-1:]
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

    def __init__(
        self,
        timeline: Timeline,
        facts: Facts,
        console: Console,
        clock: Clock,
        standing: Standing,
    ) -> None:
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._clock = clock
        self._standing = standing

    def check(self, row: Row) -> None:
        if row.kind == "access_granted":
            self._check_grant(row)
        elif row.kind == "access_denied" and row.cause is not None:
            self._check_denial(row)

    def check_in_force(self, row: Row) -> None:
        """A grant moves a relay: what was applied last before it has to allow it as well."""
        if row.kind == "access_granted":
            applied = self._facts.applied_before(row)
            if row.version not in {each.version for each in self._facts.applied[row.journal]}:
                raise Violation("I2", f"event {row.seq} grants by {row.version}, never applied")
            if not applied.is_sure:
                return  # until the console speaks again, nobody knows better
            version = applied.version
            # They may have become fresh while the grant was recorded.
            against = self._against(row, version) & self._against(row, version, is_now=True)
            if against:
                raise Violation("I7", f"event {row.seq}: by {version} in force {sorted(against)}")

    def has_lost_right(self, point: str, card: str) -> bool:
        """Whether whoever has the tool surely has had no right to it for some time."""
        now_ns, in_force = self._timeline.now_ns, self._facts.in_force()
        book = self._console.books.get(in_force.version)
        if book is None or not in_force.is_sure or now_ns - in_force.at_ns < LOST_NS:
            return False
        earlier = (
            replace(now, now_ms=now.now_ms - LOST_NS // MS) for now in self._clock.situations()
        )
        return all(objections(book, point, card, then) - NOT_OF_CARDS for then in earlier)

    def may_break_glass(self, point: str) -> bool:
        """Whether a break-glass card has just been read here, and the disk fails."""
        now_ns = self._timeline.now_ns
        book = self._console.books.get(self._facts.in_force().version)
        if book is None or not self._facts.troubled(now_ns, now_ns, "disk", "slow"):
            return False
        return any(
            read.point == point
            and now_ns - read.at_ns < 2 * NS
            and (rule := book.cards.get(read.card)) is not None
            and rule.is_break_glass
            and not all(objections(book, point, read.card, now) for now in self._clock.situations())
            for read in self._facts.reads[-8:]
        )

    def _check_grant(self, row: Row) -> None:
        against = self._against(row, row.version)
        read_ns = row.at_ns - 5 * NS if row.read is None else row.read.at_ns
        if against and self._facts.troubled(read_ns, row.at_ns, "stall"):
            return  # decided before it stood still, written after: it mustn't move the relay
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
            begun_ns = row.read.at_ns if row.read else row.at_ns - 10 * NS
            if row.read is None:
                kinds = (*kinds, "stall")  # the tap may be of before the machine stood still
            if not self._facts.troubled(begun_ns, row.committed_ns, *kinds):
                raise Violation("I16", f"event {row.seq} denies: {reason}, and nothing is wrong")
        elif (
            reason == "no_snapshot"
            and self._facts.applied_before(row).version != (0, 0)
            and self._facts.applied_before(row).at_ns < row.at_ns - NS
            and not self._facts.has_rotted
        ):
            raise Violation("I2", f"event {row.seq} denies: no snapshot, and there is one")
        elif reason != "no_snapshot" and not self._standing.explains(reason, row):
            raise Violation("I16", f"event {row.seq} denies: {reason}, and nothing explains it")

    def _against(
        self, row: Row, version: tuple[int, int], *, is_now: bool = False
    ) -> frozenset[str]:
        book = self._console.books.get(version)
        if book is None:
            return frozenset({f"version {version} was never made"})
        point, card, situation = row.event["point"], self._card(row), self._situation(row)
        if is_now:
            situation = replace(situation, age_ms=self._clock.age_ms(self._timeline.now_ns))
            return objections(book, point, card, situation) - doubts(book, point, card, situation)
        return objections(book, point, card, situation)

    def _in_doubt(self, row: Row) -> frozenset[str]:
        book = self._console.books.get(row.version)
        if book is None:
            return frozenset()
        return doubts(book, row.event["point"], self._card(row), self._situation(row))

    def _situation(self, row: Row) -> Situation:
        return Situation(
            row.event["time_ms"],
            row.event["clock"] == "trusted",
            age_ms=self._clock.age_ms(row.at_ns),
        )

    def _card(self, row: Row) -> str:
        return row.read.card if row.read is not None else card_in(row)


def card_in(row: Row) -> str:
    entry = row.event.get("entry")
    return next((card for card in CARDS if entry_of(card).hex() == entry), "nobody's")
