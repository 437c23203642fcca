"""READ THIS FIRST: one tap, from the reader's bytes to the relay, all steps in a row.

    bytes → frame → first or repeat → credential → entry → rights in force → decision
          → durable record → lease on the relay → light

The first step, from bytes to frames, is done in edge/listening.py, which calls `read`; what a card
is told, from the credential to the decision, is said in edge/verdict.py.

Nothing calls back, and each answer is bound to the one tap that it answers. Everything that is
unknown, late or broken is a no, with its reason. Nothing here knows of a network.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from edge.lease import grant_of
from edge.post import Cause, Grant, Post
from edge.readers.frames import Frame
from edge.repeats import Repeats
from edge.rights_cache import NO_RIGHTS
from edge.verdict import Found, Judge, Parts, Verdict, Way
from sync.credential import Credential
from sync.events import EventKind, Occurrence
from sync.ids import MemberRef, SiteDigest, TapId
from sync.rights import Assurance, Reason
from sync.sealing import seal

log = structlog.get_logger()

_GUESSES = {Reason.UNKNOWN_CARD, Reason.NO_RIGHT}
"""Denials that somebody who tries one number after the other would get."""

TAPS_MAX = 4
"""Taps of one reader that wait for their answer."""

ANSWER_SECONDS_MAX = 2.0
"""Whoever has waited for longer may be gone, and the door mustn't open for the next one."""

DROPPED_SECONDS = 10.0
"""Between two log lines about taps that came too fast."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One presentation of one card. `read_at`: seconds of the loop's clock."""

    id: TapId
    credential: Credential
    read_at: float


class Entrance:
    """The way in at one point."""

    def __init__(self, parts: Parts, post: Post, *, unlock_seconds_max: int) -> None:
        """`unlock_seconds_max` caps what the snapshot says."""
        self._parts = parts
        self._post = post
        self._judge = Judge(parts, post)
        self._unlock_seconds_max = unlock_seconds_max
        self._repeats = Repeats()
        self._taps = asyncio.Queue[Tap](TAPS_MAX)
        self._dropped = 0
        self._dropped_told_at = float("-inf")
        self._question: asyncio.Future[Credential] | None = None
        self._shut_out_told_at = float("-inf")

    def read(self, frame: Frame) -> None:
        """Takes a frame. Whatever it is, this raises nothing and returns at once."""
        now = asyncio.get_running_loop().time()
        self._post.seen(Credential(frame.credential_type, frame.data))
        if not self._repeats.is_tap(frame, now):
            return
        question, self._question = self._question, None
        if question is not None and not question.done():
            question.set_result(Credential(frame.credential_type, frame.data))
        else:
            self._begin(frame, now)

    async def ask(self) -> dict[str, object]:
        """What would be said to the next card; nothing moves, and nothing is recorded.

        A second question takes the place of the first.
        """
        self._question = asyncio.get_running_loop().create_future()
        credential = await self._question
        verdict = await self._judge.weigh(credential, self._post.refusal)
        right, reason = None, Reason.RANDOM_UID
        if not credential.is_random:  # also of a card that a tap would not look up
            right = (await self._judge.find(credential)).right
            reason = self._judge.by_rights(right)
        rights = self._parts.rights.active()
        if rights is NO_RIGHTS and not credential.is_random:
            reason = Reason.NO_SNAPSHOT
        return {
            "point": self._post.point,
            "card": credential.type,
            "known": right is not None,
            "reason": reason,
            "not_after_ms": right.not_after_ms if right else None,
            "break_glass": right.is_break_glass if right else False,
            "applied": {"epoch": rights.version.epoch, "serial": rights.version.serial},
            "now": verdict.reason,
            "hands_back": verdict.way is Way.HANDED_BACK,
        }

    async def run(self) -> None:
        """Answers one tap after the other, for ever."""
        while True:
            tap = await self._taps.get()
            try:
                reason = await self._answer(tap)
            except Exception:
                # The outermost loop of a tap: whatever went wrong, nobody gets in, and the next
                # tap is answered.
                log.exception("tap.failed", point=self._post.point, tap=tap.id)
                reason = Reason.INTERNAL_ERROR
                with suppress(Exception):
                    await self._deny(tap, reason, None)
            taken_ms = (asyncio.get_running_loop().time() - tap.read_at) * 1000
            log.info(
                "tap.answered",
                point=self._post.point,
                tap=tap.id,
                reason=str(reason),
                ms=round(taken_ms, 1),
            )

    async def _answer(self, tap: Tap) -> Reason:
        verdict = await self._judge.weigh(tap.credential, self._post.tapped())
        if asyncio.get_running_loop().time() - tap.read_at > ANSWER_SECONDS_MAX:
            verdict = Verdict(Way.REFUSED, Reason.TOO_LATE, verdict.found)
        match verdict:
            case Verdict(Way.SHUT_OUT):
                return await self._shut_out(tap)
            case Verdict(Way.BREAK_GLASS, reason, Found() as found):
                return await self._break_glass(tap, found, reason)
            case Verdict(Way.HANDED_BACK):
                self._post.hand_back()
                return Reason.ALLOWED
            case Verdict(Way.DECIDED, reason, Found() as found):
                return await self._carry_out(tap, found, reason)
            case Verdict(_, reason, found):
                return await self._deny(tap, reason, found.digest if found else None)

    async def _carry_out(self, tap: Tap, found: Found, reason: Reason) -> Reason:
        """What was decided: recorded first, and then done."""
        parts, right = self._parts, found.right
        answer = self._occurrence(tap, found, reason)
        unrecorded = await parts.recorder.record(answer)
        if right is None or reason is not Reason.ALLOWED:
            return self._denied(reason)
        if unrecorded is not None:
            return self._denied(unrecorded)
        # By the rights in force now: others than before, if they were written first.
        taken_away = self._judge.by_rights(parts.rights.active().entries.get(found.name))
        if taken_away is not Reason.ALLOWED:
            parts.recorder.withdraw(answer, taken_away)
            return self._denied(taken_away)
        return self._release(tap, answer, right.member)

    async def _break_glass(self, tap: Tap, found: Found, reason: Reason) -> Reason:
        """For emergencies: the disk fails, and somebody has to get in all the same.

        What happened is kept in memory, reported at once, and recorded once that is possible.
        """
        answer = self._occurrence(tap, found, reason)
        if found.right is None or reason is not Reason.ALLOWED:
            denied = self._denied(reason)
            await self._parts.recorder.record(answer)
            return denied
        self._parts.recorder.keep(answer)
        return self._release(tap, answer, found.right.member, cause=Cause.BREAK_GLASS)

    def _occurrence(self, tap: Tap, found: Found, reason: Reason) -> Occurrence:
        """The answer to a tap, as it is recorded. A card that has no entry here is sealed."""
        right = found.right
        version = self._parts.rights.active().version
        is_allowed = reason is Reason.ALLOWED
        return Occurrence(
            EventKind.ACCESS_GRANTED if is_allowed else EventKind.ACCESS_DENIED,
            point=self._post.point,
            tap=tap.id,
            credential=tap.credential.type,
            entry=found.name if right else None,
            member=right.member if right else None,
            sealed=None if right else self._sealed(found.digest),
            assurance=Assurance.UID,
            reason=reason,
            epoch=version.epoch,
            serial=version.serial,
        )

    def _release(
        self, tap: Tap, granted: Occurrence, member: MemberRef, *, cause: Cause = Cause.TAP
    ) -> Reason:
        """Moves the relay for a grant that is durable, or a break-glass card's."""
        recorder = self._parts.recorder
        point = self._parts.rights.active().points[self._post.point]
        seconds = min(point.unlock_seconds, self._unlock_seconds_max)
        grant = Grant(
            grant_of(tap.id),
            seconds,
            cause,
            lambda: recorder.withdraw(granted, Reason.RELAY_FAULT),
            member,
            tap.credential,
            granted.entry,
        )
        failure = self._post.release(grant)
        if failure is not None:
            recorder.withdraw(granted, failure)
            return self._denied(failure)
        self._judge.granted(tap.credential, seconds)
        return Reason.ALLOWED

    def _denied(self, reason: Reason) -> Reason:
        self._post.denied()
        if reason in _GUESSES:
            self._judge.throttle.denied(asyncio.get_running_loop().time())
        return reason

    async def _shut_out(self, tap: Tap) -> Reason:
        """Denied unread. One of each ten seconds is recorded: whoever guesses must not fill the
        journal.
        """
        now = asyncio.get_running_loop().time()
        if now - self._shut_out_told_at < DROPPED_SECONDS:
            return self._denied(Reason.THROTTLED)
        self._shut_out_told_at = now
        return await self._deny(tap, Reason.THROTTLED, None)

    async def _deny(self, tap: Tap, reason: Reason, digest: SiteDigest | None) -> Reason:
        """Denies without having asked the rights. `digest` None: it has none, or none is known."""
        self._post.denied()
        denied = Occurrence(
            EventKind.ACCESS_DENIED,
            point=self._post.point,
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
                log.warning("tap.dropped", point=self._post.point, taps=self._dropped)
                self._dropped, self._dropped_told_at = 0, now
