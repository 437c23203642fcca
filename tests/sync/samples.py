"""Keys and values of the worked examples in sync/README.md."""

from sync.commands import Command, Operation
from sync.credential import CredentialType, entry, member_ref, parse_credential, site_digest
from sync.events import EventKind, Occurrence, Stamp, genesis
from sync.ids import (
    AccountRef,
    BootId,
    CommandId,
    ControllerId,
    Epoch,
    JournalId,
    Nonce,
    PointKey,
    Serial,
    TapId,
)
from sync.keyset import Keyset
from sync.rights import Assurance, Point, PointKind, Reason, Right
from sync.signing import public_key
from sync.snapshot import Snapshot

CONTROLLER = ControllerId("front-pi")
FRONT = PointKey("front")
ROOT_SEED, SNAPSHOT_SEED, COMMAND_SEED, BEACON_SEED = (bytes([n]) * 32 for n in (1, 2, 3, 4))
SITE_SALT = bytes(range(16))
CONTROLLER_KEY = b"\x22" * 32
SEALING_KEY = b"\x33" * 32
BOOT = BootId("cd" * 16)
JOURNAL = JournalId("ab" * 16)
NONCE = Nonce("ef" * 16)

CARD = parse_credential("em4100:0102345678")
DIGEST = site_digest(CARD, SITE_SALT)
ENTRY = entry(CONTROLLER_KEY, DIGEST)
MEMBER = member_ref(CONTROLLER_KEY, AccountRef(101))
DOOR = Point(FRONT, PointKind.DOOR, 5, 86_400, 604_800, False, Assurance.UID)

KEYSET = Keyset(
    Epoch(1),
    public_key(SNAPSHOT_SEED),
    public_key(COMMAND_SEED),
    public_key(BEACON_SEED),
    1_790_000_000_000,
    2_105_000_000_000,
)
SNAPSHOT = Snapshot(
    CONTROLLER,
    Epoch(1),
    Serial(7),
    1_790_000_000_000,
    None,
    {FRONT: DOOR},
    {ENTRY: Right(MEMBER, frozenset({FRONT}), not_after_ms=1_792_592_000_000)},
)
GENESIS = genesis(CONTROLLER, JOURNAL)
STAMP = Stamp(1, BOOT, 5_250, 1_790_000_005_250, True, 1_790_000_005_251, GENESIS)
GRANT = Occurrence(
    EventKind.ACCESS_GRANTED,
    point=FRONT,
    tap=TapId("0c" * 16),
    credential=CredentialType.EM4100,
    entry=ENTRY,
    member=MEMBER,
    assurance=0,
    reason=Reason.ALLOWED,
    epoch=Epoch(1),
    serial=Serial(7),
)
COMMAND = Command(
    CommandId("6ba7b810-9dad-41d1-80b4-00c04fd430c8"),
    BOOT,
    NONCE,
    12,
    Operation.OPEN,
    FRONT,
    MEMBER,
    "delivery",
)
