"""The console's keys and signatures, played with made-up seeds: what a controller believes."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from sync.bundle import Bundle
from sync.commands import Command, Operation, encode_command
from sync.credential import entry, member_ref, parse_credential, site_digest
from sync.envelope import Kind, seal
from sync.ids import (
    AccountRef,
    BootId,
    CommandId,
    ControllerId,
    Entry,
    Epoch,
    JournalId,
    Nonce,
    PointKey,
    Serial,
)
from sync.keyset import Keyset, encode_keyset
from sync.messages import Ack, Beacon, encode_ack, encode_beacon
from sync.rights import Assurance, Point, PointKind, Right
from sync.sealing import sealing_public_key
from sync.signing import public_key
from sync.snapshot import Snapshot, encode_snapshot

FRONT_PI = ControllerId("front-pi")
OWNER = "front-pi of a test"
FIRST_EPOCH = Epoch(1)
FRONT = PointKey("front")
KARI, OLA = AccountRef(101), AccountRef(102)
KARIS_CARD, OLAS_CARD = "0102345678", "0A00B26E7B"
BROKER_PASSWORD = "word"
DAY_MS = 24 * 3600 * 1000


def now_ms() -> int:
    """The machine's time."""
    return time.time_ns() // 1_000_000


def door(key: PointKey = FRONT, *, unlock_seconds: int = 1) -> Point:
    """A door without staleness rules."""
    return Point(key, PointKind.DOOR, unlock_seconds, 86_400, 604_800, False, Assurance.UID)


@dataclass(frozen=True)
class Signer:
    """Signs as the console of one makerspace would for one controller."""

    controller: ControllerId = FRONT_PI
    root_seed: bytes = b"\x01" * 32
    snapshot_seed: bytes = b"\x02" * 32
    command_seed: bytes = b"\x03" * 32
    beacon_seed: bytes = b"\x04" * 32
    controller_seed: bytes = b"\x05" * 32
    sealing_seed: bytes = b"\x33" * 32
    entry_key: bytes = b"\x22" * 32
    site_salt: bytes = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    epoch: Epoch = FIRST_EPOCH

    def bundle(
        self, broker_url: str = "mqtt://127.0.0.1:9", *, password: str = BROKER_PASSWORD
    ) -> Bundle:
        return Bundle(
            controller=self.controller,
            private_key=self.controller_seed,
            entry_key=self.entry_key,
            site_salt=self.site_salt,
            root_public_key=public_key(self.root_seed),
            sealing_public_key=sealing_public_key(self.sealing_seed),
            broker_url=broker_url,
            broker_username=self.controller,
            broker_password=password,
            prefix="p2k16",
        )

    def rotated(self) -> "Signer":
        """The same console after it has replaced its online keys."""
        return replace(
            self,
            epoch=Epoch(self.epoch + 1),
            snapshot_seed=bytes(b ^ 0x80 for b in self.snapshot_seed),
            command_seed=bytes(b ^ 0x80 for b in self.command_seed),
            beacon_seed=bytes(b ^ 0x80 for b in self.beacon_seed),
        )

    def entry(self, card_hex: str) -> Entry:
        digest = site_digest(parse_credential(f"em4100:{card_hex}"), self.site_salt)
        return entry(self.entry_key, digest)

    def right(
        self,
        account: AccountRef = KARI,
        *,
        points: Iterable[PointKey] = (FRONT,),
        not_after_ms: int | None = None,
    ) -> Right:
        return Right(
            member_ref(self.entry_key, account), frozenset(points), not_after_ms=not_after_ms
        )

    def keyset(self, *, not_after_ms: int | None = None) -> bytes:
        keyset = Keyset(
            self.epoch,
            public_key(self.snapshot_seed),
            public_key(self.command_seed),
            public_key(self.beacon_seed),
            1_790_000_000_000,
            not_after_ms or 4_000_000_000_000,
        )
        return self._seal(Kind.KEYSET, encode_keyset(keyset), self.root_seed)

    def snapshot(
        self,
        serial: int = 1,
        rights: Mapping[Entry, Right] | None = None,
        *,
        points: Iterable[Point] | None = None,
        made_at_ms: int = 1_790_000_000_000,
    ) -> bytes:
        """Without `rights`: Kari's card may use the front door, for ever."""
        if rights is None:
            rights = {self.entry(KARIS_CARD): self.right()}
        snapshot = Snapshot(
            self.controller,
            self.epoch,
            Serial(serial),
            made_at_ms,
            None,
            {point.key: point for point in ((door(),) if points is None else points)},
            rights,
        )
        return self._seal(Kind.SNAPSHOT, encode_snapshot(snapshot), self.snapshot_seed)

    def beacon(self, nonce: Nonce, *, time_ms: int | None = None, serial: int = 0) -> bytes:
        beacon = Beacon(nonce, now_ms() if time_ms is None else time_ms, self.epoch, Serial(serial))
        return self._seal(Kind.BEACON, encode_beacon(beacon), self.beacon_seed)

    def ack(self, journal: JournalId, seq: int) -> bytes:
        return self._seal(Kind.ACK, encode_ack(Ack(journal, seq)), self.beacon_seed)

    def command(
        self,
        boot: BootId,
        challenge: Nonce,
        counter: int,
        *,
        operation: Operation = Operation.OPEN,
        point: PointKey = FRONT,
        seconds: int | None = None,
        command_id: CommandId | None = None,
    ) -> bytes:
        command = Command(
            id=command_id or CommandId(str(uuid4())),
            boot=boot,
            challenge=challenge,
            counter=counter,
            operation=operation,
            point=point,
            actor=member_ref(self.entry_key, KARI),
            reason="a test",
            seconds=seconds,
        )
        return self._seal(Kind.COMMAND, encode_command(command), self.command_seed)

    def _seal(self, kind: Kind, payload: bytes, seed: bytes) -> bytes:
        return seal(kind, self.controller, payload, seed=seed)
