"""One life of a controller on a recorded disk: what it was told, what it did, what it believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from edge.lease import GrantId
from edge.post import Hold
from edge.rights_cache import Rights
from edge.throttle import DENIALS_MAX
from sync.commands import Operation
from sync.ids import CommandId, Entry, Epoch, JournalId
from sync.messages import Version
from sync.rights import Right
from sync.signing import SIGNATURE_BYTES
from sync.snapshot import decode_snapshot, digest
from sync.topics import Leaf
from tests.prove.power import DiskOperation, Files, put
from tests.prove.recorded_disk import Record, recorded_disk
from tests.prove.stand import Stand, standing
from tests.support.signer import Signer

CARDS = tuple(f"01{number:08X}" for number in range(0xC0FFEE, 0xC0FFEE + 8))
HOLDS = {
    Operation.LOCKDOWN: Hold.LOCKDOWN,
    Operation.OUT_OF_SERVICE: Hold.OUT_OF_SERVICE,
    Operation.STOP_NOW: Hold.OUT_OF_SERVICE,
}
CHECKPOINT_PAGES = (8, 40, 1_000)
"""Of the WAL, after which it is written back: often enough to be cut, or SQLite's own number."""

ORDERS = (*[Operation.OPEN] * 4, *[Operation.LOCK] * 3, *HOLDS)
SIZES = (0, 3, 3, 40, 900)
"""Of a snapshot, in entries beyond the cards': the last fills some twenty pages."""


@dataclass(slots=True)
class MadeConsole:
    """What a console would remember: every snapshot and command that it ever signed.

    `rights`: epoch and serial → what the snapshot says.
    """

    signer: Signer = field(default_factory=Signer)
    serial: int = 0
    counter: int = 0
    rights: dict[tuple[int, int], Rights] = field(default_factory=dict[tuple[int, int], Rights])
    counters: dict[CommandId, int] = field(default_factory=dict[CommandId, int])

    def snapshot(self, chance: Random) -> bytes:
        """The next one: some cards, and entries that nobody has."""
        self.serial += chance.randint(1, 3)
        cards = [card for card in CARDS if chance.randrange(3)]
        rights: dict[Entry, Right] = {
            self.signer.entry(card): self.signer.right() for card in cards
        }
        for _ in range(chance.choice(SIZES)):
            rights[Entry(chance.randbytes(16))] = self.signer.right()
        envelope = self.signer.snapshot(self.serial, rights)
        payload = envelope[envelope.index(b"\n") + 1 : -SIGNATURE_BYTES]
        read = decode_snapshot(payload, self.signer.controller)
        version = Version(read.epoch, read.serial, digest(payload))
        self.rights[read.epoch, read.serial] = Rights(version, read.points, read.entries)
        return envelope

    def command(self, stand: Stand, chance: Random) -> bytes:
        """The next order: to open, to shut, or to go back to normal."""
        self.counter += 1
        name = CommandId(str(UUID(bytes=chance.randbytes(16))))
        self.counters[name] = self.counter
        boot, nonce = stand.house.timekeeper.boot, stand.session.reports[-1].nonce
        return self.signer.command(
            boot, nonce, self.counter, operation=chance.choice(ORDERS), command_id=name
        )

    def rotate(self) -> None:
        """New keys, and serials from the beginning."""
        self.signer, self.serial = self.signer.rotated(), 0


@dataclass(frozen=True, slots=True)
class Belief:
    """What a daemon acts upon, so that no cut may take it back. `floor`: epoch and serial."""

    journal: JournalId
    head: int
    acknowledged: int
    floor: tuple[int, int]
    keys: Epoch


@dataclass(slots=True)
class Life:
    """`beliefs`, `grants`: each with the number of operations before it."""

    before: Files
    done: list[DiskOperation]
    beliefs: list[tuple[int, Belief]] = field(default_factory=list[tuple[int, Belief]])
    grants: list[tuple[int, GrantId]] = field(default_factory=list[tuple[int, GrantId]])


async def live(
    folder: Path, before: Files, console: MadeConsole, chance: Random, plant: Callable[[str], str]
) -> Life:
    """Starts on the files, works, and ends in good order."""
    put(folder, before)
    record = Record(folder, before)
    life = Life(before, record.done)
    pages = chance.choice(CHECKPOINT_PAGES)

    def statement(sql: str) -> str:
        sql = plant(sql)
        if sql.startswith("PRAGMA synchronous"):
            sql = f"{sql}; PRAGMA wal_autocheckpoint = {pages}"
        return sql

    def energised(grant: GrantId) -> None:
        life.grants.append((len(record.done), grant))

    disk = recorded_disk(record, plant=statement)
    async with standing(folder, console.signer, disk=disk, energised=energised) as stand:

        def note_belief() -> None:
            belief = believed(stand)
            if not life.beliefs or life.beliefs[-1][1] != belief:
                life.beliefs.append((len(record.done), belief))

        record.doing = note_belief
        await work(stand, console, chance)
        note_belief()
    return life


def believed(stand: Stand) -> Belief:
    """What the daemon believes now."""
    position, rights = stand.inside.journal.position, stand.inside.rights
    version, keyset = rights.active().version, rights.keyset
    return Belief(
        position.journal,
        position.head,
        position.acknowledged,
        (version.epoch, version.serial),
        Epoch(0) if keyset is None else keyset.epoch,
    )


async def work(stand: Stand, console: MadeConsole, chance: Random) -> None:
    """Everything that writes, in any order, also side by side."""
    deliver, journal = stand.session.deliver, stand.inside.journal
    await deliver(Leaf.KEYS, console.signer.keyset(), is_retained=True)
    await deliver(Leaf.BEACON, console.signer.beacon(stand.session.reports[-1].nonce))
    cards = chance.sample(CARDS, DENIALS_MAX - 1)  # more denials need not be recorded
    for _ in range(chance.randint(4, 16)):
        head = journal.position.head
        match chance.randrange(10):
            case 0 | 1 | 2:
                await deliver(Leaf.SNAPSHOT, console.snapshot(chance), is_retained=True)
            case 3 | 4:
                await deliver(Leaf.COMMAND, console.command(stand, chance))
            case 5 if cards:
                stand.line.present(cards.pop())
                await stand.until(lambda head=head: journal.position.head > head)
            case 6 if cards:
                stand.line.present(cards.pop())
                await deliver(Leaf.SNAPSHOT, console.snapshot(chance), is_retained=True)
                await stand.until(lambda head=head: journal.position.head > head + 1)
            case 7:
                seq = chance.randint(journal.position.acknowledged, head)
                await deliver(Leaf.ACK, console.signer.ack(journal.position.journal, seq))
            case 8 if believed(stand).floor > (console.signer.epoch, 1):
                await deliver(Leaf.SNAPSHOT, console.signer.snapshot(1, {}), is_retained=True)
            case _ if not chance.randrange(3):
                console.rotate()
                await deliver(Leaf.KEYS, console.signer.keyset(), is_retained=True)
            case _:
                await deliver(Leaf.BEACON, console.signer.beacon(stand.session.reports[-1].nonce))
