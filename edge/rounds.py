"""What changes by the passing of time or by new rights alone: how old the rights are, doors that
stand open, and tools in the hands of somebody who has lost the right to them.

Looks around twice a second. That a door is to stand open is recorded before it does, as with every
other yes. Who may in with a card is not decided here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from edge.clock import Timekeeper
from edge.door import DoorState
from edge.doorway import Doorway
from edge.lease import GrantId
from edge.post import Grant, Post
from edge.recorder import Recorder
from edge.rights_cache import RightsCache
from edge.workbench import Workbench
from sync.events import EventKind, Occurrence
from sync.ids import PointKey
from sync.rights import Assurance, Point, Staleness, Window, decide, staleness, stands_open

log = structlog.get_logger()

LOOK_SECONDS = 0.5
RETRY_SECONDS = 10.0
"""After it couldn't be recorded that a door stands open."""

_STALE = {Staleness.SOFT, Staleness.HARD}


@dataclass(slots=True)
class _Standing:
    """Whether and why one door stands open.

    `until`: as a command said, in seconds of the loop's clock. `muted`: hours that a command ended.
    `is_told`: that it began is recorded, and that it ended is not.
    """

    until: float = float("-inf")
    muted: Window | None = None
    is_told: bool = False
    not_before: float = float("-inf")


class Rounds:
    """The watchman."""

    def __init__(
        self,
        posts: Mapping[PointKey, Post],
        rights: RightsCache,
        recorder: Recorder,
        timekeeper: Timekeeper,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._posts = posts
        self._rights = rights
        self._recorder = recorder
        self._timekeeper = timekeeper
        self._random_bytes = random_bytes
        self._standing = {point: _Standing() for point in posts}
        self._levels: dict[PointKey, Staleness] = {}

    def level(self, point: PointKey) -> Staleness:
        """How old the rights are at this point."""
        known = self._rights.active().points.get(point)
        return Staleness.HARD if known is None else self._level(known)

    def keep_open(self, point: PointKey, seconds: float) -> None:
        """A command: the door stands open for so long. A restart forgets it."""
        standing = self._standing[point]
        standing.until = asyncio.get_running_loop().time() + seconds
        standing.muted = None

    def lock(self, point: PointKey) -> None:
        """A command: it stands open no more, nor again in the hours that run now."""
        standing = self._standing[point]
        standing.until = float("-inf")
        known = self._rights.active().points.get(point)
        standing.muted = None if known is None else stands_open(known, self._timekeeper.moment())

    async def run(self) -> None:
        """Never returns."""
        while True:
            for point, post in self._posts.items():
                await self.look(point, post)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, point: PointKey, post: Post) -> None:
        """Does what the time asks for at one point."""
        known = self._rights.active().points.get(point)
        level = self.level(point)
        post.set_stale(is_stale=level in _STALE)
        if known is not None:
            await self._tell(point, level)
        if isinstance(post, Doorway):
            await self._look_at_door(post, self._standing[point])
        elif isinstance(post, Workbench) and post.grant is not None:
            self._look_at_user(post, post.grant)

    async def _tell(self, point: PointKey, level: Staleness) -> None:
        """Records what makes a difference to somebody: fresh and aging rights work alike."""
        was, self._levels[point] = self._levels.get(point, level), level
        if was is not level and {was, level} & _STALE:
            detail = f"{was} to {level}"
            told = Occurrence(EventKind.STALENESS_CHANGED, point=point, detail=detail)
            await self._recorder.record(told)

    def _look_at_user(self, tool: Workbench, grant: Grant) -> None:
        """Whether whoever has the tool may have it still, by the rights and the time of now."""
        rights = self._rights.active()
        right = None if grant.entry is None else rights.entries.get(grant.entry)
        point = rights.points.get(tool.point)
        decision = decide(point, right, Assurance.UID, self._timekeeper.moment())
        if not decision.is_allowed:
            tool.lose(decision.reason)

    async def _look_at_door(self, door: Doorway, standing: _Standing) -> None:
        is_open = door.state is DoorState.UNLOCKED
        if standing.is_told and not is_open:
            standing.is_told = False
            await self._recorder.record(Occurrence(EventKind.UNLOCK_ENDED, point=door.point))
        if not self._is_wanted(door.point, standing):
            if is_open:
                door.stand_no_more()
            return
        now = asyncio.get_running_loop().time()
        if is_open or now < standing.not_before or door.fault is not None:
            return
        grant = GrantId(self._random_bytes(16).hex())
        version = self._rights.active().version
        began = Occurrence(
            EventKind.UNLOCK_BEGAN,
            point=door.point,
            detail="by a command" if standing.until > now else "by its hours",
            epoch=version.epoch,
            serial=version.serial,
        )
        if await self._recorder.record(began) is not None:
            standing.not_before = now + RETRY_SECONDS
            return
        standing.is_told = True
        if self._is_wanted(door.point, standing):  # still, although recording took its time
            door.stand_open(grant)

    def _is_wanted(self, point: PointKey, standing: _Standing) -> bool:
        known = self._rights.active().points.get(point)
        if known is None:
            return False
        if asyncio.get_running_loop().time() < standing.until:
            # As long as the rights are in force at all: nobody may hold a door open for ever by
            # cutting its controller off.
            return self._level(known) not in _STALE
        window = stands_open(known, self._timekeeper.moment())
        return window is not None and window != standing.muted

    def _level(self, known: Point) -> Staleness:
        return staleness(known, self._timekeeper.moment().age_ms)
