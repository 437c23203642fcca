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
from edge.lease import grant_of
from edge.recorder import Recorder
from edge.rights_cache import RightsCache
from edge.store import Store
from sync.commands import Command
from sync.events import EventKind, Occurrence
from sync.ids import PointKey
from sync.rights import Reason

log = structlog.get_logger()


class Commands:
    """Answers each genuine command once. Built by `open_commands`."""

    def __init__(
        self,
        counter: int,
        doorways: Mapping[PointKey, Doorway],
        unlock_seconds_max: Mapping[PointKey, int],
        rights: RightsCache,
        recorder: Recorder,
        timekeeper: Timekeeper,
        challenges: Challenges,
    ) -> None:
        """`counter`: the highest one ever stored."""
        self._counter = counter
        self._doorways = doorways
        self._unlock_seconds_max = unlock_seconds_max
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
            points=self._rights.active().points.keys() & self._doorways.keys(),
        )
        # Used up at once: while the store stands still, the same command may come again.
        self._counter = command.counter
        match judged:
            case Obey():
                await self._open(command)
            case Refuse(detail):
                await self._refuse(command, detail)
            case _:
                assert_never(judged)

    async def _open(self, command: Command) -> None:
        doorway = self._doorways[command.point]
        if doorway.fault is not None:
            await self._refuse(command, f"{doorway.fault}: nobody gets in now", doorway.fault)
            return
        rights = self._rights.active()
        executed = replace(
            _occurrence(command),
            kind=EventKind.COMMAND_EXECUTED,
            epoch=rights.version.epoch,
            serial=rights.version.serial,
        )
        failure = await self._recorder.record(executed, alongside=_storing(command.counter))
        if failure is None:
            failure = self._release(command, doorway, executed)
        log.info(
            "command.answered",
            command=command.id,
            point=command.point,
            reason=str(failure or Reason.ALLOWED),
        )

    def _release(self, command: Command, doorway: Doorway, executed: Occurrence) -> Reason | None:
        """Moves the relay for a command that is recorded. A reason: it can't."""
        recorder = self._recorder
        seconds = self._rights.active().points[command.point].unlock_seconds
        failure = doorway.unlock(
            grant_of(command.id),
            min(seconds, self._unlock_seconds_max[command.point]),
            failed=lambda: recorder.withdraw(executed, Reason.RELAY_FAULT),
            by_command=True,
        )
        if failure is not None:
            recorder.withdraw(executed, failure)
        return failure

    async def _refuse(self, command: Command, detail: str, reason: Reason | None = None) -> None:
        refused = replace(_occurrence(command), detail=detail, reason=reason)
        await self._recorder.record(refused, alongside=_storing(command.counter))
        log.warning("command.refused", command=command.id, point=command.point, reason=detail)


async def open_commands(
    store: Store,
    *,
    doorways: Mapping[PointKey, Doorway],
    unlock_seconds_max: Mapping[PointKey, int],
    rights: RightsCache,
    recorder: Recorder,
    timekeeper: Timekeeper,
    challenges: Challenges,
) -> Commands:
    """With the counter that the store holds. Raises: StorageFault."""
    counter = await store.read(_read_counter)
    return Commands(counter, doorways, unlock_seconds_max, rights, recorder, timekeeper, challenges)


def _occurrence(command: Command) -> Occurrence:
    return Occurrence(
        EventKind.COMMAND_REFUSED,
        point=command.point,
        member=command.actor,
        command=command.id,
    )


def _read_counter(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT command_counter FROM state").fetchone()[0]


def _storing(counter: int) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE state SET command_counter = max(command_counter, ?)", (counter,))

    return work
