"""The console as far as a controller can see it: it signs, answers, and stores events once.

What it means by its snapshots is kept as rulebooks for the oracle. Events are read here with json
and hashlib alone, independently of sync/events.py.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import UUID

from sync.commands import Command, Operation, encode_command
from sync.envelope import CONSOLE, Kind, open_, seal
from sync.ids import BootId, CommandId, ControllerId, Epoch, JournalId, Nonce, PointKey, Serial
from sync.messages import Ack, Beacon, encode_ack, encode_beacon
from sync.rights import Assurance, Point, PointKind, Right, Window
from sync.signing import public_key
from sync.snapshot import Snapshot, encode_snapshot
from sync.topics import Leaf
from tests.prove.world.cast import BIRTH_MS, CARDS, CONTROLLER, OTHER, SIGNER, entry_of, member_of
from tests.prove.world.network import Broker
from tests.prove.world.oracle import CardRule, PointRule, Rulebook
from tests.prove.world.timeline import MS, NS, Timeline

KINDS = {
    Leaf.HELLO: Kind.HELLO,
    Leaf.REPORT: Kind.REPORT,
    Leaf.EVENTS: Kind.EVENTS,
    Leaf.REQUEST: Kind.REQUEST,
}


REPORTS_MAX = 150
MINUTE_NS = 60 * NS


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command that was signed. `sent_ns`: when, on the timeline."""

    command: Command
    data: bytes
    sent_ns: int


class Console:
    """Knows what it wants in force, and what it has heard."""

    def __init__(
        self, timeline: Timeline, random: Random, broker: Broker, doubt: Callable[[str, str], None]
    ) -> None:
        """`doubt` is called with a checker's name and what is wrong."""
        self._timeline = timeline
        self._random = random
        self._broker = broker
        self._doubt = doubt
        self._signer = SIGNER
        self._counter = 0
        self.offset_ms = 0
        self.is_up = True
        self.takes_events = True
        self.points: dict[str, PointRule] = {}
        self.cards: dict[str, CardRule] = {}
        self.serial = 0
        self.books: dict[tuple[int, int], Rulebook] = {}
        self.beacons: dict[bytes, tuple[str, int, tuple[int, int]]] = {}
        """Every beacon ever signed: the nonce that it answers, the time that it tells, and the
        newest version.
        """

        self.orders: dict[str, Ordered] = {}
        self.journals: dict[str, list[bytes]] = {}
        self.acknowledged: dict[str, int] = {}
        """The highest number that it has ever acknowledged."""

        self.report: dict[str, Any] = {}
        self._reported: list[int] = []
        broker.listener = self.hear

    @property
    def epoch(self) -> int:
        return self._signer.epoch

    def now_ms(self) -> int:
        return BIRTH_MS + self._timeline.now_ns // MS + self.offset_ms

    # What it says.

    def publish_keys(self) -> None:
        self._broker.publish(Leaf.KEYS, self._signer.keyset())

    def publish_rights(self) -> None:
        """The next snapshot, of the present rules."""
        self.serial += 1
        book = Rulebook(self.epoch, self.serial, dict(self.points), dict(self.cards))
        self.books[self.epoch, self.serial] = book
        self._broker.publish(Leaf.SNAPSHOT, self._sealed(book))

    def rotate_keys(self) -> None:
        """New online keys, and the rights anew under them."""
        self._signer = self._signer.rotated()
        self.serial = 0
        self.publish_keys()
        self.publish_rights()

    def order(self, operation: Operation, point: str, *, seconds: int | None = None) -> None:
        """As fresh as it can be."""
        if not self.report:
            return
        self._counter = max(self._counter, int(self.report["command_counter"])) + 1
        command = Command(
            id=CommandId(str(UUID(bytes=self._random.randbytes(16)))),
            boot=BootId(self.report["boot"]),
            challenge=Nonce(self.report["nonce"]),
            counter=self._counter,
            operation=operation,
            point=PointKey(point),
            actor=member_of(CARDS[0]),
            reason="in a proof",
            seconds=seconds,
        )
        data = self._seal(Kind.COMMAND, encode_command(command), self._signer.command_seed)
        self.orders[command.id] = Ordered(command, data, self._timeline.now_ns)
        self._broker.publish(Leaf.COMMAND, data)

    def for_another(self) -> list[tuple[Leaf, bytes]]:
        """Genuine messages, but for another controller."""
        other = replace(self._signer, controller=OTHER)
        nonce = Nonce(self.report.get("nonce", "00" * 16))
        boot = BootId(self.report.get("boot", "00" * 16))
        counter = self._counter + 1000
        return [
            (Leaf.KEYS, other.keyset()),
            (Leaf.SNAPSHOT, other.snapshot(self.serial + 5)),
            (Leaf.BEACON, other.beacon(nonce, time_ms=self.now_ms() + 10**9)),
            (Leaf.COMMAND, other.command(boot, nonce, counter, command_id=self._no_id())),
            # Names the right controller inside, but is sealed for another.
            (Leaf.SNAPSHOT, self._misaddressed()),
        ]

    def by_the_wrong_key(self) -> list[tuple[Leaf, bytes]]:
        """Well-formed, for this controller, and signed by a key that mustn't sign this kind."""
        thief = replace(
            self._signer,
            root_seed=self._signer.snapshot_seed,
            snapshot_seed=self._signer.beacon_seed,
            command_seed=self._signer.beacon_seed,
            beacon_seed=self._signer.command_seed,
        )
        nonce = Nonce(self.report.get("nonce", "00" * 16))
        boot = BootId(self.report.get("boot", "00" * 16))
        everybody = self._everybody()
        return [
            (Leaf.KEYS, thief.keyset()),
            (Leaf.SNAPSHOT, self._sealed(everybody, seed=thief.snapshot_seed)),
            (Leaf.BEACON, thief.beacon(nonce, time_ms=self.now_ms() + 10**9)),
            (
                Leaf.COMMAND,
                thief.command(boot, nonce, self._counter + 1000, command_id=self._no_id()),
            ),
        ]

    def restore(self, lost: int) -> None:
        """From a backup: the newest events are gone, and so it says."""
        for journal, lines in self.journals.items():
            del lines[max(0, len(lines) - lost) :]
            self._acknowledge(journal)

    # What it hears.

    def hear(self, leaf: Leaf, data: bytes) -> None:
        if not self.is_up or leaf is Leaf.PRESENCE:
            return
        key = public_key(SIGNER.controller_seed)
        payload = open_(data, KINDS[leaf], CONSOLE, public_key=key)
        self._timeline.after(self._random.uniform(0.002, 0.05), lambda: self._answer(leaf, payload))

    def _answer(self, leaf: Leaf, payload: bytes) -> None:
        if leaf is Leaf.EVENTS:
            if self.takes_events:
                self._store(payload)
            return
        said = json.loads(payload)
        if leaf is Leaf.REQUEST:
            self._offer_all()
            return
        if leaf is Leaf.REPORT:
            self.report = said
            self._count_report()
        self._answer_nonce(Nonce(said["nonce"]))
        applied = said["applied"]
        if leaf is Leaf.HELLO and (applied["epoch"], applied["serial"]) != (
            self.epoch,
            self.serial,
        ):
            self._offer_all()

    def _count_report(self) -> None:
        """A controller that calls for nothing would do so for ever."""
        now_ns = self._timeline.now_ns
        self._reported = [at for at in self._reported if now_ns - at < MINUTE_NS] + [now_ns]
        if len(self._reported) > REPORTS_MAX:
            self._doubt("CHATTER", f"{len(self._reported)} reports in a minute")

    def _answer_nonce(self, nonce: Nonce) -> None:
        beacon = Beacon(nonce, self.now_ms(), Epoch(self.epoch), Serial(self.serial))
        data = self._seal(Kind.BEACON, encode_beacon(beacon), self._signer.beacon_seed)
        self.beacons[data] = (nonce, beacon.time_ms, (self.epoch, self.serial))
        self._broker.publish(Leaf.BEACON, data)

    def _offer_all(self) -> None:
        self.publish_keys()
        book = self.books.get((self.epoch, self.serial))
        if book is not None:
            self._broker.publish(Leaf.SNAPSHOT, self._sealed(book))

    def _store(self, payload: bytes) -> None:
        """Each event once; its number and its predecessor's hash must fit."""
        header, *lines = payload.split(b"\n")
        journal, seq = json.loads(header)["journal"], json.loads(header)["first_seq"]
        stored = self.journals.setdefault(journal, [])
        for number, line in enumerate(lines, start=seq):
            event = json.loads(line)
            if event["seq"] != number:
                self._doubt("I8", f"event {event['seq']} stands where {number} belongs")
            if number <= len(stored):
                if stored[number - 1] != line:
                    self._doubt("I8", f"event {number} of {journal} came in two versions")
                continue
            if number > len(stored) + 1:
                break
            before = hashlib.sha256(stored[-1]).hexdigest() if stored else genesis_of(journal)
            if event["previous"] != before:
                self._doubt("I8", f"event {number} doesn't follow the one before it")
            stored.append(line)
        self._timeline.after(self._random.uniform(0.002, 0.1), lambda: self._acknowledge(journal))

    def _acknowledge(self, journal: str) -> None:
        seq = len(self.journals[journal])
        self.acknowledged[journal] = max(seq, self.acknowledged.get(journal, 0))
        ack = encode_ack(Ack(JournalId(journal), seq))
        self._broker.publish(Leaf.ACK, self._seal(Kind.ACK, ack, self._signer.beacon_seed))

    # How it signs.

    def _sealed(self, book: Rulebook, *, seed: bytes | None = None) -> bytes:
        payload = encode_snapshot(snapshot_of(book))
        return self._seal(Kind.SNAPSHOT, payload, seed or self._signer.snapshot_seed)

    def _everybody(self) -> Rulebook:
        rule = CardRule(frozenset(self.points))
        return Rulebook(
            self.epoch, self.serial + 7, dict(self.points), dict.fromkeys(self.cards, rule)
        )

    def _misaddressed(self) -> bytes:
        payload = encode_snapshot(snapshot_of(self._everybody()))
        return seal(Kind.SNAPSHOT, OTHER, payload, seed=self._signer.snapshot_seed)

    def _seal(self, kind: Kind, payload: bytes, seed: bytes) -> bytes:
        return seal(kind, CONTROLLER, payload, seed=seed)

    def _no_id(self) -> CommandId:
        return CommandId(str(UUID(bytes=self._random.randbytes(16))))


def snapshot_of(book: Rulebook) -> Snapshot:
    """The same in the words of the wire."""
    points = {
        PointKey(key): Point(
            PointKey(key),
            PointKind(rule.kind),
            rule.unlock_seconds,
            rule.soft_seconds,
            rule.hard_seconds,
            rule.requires_fresh,
            Assurance(rule.min_assurance),
            tuple(Window(start, end) for start, end in rule.open_hours),
        )
        for key, rule in book.points.items()
    }
    entries = {
        entry_of(card): Right(
            member_of(card),
            frozenset(map(PointKey, rule.points)),
            None if rule.hours is None else tuple(Window(s, e) for s, e in rule.hours),
            rule.not_before_ms,
            rule.not_after_ms,
            rule.is_break_glass,
        )
        for card, rule in book.cards.items()
    }
    return Snapshot(
        ControllerId(CONTROLLER),
        Epoch(book.epoch),
        Serial(book.serial),
        BIRTH_MS,
        None,
        points,
        entries,
    )


def genesis_of(journal: str) -> str:
    """Source: sync/README.md, "Events"."""
    return hashlib.sha256(f"p2k16/1 journal {CONTROLLER} {journal}".encode()).hexdigest()
