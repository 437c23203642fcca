"""I21: whoever may come in is let in, and soon; and when all is well again, everything is in order.

Without this, a controller that always denies would break no law.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tests.prove.world.cast import TOOL
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Read, Violation
from tests.prove.world.oracle import Situation, doubts, objections
from tests.prove.world.relay_laws import Relays
from tests.prove.world.standing import Standing
from tests.prove.world.timeline import MS, NS, Timeline

ANSWER_NS = 300 * MS
SPACE_NS = NS
"""Taps that come one upon the other wait for each other."""


class Liveness:
    """Looks at every presentation a moment after it."""

    def __init__(
        self,
        timeline: Timeline,
        facts: Facts,
        console: Console,
        relays: Relays,
        standing: Standing,
        situations: Callable[[], list[Situation]],
    ) -> None:
        """`situations`: what a healthy controller may know of the time."""
        self._timeline = timeline
        self._facts = facts
        self._console = console
        self._relays = relays
        self._standing = standing
        self._situations = situations
        self.expected = 0
        """Presentations that had to be let in, and were."""

    def read(self, read: Read) -> None:
        """A card was presented."""
        in_force = self._facts.in_force()
        book = self._console.books.get(in_force.version) if in_force.is_sure else None
        if book is None or self._facts.rights_lost_ns is not None or self._is_crowded(read):
            return
        if not self._is_plain(read):
            return
        for now in self._situations():
            if objections(book, read.point, read.card, now):
                return
            if doubts(book, read.point, read.card, now):
                return
        version = (book.epoch, book.serial)
        self._timeline.at(read.at_ns + ANSWER_NS, lambda: self._look(read, version))

    def _look(self, read: Read, version: tuple[int, int]) -> None:
        facts = self._facts
        if (
            not facts.is_alive
            or facts.life.number != read.life
            or self._facts.in_force().version != version
        ):
            return
        if facts.troubled(read.at_ns, self._timeline.now_ns):
            return
        if self._is_crowded(read) or not self._standing.is_plain(read.point):
            return
        row = facts.grants.get(read.tap or "")
        if row is None:
            raise Violation("I21", f"{read.card} at {read.point} got no grant within 300 ms")
        if not self._relays.has_moved(read.tap or ""):
            raise Violation("I21", f"{read.card} at {read.point} moved no relay within 300 ms")
        self.expected += 1

    def _is_plain(self, read: Read) -> bool:
        """Whether nothing is against it but the rights. A tool that somebody has is another
        matter.
        """
        is_taken = read.point == TOOL and self._relays.is_on(TOOL)
        return self._standing.is_plain(read.point) and not is_taken

    def _is_crowded(self, read: Read) -> bool:
        return any(
            other is not read and abs(other.at_ns - read.at_ns) < SPACE_NS
            for other in self._facts.reads[-12:]
        )


def check_order(
    facts: Facts, console: Console, state: dict[str, Any], at_rest: Mapping[str, set[str]]
) -> None:
    """Some time after the last trouble: nothing is missing, nothing is left. `at_rest`: the states
    that each point may be in then. Raises: Violation.
    """
    rows = facts.rows()
    stored = console.journals.get(facts.journal, [])
    if [row.line for row in rows] != stored:
        raise Violation("I8", f"the console has {len(stored)} of {len(rows)} events at the end")
    if rows and state["journal"]["acknowledged"] != len(rows):
        raise Violation("I8", f"not all acknowledged at the end: {state['journal']} of {len(rows)}")
    applied = (state["applied"]["epoch"], state["applied"]["serial"])
    if applied != (console.epoch if console.serial else 0, console.serial):
        raise Violation("I21", f"at the end {applied} is in force, not what was published last")
    if state["link"] != "up" or not state["clock"]["trusted"]:
        raise Violation("I21", f"at the end: link {state['link']}, clock {state['clock']}")
    for point, shown in cast("dict[str, dict[str, Any]]", state["points"]).items():
        if shown["relay"] != "off" and shown["state"] != "unlocked":
            raise Violation("I4", f"at the end the relay of {point} is {shown['relay']}")
        if shown["state"] not in at_rest[point]:
            raise Violation("I21", f"at the end {point} is {shown['state']}")
    # What was set aside waits for a person, and keeps nobody out.
    wrong = [one for one in state["faults"] if not str(one).startswith("store_set_aside:")]
    if wrong:
        raise Violation("I21", f"at the end something is wrong still: {wrong}")


def check_withdrawals(facts: Facts, moved: Callable[[str], bool]) -> None:
    """A grant that moved no relay is taken back, if the daemon lived long enough to say so."""
    for row in facts.rows():
        life = facts.lives[row.life - 1]
        lived_ns = (life.ended_ns or row.at_ns + 60 * NS) - row.committed_ns
        cause = row.cause or ""
        is_opening = row.event.get("detail", "open") == "open"
        if row.kind not in {"access_granted", "command_executed"} or not is_opening:
            continue
        if moved(cause):
            continue
        stood_still = facts.troubled(row.committed_ns, row.committed_ns + 10 * NS, "stall")
        if cause not in facts.refusals and lived_ns > 10 * NS and not stood_still:
            raise Violation("I3", f"event {row.seq} is a grant, no relay moved, and it stands")
