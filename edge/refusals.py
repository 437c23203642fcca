"""Messages that were not believed: told in the log, the report and the journal, but not for ever.

Whoever can publish can make a controller refuse, so of each kind and error one is told in a minute,
with the number of those in between.
"""

from dataclasses import dataclass

import structlog

from edge.clock import Timekeeper
from edge.recorder import Recorder
from sync.envelope import Kind
from sync.errors import WireError
from sync.events import EventKind, Occurrence

log = structlog.get_logger()

QUIET_MS = 60_000


@dataclass(slots=True)
class Count:
    """`told_ms`: when one of this sort was told last, by the monotonic clock."""

    told_ms: int
    untold: int = 0


class Refusals:
    """What was refused, and what of it is told. As many entries as there are kinds and errors."""

    def __init__(self, recorder: Recorder, timekeeper: Timekeeper) -> None:
        self._recorder = recorder
        self._timekeeper = timekeeper
        self._counts: dict[tuple[Kind, str], Count] = {}
        self._last: dict[str, object] | None = None

    @property
    def last(self) -> dict[str, object] | None:
        """The last refusal of this boot, for the report; None: there was none."""
        return self._last

    async def note(self, kind: Kind, error: WireError) -> None:
        """Takes note of a message that was refused."""
        moment = self._timekeeper.moment()
        self._last = {
            "kind": kind,
            "name": error.name,
            "text": str(error)[:200],
            "time_ms": moment.now_ms,
        }
        now_ms = self._timekeeper.mono_ms()
        count = self._counts.get((kind, error.name))
        if count is not None and now_ms - count.told_ms < QUIET_MS:
            count.untold += 1
            return
        untold = 0 if count is None else count.untold
        self._counts[kind, error.name] = Count(now_ms)
        log.warning(
            "message.refused", kind=kind, reason=error.name, error=str(error), untold=untold
        )
        more = f", {untold} more since the last" if untold else ""
        await self._recorder.record(
            Occurrence(
                EventKind.MESSAGE_REFUSED, detail=f"{kind} {error.name}: {error}{more}"[:200]
            )
        )
