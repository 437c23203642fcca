"""What happened in the world, for the checkers: the journal on disk, reads, troubles."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.prove.world.timeline import NS


class Violation(AssertionError):
    """The daemon broke a law. `law`: the invariant's name, as in tests/prove/README.md."""

    def __init__(self, law: str, text: str) -> None:
        super().__init__(f"{law}: {text}")
        self.law = law
        self.text = text

    @property
    def sort(self) -> str:
        """Equal for violations that differ in numbers only."""
        return re.sub(r"[0-9A-Fa-f]{2,}|[0-9]", "#", str(self))


@dataclass(slots=True)
class Read:
    """A card was read whole. `is_new`: it hadn't been there for a while."""

    point: str
    card: str
    at_ns: int
    life: int
    tap: str | None = None
    """The tap that the daemon made of it; None: none yet."""


@dataclass(slots=True)
class Row:
    """One event as it lies on the disk. `at_ns`: when it says that it happened."""

    journal: str
    seq: int
    line: bytes
    event: dict[str, Any]
    life: int
    committed_ns: int
    at_ns: int
    read: Read | None = None

    @property
    def kind(self) -> str:
        return str(self.event["kind"])

    @property
    def version(self) -> tuple[int, int]:
        """Of the snapshot that decided; (0, 0): none did."""
        return int(self.event.get("epoch", 0)), int(self.event.get("serial", 0))

    @property
    def cause(self) -> str | None:
        """The grant that it is about, as the guard knows it."""
        named = self.event.get("tap") or self.event.get("command")
        return None if named is None else str(named).replace("-", "")


@dataclass(slots=True)
class Trouble:
    """Something was wrong with the world, from then to then."""

    kind: str
    begin_ns: int
    end_ns: int


@dataclass(slots=True)
class Life:
    """One start of the daemon. `ended_ns` None: it runs."""

    number: int
    began_ns: int
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A version that came into force: after how many events, and when.

    `is_sure` False: its commit was answered with an error, and the daemon can't know of it.
    """

    version: tuple[int, int]
    after: int
    at_ns: int
    is_sure: bool = True


NOTHING = Applied((0, 0), 0, 0)


SETTLING_SECONDS = {
    "relay": 60.0,
    "rights": 2.0,
    "power": 4.0,
    "disk": 6.0,
    "guard": 10.0,
    "reader": 9.0,
    "stall": 3.0,
    "hash": 1.0,
    "journal": 1.0,
    "slow": 1.0,
}
"""How long after a trouble things may still not be as they should; a bound for each remedy."""


@dataclass(slots=True)
class Facts:
    """All of it."""

    lives: list[Life] = field(default_factory=list[Life])
    journals: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    journal: str = ""
    """The one in use."""

    grants: dict[str, Row] = field(default_factory=dict[str, Row])
    """Granted taps and executed commands that are durable, by the grant."""

    refusals: dict[str, Row] = field(default_factory=dict[str, Row])
    """Denied and withdrawn ones."""

    reads: list[Read] = field(default_factory=list[Read])
    seen_ns: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """When a card was last read at a point: it may lie there for long."""
    nonces: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """What the daemon drew at random, 16 bytes each: when, and in which life."""

    troubles: list[Trouble] = field(default_factory=list[Trouble])
    applied: dict[str, list[Applied]] = field(default_factory=dict[str, "list[Applied]"])
    """For each journal, oldest first."""

    ages: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """For each journal: the age of the rights on the disk, in ms, and when it was written."""

    rights_lost_ns: int | None = None
    """Since when what was in force may be gone from the card; None: it isn't."""

    has_rotted: bool = False
    """Whether what was on the card has been damaged."""

    circuits: dict[tuple[str, str], list[tuple[int, bool]]] = field(
        default_factory=dict[tuple[str, str], list[tuple[int, bool]]]
    )
    """For each input that ever moved: since when it has been closed or open, oldest first."""

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def is_alive(self) -> bool:
        return bool(self.lives) and self.life.ended_ns is None

    def rows(self) -> list[Row]:
        """Of the journal in use."""
        return self.journals.get(self.journal, [])

    def trouble(self, kind: str, begin_ns: int, seconds: float) -> None:
        self.troubles.append(Trouble(kind, begin_ns, begin_ns + int(seconds * NS)))

    def troubled(self, begin_ns: int, end_ns: int, *kinds: str) -> bool:
        """Whether anything (of these kinds) was wrong, or still being remedied, in between."""
        return any(
            trouble.begin_ns <= end_ns and begin_ns <= self._settled_ns(trouble)
            for trouble in reversed(self.troubles)
            if not kinds or trouble.kind in kinds
        )

    def awake_before_ns(self, at_ns: int, ns: int) -> int:
        """So long before, not counting what the machine stood still."""
        since_ns = at_ns - ns
        for stall in reversed(self.troubles):
            if stall.kind == "stall" and stall.begin_ns <= at_ns and since_ns <= stall.end_ns:
                since_ns = min(since_ns, stall.begin_ns - ns)
        return since_ns

    def _settled_ns(self, trouble: Trouble) -> int:
        """A machine that stands still remedies nothing meanwhile."""
        settled_ns = trouble.end_ns + SETTLING_SECONDS[trouble.kind] * NS
        for stall in self.troubles:
            if stall.kind == "stall" and stall.begin_ns <= settled_ns < stall.end_ns:
                settled_ns = stall.end_ns + SETTLING_SECONDS[trouble.kind] * NS
        return int(settled_ns)

    def applied_before(self, row: Row) -> Applied:
        """What was in force when a row was written."""
        earlier = (
            applied
            for applied in reversed(self.applied.get(row.journal, []))
            if applied.after < row.seq
        )
        return next(earlier, NOTHING)

    def lasts_since_ns(self, point: str, name: str, *, is_closed: bool) -> int | None:
        """Since when an input has been so; None: it is not, or has been since the beginning."""
        moves = self.circuits.get((point, name))
        return moves[-1][0] if moves and moves[-1][1] is is_closed else None

    def has_been(self, point: str, name: str, since_ns: int, *, is_closed: bool) -> bool:
        """Whether an input was so at any time since then."""
        was = self.circuits.get((point, name), [])
        return any(
            closed is is_closed
            for number, (_, closed) in enumerate(was)
            if number + 1 == len(was) or was[number + 1][0] >= since_ns
        )

    def in_force(self) -> Applied:
        """What was applied last."""
        applied = self.applied.get(self.journal)
        return applied[-1] if applied else NOTHING
