"""What the console says: verified, judged, applied, one message after the other.

A message that must not be believed changes nothing and is told (edge/refusals.py). The outcome is a
value; answering is the conversation's business.
"""

from enum import Enum, auto

import structlog

from edge.accept import check_beacon, is_behind
from edge.challenge import VALID_MS, Challenges
from edge.clock import Timekeeper
from edge.commands import Commands
from edge.errors import EdgeError
from edge.inbox import KINDS, Received
from edge.journal import Journal
from edge.recorder import Recorder
from edge.refusals import Refusals
from edge.rights_cache import RightsCache
from sync.commands import decode_command
from sync.envelope import Kind, open_
from sync.errors import BadSignature, Stale, WireError
from sync.events import EventKind, Occurrence
from sync.ids import ControllerId
from sync.keyset import Keyset
from sync.messages import Beacon, decode_ack, decode_beacon
from sync.topics import RETAINED

log = structlog.get_logger()


class Heard(Enum):
    """What follows from a message."""

    NOTHING_NEW = auto()
    IS_BEHIND = auto()
    """The console has keys or rights that aren't here."""

    WAS_COMMANDED = auto()
    """The challenge is spent."""


class Downlink:
    """Believes, or refuses."""

    def __init__(
        self,
        controller: ControllerId,
        *,
        rights: RightsCache,
        journal: Journal,
        recorder: Recorder,
        refusals: Refusals,
        commands: Commands,
        timekeeper: Timekeeper,
        challenges: Challenges,
    ) -> None:
        self._controller = controller
        self._rights = rights
        self._journal = journal
        self._recorder = recorder
        self._refusals = refusals
        self._commands = commands
        self._timekeeper = timekeeper
        self._challenges = challenges
        self._unverified: bytes | None = None
        self._named: tuple[Beacon, int] | None = None  # newer rights, and when they were asked for
        self._oddities: frozenset[str] = frozenset()

    async def take(self, received: Received) -> Heard:
        """Does what a message asks for, if it may. Never raises."""
        kind = KINDS[received.leaf]
        try:
            if received.is_retained and received.leaf not in RETAINED:
                raise Stale(f"a retained {kind}")
            return await self._believe(kind, received.data)
        except WireError as error:
            await self._refusals.note(kind, error)
            if isinstance(error, BadSignature) and kind is not Kind.KEYSET:
                return Heard.IS_BEHIND  # signed by new keys, perhaps, whose keyset was lost
        except EdgeError as error:
            log.error("message.not_applied", kind=kind, error=str(error))
        except Exception:
            # The outermost loop of everything that comes in: one message must not end it.
            log.exception("message.failed", kind=kind)
        return Heard.NOTHING_NEW

    async def _believe(self, kind: Kind, data: bytes) -> Heard:
        """Raises: WireError, EdgeError."""
        if kind is Kind.KEYSET:
            return await self._hear_keyset(data)
        if kind is Kind.SNAPSHOT:
            return await self._hear_snapshot(data)
        keyset = self._rights.keyset
        if keyset is None:
            return Heard.IS_BEHIND
        if kind is Kind.BEACON:
            return await self._hear_beacon(data, keyset)
        if kind is Kind.ACK:
            ack = self._open(data, kind, keyset.beacon_key)
            await self._journal.acknowledge(decode_ack(ack))
            return Heard.NOTHING_NEW
        await self._commands.answer(decode_command(self._open(data, kind, keyset.command_key)))
        return Heard.WAS_COMMANDED

    async def _hear_keyset(self, data: bytes) -> Heard:
        now_ms = self._timekeeper.moment().now_ms
        if not await self._rights.offer_keyset(data, now_ms=now_ms):
            return Heard.NOTHING_NEW
        snapshot, self._unverified = self._unverified, None
        if snapshot is not None:
            return await self._hear_snapshot(snapshot)
        return Heard.IS_BEHIND

    async def _hear_snapshot(self, data: bytes) -> Heard:
        if self._rights.keyset is None:
            self._unverified = data  # the broker hands out retained messages in any order
            return Heard.IS_BEHIND
        try:
            await self._rights.offer_snapshot(data, now_ms=self._timekeeper.moment().now_ms)
        except BadSignature:
            self._unverified = data  # the keyset that verifies it may be on its way
            raise
        if self._named is not None and not is_behind(self._rights.active().version, self._named[0]):
            # What that beacon named is in force now: nobody has to wait for the next one.
            self._timekeeper.refresh(self._named[1])
            self._named = None
        return Heard.NOTHING_NEW

    async def _hear_beacon(self, data: bytes, keyset: Keyset) -> Heard:
        beacon = decode_beacon(self._open(data, Kind.BEACON, keyset.beacon_key))
        check_beacon(beacon, keyset)
        mono_ms = self._timekeeper.mono_ms()
        if mono_ms < VALID_MS and not self._challenges.is_fresh(beacon.nonce, mono_ms):
            return Heard.NOTHING_NEW  # answers what this controller said before its restart
        if self._challenges.spend_on_beacon(beacon.nonce, mono_ms):
            await self._hear_time(beacon.time_ms)
        asked_ms = self._challenges.asked_ms(beacon.nonce)
        if is_behind(self._rights.active().version, beacon):
            # Whoever lets beacons through and holds rights back must not keep those here young.
            self._named = None if asked_ms is None else (beacon, asked_ms)
            return Heard.IS_BEHIND
        if asked_ms is not None:
            self._timekeeper.refresh(asked_ms)
        return Heard.NOTHING_NEW

    async def _hear_time(self, time_ms: int) -> None:
        oddities = self._timekeeper.hear_beacon(time_ms)
        for oddity in oddities:
            if oddity not in self._oddities:  # told once, for as long as it lasts
                log.warning("clock.odd", oddity=oddity)
                await self._recorder.record(Occurrence(EventKind.CLOCK_STEPPED, detail=oddity))
        self._oddities = frozenset(oddities)

    def _open(self, data: bytes, kind: Kind, key: bytes) -> bytes:
        return open_(data, kind, self._controller, public_key=key)
