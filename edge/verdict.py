"""What a card is told at a point, now: one rule for whoever taps, and for the technician who asks.

Nothing moves and nothing is recorded here; that is edge/entrance.py's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from edge.clock import Timekeeper
from edge.digests import Digests
from edge.post import Post
from edge.recorder import Recorder
from edge.rights_cache import NO_RIGHTS, RightsCache
from edge.throttle import Throttle
from sync.bundle import Bundle
from sync.credential import Credential, entry
from sync.ids import Entry, SiteDigest
from sync.rights import Assurance, Reason, Right, decide


@dataclass(frozen=True, slots=True)
class Parts:
    """What all entrances of a controller share."""

    bundle: Bundle
    digests: Digests
    rights: RightsCache
    recorder: Recorder
    timekeeper: Timekeeper
    random_bytes: Callable[[int], bytes]


class Way(Enum):
    """What the answer comes from, and so what is done about it."""

    SHUT_OUT = auto()
    """Too many cards were denied before: this one is not looked at."""

    REFUSED = auto()
    """Without having asked the rights."""

    HANDED_BACK = auto()
    """It ends the session of whoever has the point."""

    BREAK_GLASS = auto()
    """By the rights, although nothing can be recorded."""

    DECIDED = auto()
    """By the rights, and by who has the point."""


@dataclass(frozen=True, slots=True)
class Found:
    """A card, as this controller knows it. `right` None: it has none here."""

    name: Entry
    digest: SiteDigest
    right: Right | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` None: the card was not looked up."""

    way: Way
    reason: Reason
    found: Found | None = None


class Judge:
    """The rule at one point, and what it remembers of cards before."""

    def __init__(self, parts: Parts, post: Post) -> None:
        self._parts = parts
        self._post = post
        self._granted: tuple[Credential | None, float] = (None, 0.0)
        self.throttle = Throttle()

    async def weigh(self, credential: Credential, refusal: Reason | None) -> Verdict:
        """`refusal`: what the point says of any card (`Post.refusal`)."""
        if self._is_shut_out(credential):
            return Verdict(Way.SHUT_OUT, Reason.THROTTLED)
        if credential.is_random:
            return Verdict(Way.REFUSED, Reason.RANDOM_UID)
        found = await self.find(credential)
        right, post = found.right, self._post
        is_break_glass = right is not None and right.is_break_glass
        if refusal is Reason.STORAGE_FAULT and is_break_glass and post.opens_unrecorded:
            return Verdict(Way.BREAK_GLASS, self.by_rights(right), found)
        if refusal is not None:
            return Verdict(Way.REFUSED, refusal, found)
        if self._parts.rights.active() is NO_RIGHTS:
            return Verdict(Way.REFUSED, Reason.NO_SNAPSHOT, found)
        if right is not None and post.hands_back(right.member):
            return Verdict(Way.HANDED_BACK, Reason.ALLOWED, found)
        reason = self.by_rights(right)
        if right is not None and reason is Reason.ALLOWED:
            reason = post.may_take(right.member) or reason
        return Verdict(Way.DECIDED, reason, found)

    async def find(self, credential: Credential) -> Found:
        """What is known here of a card whose number is no random one."""
        parts = self._parts
        digest = await parts.digests.of(credential)
        name = entry(parts.bundle.entry_key, digest)
        return Found(name, digest, parts.rights.active().entries.get(name))

    def by_rights(self, right: Right | None) -> Reason:
        """What the rights in force say of it now, at this point."""
        point = self._parts.rights.active().points.get(self._post.point)
        return decide(point, right, Assurance.UID, self._parts.timekeeper.moment()).reason

    def granted(self, credential: Credential, seconds: float) -> None:
        """A card was let in for so long: whoever it was is no guesser."""
        self.throttle.granted()
        self._granted = credential, asyncio.get_running_loop().time() + seconds

    def _is_shut_out(self, credential: Credential) -> bool:
        """Whether too many cards were denied before. Whoever was just let in is no guesser."""
        known, until = self._granted
        now = asyncio.get_running_loop().time()
        grant = self._post.grant
        has_it = grant is not None and grant.credential == credential
        is_known = has_it or (credential == known and now < until)
        return self.throttle.is_shut(now) and not is_known
