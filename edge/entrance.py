"""READ THIS FIRST: one tap, from the reader's bytes to the relay, all steps in a row.

    bytes → frame → first or repeat → credential → entry → rights in force → decision
          → durable record → lease on the relay → light

The first step, from bytes to frames, is done in edge/listening.py, which calls `read`.

Nothing calls back, and each answer is bound to the one tap that it answers. Everything that is
unknown, late or broken is a no, with its reason. Nothing here knows of a network.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from edge.clock import Timekeeper
from edge.digests import Digests
from edge.doorway import Doorway
from edge.lease import grant_of
from edge.readers.frames import Frame
from edge.recorder import Recorder
from edge.repeats import Repeats
from edge.rights_cache import NO_RIGHTS, RightsCache
from sync.bundle import Bundle
from sync.credential import Credential, entry
from sync.events import EventKind, Occurrence
from sync.ids import Entry, SiteDigest, TapId
from sync.rights import Assurance, Reason, decide
from sync.sealing import seal

log = structlog.get_logger()

TAPS_MAX = 4
"""Taps of one reader that wait for their answer."""

DROPPED_SECONDS = 10.0
"""Between two log lines about taps that came too fast."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One presentation of one card. `read_at`: seconds of the loop's clock."""

    id: TapId
    credential: Credential
    read_at: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What all entrances of a controller share."""

    bundle: Bundle
    digests: Digests
    rights: RightsCache
    recorder: Recorder
    timekeeper: Timekeeper
    random_bytes: Callable[[int], bytes]


class Entrance:
    """The way in through one door."""

    def __init__(self, parts: Parts, doorway: Doorway, *, unlock_seconds_max: int) -> None:
        """`unlock_seconds_max` caps what the snapshot says."""
        self._parts = parts
        self._doorway = doorway
        self._unlock_seconds_max = unlock_seconds_max
        self._repeats = Repeats()
        self._taps = asyncio.Queue[Tap](TAPS_MAX)
        self._dropped = 0
        self._dropped_told_at = float("-inf")

    def read(self, frame: Frame) -> None:
        """Takes a frame. Whatever it is, this raises nothing and returns at once."""
        now = asyncio.get_running_loop().time()
        if self._repeats.is_tap(frame, now):
            self._begin(frame, now)

    async def run(self) -> None:
        """Answers one tap after the other, for ever."""
        while True:
            tap = await self._taps.get()
            try:
                reason = await self._answer(tap)
            except Exception:
                # The outermost loop of a tap: whatever went wrong, nobody gets in, and the next
                # tap is answered.
                log.exception("tap.failed", point=self._doorway.point, tap=tap.id)
                reason = Reason.INTERNAL_ERROR
                with suppress(Exception):
                    await self._deny(tap, reason, None)
            taken_ms = (asyncio.get_running_loop().time() - tap.read_at) * 1000
            log.info(
                "tap.answered",
                point=self._doorway.point,
                tap=tap.id,
                reason=str(reason),
                ms=round(taken_ms, 1),
            )

    async def _answer(self, tap: Tap) -> Reason:
        parts, point = self._parts, self._doorway.point
        fault = self._doorway.tapped()
        if tap.credential.is_random:
            return await self._deny(tap, Reason.RANDOM_UID, None)
        digest = await parts.digests.of(tap.credential)
        name = entry(parts.bundle.entry_key, digest)
        rights = parts.rights.active()
        right = rights.entries.get(name)
        if fault is not None:
            return await self._deny(tap, fault, digest)
        if rights is NO_RIGHTS:
            return await self._deny(tap, Reason.NO_SNAPSHOT, digest)
        decision = decide(rights.points.get(point), right, Assurance.UID, parts.timekeeper.moment())
        answer = Occurrence(
            EventKind.ACCESS_GRANTED if decision.is_allowed else EventKind.ACCESS_DENIED,
            point=point,
            tap=tap.id,
            credential=tap.credential.type,
            entry=name if right else None,
            member=right.member if right else None,
            sealed=None if right else self._sealed(digest),
            assurance=Assurance.UID,
            reason=decision.reason,
            epoch=rights.version.epoch,
            serial=rights.version.serial,
        )
        unrecorded = await parts.recorder.record(answer)
        if not decision.is_allowed:
            self._doorway.denied()
            return decision.reason
        if unrecorded is not None:
            self._doorway.denied()
            return unrecorded
        taken_away = self._taken_away(name)
        if taken_away is not None:
            parts.recorder.withdraw(answer, taken_away)
            self._doorway.denied()
            return taken_away
        return self._release(tap, answer, rights.points[point].unlock_seconds)

    def _taken_away(self, name: Entry) -> Reason | None:
        """Why not, by the rights in force now: others than before if they were written first."""
        parts, point = self._parts, self._doorway.point
        rights = parts.rights.active()
        right = rights.entries.get(name)
        now = decide(rights.points.get(point), right, Assurance.UID, parts.timekeeper.moment())
        return None if now.is_allowed else now.reason

    def _release(self, tap: Tap, granted: Occurrence, seconds: int) -> Reason:
        """Moves the relay for a grant that is durable."""
        recorder = self._parts.recorder
        failure = self._doorway.unlock(
            grant_of(tap.id),
            min(seconds, self._unlock_seconds_max),
            failed=lambda: recorder.withdraw(granted, Reason.RELAY_FAULT),
        )
        if failure is None:
            return Reason.ALLOWED
        recorder.withdraw(granted, failure)
        self._doorway.denied()
        return failure

    async def _deny(self, tap: Tap, reason: Reason, digest: SiteDigest | None) -> Reason:
        """Denies without having asked the rights. `digest` None: it has none, or none is known."""
        self._doorway.denied()
        denied = Occurrence(
            EventKind.ACCESS_DENIED,
            point=self._doorway.point,
            tap=tap.id,
            credential=tap.credential.type,
            sealed=None if digest is None else self._sealed(digest),
            reason=reason,
        )
        await self._parts.recorder.record(denied)
        return reason

    def _sealed(self, digest: SiteDigest) -> bytes:
        """Sealed once: journal, chain and every resend hold the same bytes."""
        recipient = self._parts.bundle.sealing_public_key
        return seal(digest, recipient, ephemeral_seed=self._parts.random_bytes(32))

    def _begin(self, frame: Frame, now: float) -> None:
        credential = Credential(frame.credential_type, frame.data)
        tap = Tap(TapId(self._parts.random_bytes(16).hex()), credential, now)
        try:
            self._taps.put_nowait(tap)
        except asyncio.QueueFull:
            self._dropped += 1
            if now - self._dropped_told_at >= DROPPED_SECONDS:
                log.warning("tap.dropped", point=self._doorway.point, taps=self._dropped)
                self._dropped, self._dropped_told_at = 0, now
