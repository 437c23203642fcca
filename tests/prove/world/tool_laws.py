"""Laws about the tool: nobody's session outlasts what ends it.

A second, plainer model of edge/workbench.py: for each session, when at the latest its power has to
be off, from what the world did to its switch, its stop and its cards.
"""

from dataclasses import dataclass

from tests.prove.world.cast import TOOL, member_of
from tests.prove.world.facts import Facts, Row
from tests.prove.world.timeline import MS, NS, Timeline

ENDLESS_NS = 10**18
BOUNCE_NS = 50 * MS
ANSWER_NS = 300 * MS
GONE_NS = 3 * NS


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """As the controller's own settings say."""

    is_card_present: bool = False
    is_long_job: bool = False
    start_seconds: int = 10
    idle_seconds: int = 8
    session_seconds: int = 60


@dataclass(slots=True)
class Session:
    """`ends_ns`: at the latest. `card`: whose tap it began with."""

    grant: str
    card: str | None
    ends_ns: int
    waits_ns: int
    """Until it has to be started, or started again."""

    leaves_ns: int = ENDLESS_NS
    """Until its user, who has gone or given it back, is out of it."""

    is_running: bool = False


class ToolLaws:
    """The one tool of the world."""

    def __init__(self, timeline: Timeline, facts: Facts, rules: ToolSettings) -> None:
        self._timeline = timeline
        self._facts = facts
        self._rules = rules
        self._session: Session | None = None

    def begin(self, point: str, grant: str, row: Row) -> int | None:
        """A lease for a new grant. When its session is over; None: it isn't the tool's."""
        if point != TOOL:
            return None
        now_ns, rules = self._timeline.now_ns, self._rules
        self._session = Session(
            grant,
            row.read.card if row.read else None,
            ends_ns=now_ns + rules.session_seconds * NS,
            waits_ns=now_ns + rules.start_seconds * NS,
        )
        if rules.is_card_present and row.read is not None:
            self._session.leaves_ns = now_ns + GONE_NS + 10 * MS
        if self._facts.lasts_since_ns(TOOL, "current", is_closed=True) is not None:
            self._session.is_running, self._session.waits_ns = True, ENDLESS_NS
        return self._session.ends_ns

    def ends_ns(self, point: str, grant: str) -> int:
        """When the daemon has to let go of the relay, as far as the tool's own rules go."""
        session = self._session
        if point != TOOL or session is None or session.grant != grant:
            return ENDLESS_NS
        if self._facts.troubled(self._timeline.now_ns, self._timeline.now_ns, "stall"):
            return session.ends_ns
        return min(session.ends_ns, session.waits_ns, session.leaves_ns)

    @property
    def is_free(self) -> bool:
        """Whether nobody has it."""
        return self._session is None

    @property
    def is_running(self) -> bool:
        """Whether its motor draws current."""
        return self._session is not None and self._session.is_running

    def released(self, grant: str) -> None:
        """The daemon has ended a session."""
        if self._session is not None and self._session.grant == grant:
            self._session = None

    def begun(self) -> None:
        """A life begins: power that returns finds it locked."""
        self._session = None

    def current_moved(self, is_on: bool) -> None:
        """For as long as sensors bounce."""
        session, now_ns = self._session, self._timeline.now_ns
        if session is None:
            return
        session.is_running = is_on
        if is_on:
            session.waits_ns = ENDLESS_NS
            if self._rules.is_long_job:
                session.leaves_ns = ENDLESS_NS
        elif not self._is_troubled():
            session.waits_ns = now_ns + self._rules.idle_seconds * NS + 10 * MS

    def read(self, card: str, *, is_new: bool, has_right: bool) -> None:
        """A card was read at the tool. `is_new`: it hadn't been there."""
        session, now_ns = self._session, self._timeline.now_ns
        if session is None or session.card is None or member_of(card) != member_of(session.card):
            return
        if self._is_troubled():
            session.leaves_ns = ENDLESS_NS  # nobody can say when
            return
        is_job = self._rules.is_long_job and session.is_running
        if self._rules.is_card_present:
            session.leaves_ns = ENDLESS_NS if is_job else now_ns + GONE_NS + 10 * MS
        elif is_new and has_right and not is_job:
            session.leaves_ns = min(session.leaves_ns, now_ns + ANSWER_NS)

    def _is_troubled(self) -> bool:
        now_ns = self._timeline.now_ns
        return self._facts.troubled(now_ns, now_ns + NS)
