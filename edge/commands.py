"""What the console orders: executed at most once, recorded before the relay moves.

The console has decided already, so no card's right is asked for; but the point must be known here.
Whether a command may be obeyed is decided in edge/accept.py.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

import structlog

from edge.accept import Obey, Refuse, judge_command
from edge.challenge import Challenges
from edge.clock import Timekeeper
from edge.doorway import Doorway
from edge.holds import writing
from edge.lease import grant_of
from edge.post import Cause, Grant, Hold, Post
from edge.recorder import Recorder
from edge.rights_cache import RightsCache
from edge.rounds import Rounds
from edge.store import Store
from edge.together import whole
from sync.commands import SHUTTING, Command, Operation
from sync.events import EventKind, Occurrence
from sync.ids import PointKey
from sync.rights import Reason

log = structlog.get_logger()


class Commands:
    """Answers each genuine command once. Built by `open_commands`."""

    def __init__(
        self,
        counter: int,
        posts: Mapping[PointKey, Post],
        unlock_seconds_max: Mapping[PointKey, int],
        rounds: Rounds,
        rights: RightsCache,
        recorder: Recorder,
        timekeeper: Timekeeper,
        challenges: Challenges,
    ) -> None:
        """`counter`: the highest one ever stored."""
        self._counter = counter
        self._posts = posts
        self._unlock_seconds_max = unlock_seconds_max
        self._rounds = rounds
        self._rights = rights
        self._recorder = recorder
        self._timekeeper = timekeeper
        self._challenges = challenges

    @property
    def counter(self) -> int:
        """The highest counter that was ever used."""
        return self._counter

    async def answer(self, command: Command) -> None:
        """Obeys or refuses, and records which. Raises: Stale for one that was answered before."""
        judged = judge_command(
            command,
            boot=self._timekeeper.boot,
            counter=self._counter,
            is_challenge_fresh=self._challenges.is_fresh(
                command.challenge, self._timekeeper.mono_ms()
            ),
            points=self._rights.active().points.keys() & self._posts.keys(),
        )
        # Used up at once: while the store stands still, the same command may come again.
        self._counter = command.counter
        match judged:
            case Obey():
                # Also when the connection breaks meanwhile: what is recorded as done must be done.
                await whole(self._obey(command))
            case Refuse(detail):
                await self._refuse(command, detail)
            case _:
                assert_never(judged)

    async def _obey(self, command: Command) -> None:
        """Records that it is done, then does it: a power cut in between does too little."""
        post = self._posts[command.point]
        why_not = self._why_not(command, post)
        if why_not is not None:
            await self._refuse(command, f"{why_not}: not now", why_not)
            return
        version = self._rights.active().version
        executed = replace(
            _occurrence(command),
            kind=EventKind.COMMAND_EXECUTED,
            epoch=version.epoch,
            serial=version.serial,
            detail=command.operation,
        )
        alongside = _storing(command.counter, command)
        failure = await self._recorder.record(executed, alongside=alongside)
        if failure is None or command.operation in SHUTTING:
            failure = self._do(command, post, executed)
        log.info(
            "command.answered",
            command=command.id,
            operation=command.operation,
            point=command.point,
            reason=str(failure or Reason.ALLOWED),
        )

    def _why_not(self, command: Command, post: Post) -> Reason | None:
        """Whether it can't be done, as things are. What locks can always be done."""
        match command.operation:
            case Operation.OPEN | Operation.UNLOCK_UNTIL:
                # A tool is switched on by whoever stands at it, and never from afar.
                return post.fault if isinstance(post, Doorway) else Reason.NO_RIGHT
            case _:
                return None

    def _do(self, command: Command, post: Post, executed: Occurrence) -> Reason | None:
        """Does what is recorded. A reason: it can't be done after all."""
        match command.operation:
            case Operation.OPEN:
                return self._open(command, post, executed)
            case Operation.UNLOCK_UNTIL:
                self._rounds.keep_open(command.point, command.seconds or 0)
            case Operation.LOCK:
                self._rounds.lock(command.point)
                post.restore()
            case Operation.LOCKDOWN:
                post.hold(Hold.LOCKDOWN, at_once=True)
            case Operation.OUT_OF_SERVICE:
                post.hold(Hold.OUT_OF_SERVICE)
            case Operation.STOP_NOW:
                post.hold(Hold.OUT_OF_SERVICE, at_once=True)
            case _:
                assert_never(command.operation)
        return None

    def _open(self, command: Command, post: Post, executed: Occurrence) -> Reason | None:
        recorder = self._recorder
        seconds = self._rights.active().points[command.point].unlock_seconds
        failure = post.release(
            Grant(
                grant_of(command.id),
                min(seconds, self._unlock_seconds_max[command.point]),
                Cause.COMMAND,
                lambda: recorder.withdraw(executed, Reason.RELAY_FAULT),
            )
        )
        if failure is not None:
            recorder.withdraw(executed, failure)
        return failure

    async def _refuse(self, command: Command, detail: str, reason: Reason | None = None) -> None:
        refused = replace(_occurrence(command), detail=detail, reason=reason)
        await self._recorder.record(refused, alongside=_storing(command.counter, None))
        log.warning("command.refused", command=command.id, point=command.point, reason=detail)


async def open_commands(
    store: Store,
    *,
    posts: Mapping[PointKey, Post],
    unlock_seconds_max: Mapping[PointKey, int],
    rounds: Rounds,
    rights: RightsCache,
    recorder: Recorder,
    timekeeper: Timekeeper,
    challenges: Challenges,
) -> Commands:
    """With the counter that the store holds. Raises: StorageFault."""
    counter = await store.read(_read_counter)
    return Commands(
        counter, posts, unlock_seconds_max, rounds, rights, recorder, timekeeper, challenges
    )


def _occurrence(command: Command) -> Occurrence:
    return Occurrence(
        EventKind.COMMAND_REFUSED,
        point=command.point,
        member=command.actor,
        command=command.id,
    )


def _read_counter(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT command_counter FROM state").fetchone()[0]


_HOLDS = {
    Operation.LOCK: None,
    Operation.LOCKDOWN: Hold.LOCKDOWN,
    Operation.OUT_OF_SERVICE: Hold.OUT_OF_SERVICE,
    Operation.STOP_NOW: Hold.OUT_OF_SERVICE,
}
"""What stands after it, over a restart too."""


def _storing(counter: int, obeyed: Command | None) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE state SET command_counter = max(command_counter, ?)", (counter,))
        if obeyed is not None and obeyed.operation in _HOLDS:
            writing(obeyed.point, _HOLDS[obeyed.operation])(connection)

    return work
