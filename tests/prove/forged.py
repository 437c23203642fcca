"""Forged, replayed, rolled-back, expired, foreign and malformed messages: none is believed.

Every class of tests/prove/forged_*.py against a running controller with its real store: nothing
changes, in memory or on disk, nothing opens, and each refusal has its name. In the end a genuine
message of each kind is obeyed: a controller that refuses everything would pass the rest.
"""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, MutableMapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import structlog

from edge.disk import machine
from edge.door import DoorState
from edge.lease import GrantId
from edge.provision import provision
from sync.commands import Operation
from sync.envelope import Kind
from sync.events import EventKind
from sync.ids import JournalId, Nonce
from sync.topics import Leaf
from tests.prove.forged_contents import content_attacks
from tests.prove.forged_envelopes import LEAVES, SERIAL, Attack, Attacked, envelope_attacks
from tests.prove.forged_moments import ANSWERED_NO, IGNORED, NOTHING, SET_BACK, moment_attacks
from tests.prove.stand import Stand, standing
from tests.support.signer import FRONT, KARIS_CARD, Signer

Figures = dict[str, int | float | str]

QUICK_MESSAGES, LONG_MESSAGES = 15, 10_000
COSTLY_SHARE = 10
"""Classes whose messages are megabytes get one in so many."""

LOOK_MESSAGES = 250
"""Between two looks at the store."""

LEAP_NS = 25 * 10**9
"""Longer than a nonce is good for."""

_TOLD = {ANSWERED_NO, IGNORED, SET_BACK}
"""Log lines that say why, where the message is genuine."""

_BELIEVING = {EventKind.ACCESS_GRANTED, EventKind.COMMAND_EXECUTED, EventKind.SNAPSHOT_APPLIED}

Logs = list[MutableMapping[str, Any]]


def prove(*, is_long: bool, seed: int) -> Figures:
    """Raises: AssertionError with the seed, the class, and the message."""
    messages = LONG_MESSAGES if is_long else QUICK_MESSAGES
    names = [attack.name for attack in attacks()]
    processes = (os.cpu_count() or 1) if is_long else 1
    shares = [names[start::processes] for start in range(processes)]
    with ProcessPoolExecutor(processes) as workers:
        jobs = [workers.submit(attack_with, share, messages, seed) for share in shares]
        sent = sum(job.result() for job in jobs)
        early = workers.submit(attack_early, messages, seed).result()
    return {
        "classes": len(names) + len(LEAVES),
        "messages": sent + early,
        "messages_of_a_class": messages,
        "accepted": 0,
        "changes": 0,
    }


def attacks() -> list[Attack]:
    """Every class. Their names differ."""
    found = [*envelope_attacks(), *content_attacks(), *moment_attacks()]
    assert len({attack.name for attack in found}) == len(found)
    return found


def attack_with(names: Sequence[str], messages: int, seed: int) -> int:
    """Sends so many messages of each class; returns how many in all. Raises: AssertionError."""
    return asyncio.run(_attack_with(names, messages, seed))


async def _attack_with(names: Sequence[str], messages: int, seed: int) -> int:
    sent = 0
    chosen = [attack for attack in attacks() if attack.name in set(names)]
    async with _target(seed) as target:
        await target.prepare()
        for attack in chosen:
            for number in range(max(1, messages // (COSTLY_SHARE if attack.is_costly else 1))):
                await target.suffer(attack, number)
                sent += 1
                if sent % LOOK_MESSAGES == 0:
                    await target.look(attack.name)
            await target.look(attack.name)
        await target.obey()
    return sent


def attack_early(messages: int, seed: int) -> int:
    """The same before the controller has any keys. Raises: AssertionError."""
    return asyncio.run(_attack_early(messages, seed))


async def _attack_early(messages: int, seed: int) -> int:
    async with _target(seed) as target:
        for kind, leaf in LEAVES.items():
            for number in range(messages):
                stranger = replace(target.world.signer, root_seed=target.chance.randbytes(32))
                target.world.signer = stranger
                told = "bad_signature" if kind is Kind.KEYSET else NOTHING
                early = Attack(
                    f"{kind}: before any keys", kind, told, lambda w, k=kind: w.genuine(k)
                )
                await target.suffer(early, number)
            await target.look(f"{leaf} before any keys")
    return messages * len(LEAVES)


@asynccontextmanager
async def _target(seed: int) -> AsyncGenerator["Target"]:
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    opened: list[GrantId] = []
    leap = Leap()
    with (
        tempfile.TemporaryDirectory(prefix="forged-", dir=parent) as folder,
        structlog.testing.capture_logs() as logs,
    ):
        edge = Path(folder) / "edge"
        edge.mkdir()
        disk = replace(machine(), provision=provision)
        async with standing(
            edge, Signer(), disk=disk, energised=opened.append, mono_ns=leap.mono_ns
        ) as stand:
            yield Target(stand, leap, opened, logs, seed)


class Leap:
    """A monotonic clock that can be moved ahead."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def mono_ns(self) -> int:
        return time.monotonic_ns() + self.ahead_ns


class Target:
    """A controller that is attacked, and what it should go on believing."""

    def __init__(
        self, stand: Stand, leap: Leap, opened: list[GrantId], logs: Logs, seed: int
    ) -> None:
        self.chance = Random(seed)
        self._stand = stand
        self._leap = leap
        self._opened = opened
        self._logs = logs
        self._seed = seed
        self._kept: Mapping[str, object] = {}
        self.world = Attacked(
            chance=self.chance,
            signer=Signer(),
            before=Signer(),
            boot=stand.house.timekeeper.boot,
            journal=JournalId(stand.inside.journal.position.journal),
            nonce=stand.session.reports[-1].nonce,
            old_nonce=stand.session.reports[-1].nonce,
            executed=b"",
            echoed=b"",
            counter=0,
            head=1,
        )

    async def prepare(self) -> None:
        """Old keys and new ones, rights, an opening, a beacon that was believed."""
        world, deliver = self.world, self._stand.session.deliver
        rights = {world.signer.entry(KARIS_CARD): world.signer.right()}
        await deliver(Leaf.KEYS, world.before.keyset())
        await deliver(Leaf.SNAPSHOT, world.before.snapshot(50, rights))
        await deliver(Leaf.BEACON, world.before.beacon(world.old_nonce))
        world.signer = world.before.rotated()
        await deliver(Leaf.KEYS, world.signer.keyset())
        await deliver(Leaf.SNAPSHOT, world.signer.snapshot(SERIAL, rights))
        self._leap.ahead_ns = LEAP_NS
        await self._renewed(world.old_nonce)
        world.counter = 1_000
        world.executed = world.signer.command(world.boot, world.nonce, world.counter)
        await deliver(Leaf.COMMAND, world.executed)
        assert len(self._opened) == 1
        await deliver(Leaf.ACK, world.signer.ack(world.journal, 2))
        world.echoed = world.signer.beacon(world.nonce)
        await deliver(Leaf.BEACON, world.echoed)
        assert self._stand.house.timekeeper.moment().is_trusted
        posts = self._stand.house.posts
        await self._stand.until(lambda: posts[FRONT].status()["state"] is DoorState.LOCKED)
        self._opened.clear()
        self._kept = await self._read()

    async def suffer(self, attack: Attack, number: int) -> None:
        """Raises: AssertionError if the message has any effect, or another name than it should."""
        world, inside, house = self.world, self._stand.inside, self._stand.house
        world.nonce = self._stand.session.reports[-1].nonce
        world.head = inside.journal.position.head
        message = attack.make(world)
        self._logs.clear()
        active, keyset, last = inside.rights.active(), inside.rights.keyset, inside.refusals.last
        state = house.posts[FRONT].status()["state"]
        moment, mono_ms = house.timekeeper.moment(), house.timekeeper.mono_ms()
        await self._stand.session.deliver(
            LEAVES[attack.kind], message, is_retained=attack.is_retained
        )
        after, passed_ms = house.timekeeper.moment(), house.timekeeper.mono_ms() - mono_ms
        told = self._told(inside.refusals.last if inside.refusals.last is not last else None)
        wrong = {
            "the rights": inside.rights.active() is not active,
            "the keys": inside.rights.keyset is not keyset,
            "the time": abs(after.now_ms - moment.now_ms - passed_ms) > 1_000,
            "trust in the time": after.is_trusted != moment.is_trusted,
            "the age": after.age_ms < moment.age_ms,
            "the relay": bool(self._opened),
            "the door": house.posts[FRONT].status()["state"] != state,
            f"told {told} instead of {attack.told}": told not in attack.told.split("|"),
        }
        if any(wrong.values()):
            raise AssertionError(
                f"seed {self._seed}, {attack.name}, message {number} changed "
                f"{', '.join(name for name, is_so in wrong.items() if is_so)}: {message[:400]!r}"
            )

    def _told(self, refusal: Mapping[str, object] | None) -> str:
        crashed = [entry for entry in self._logs if entry["log_level"] == "error"]
        if crashed:
            return str(crashed[0]["event"])
        words = [entry["event"] for entry in self._logs if entry["event"] in _TOLD]
        if refusal is not None:
            words.append(str(refusal["name"]))
        return "|".join(words) or NOTHING

    async def look(self, after: str) -> None:
        """Raises: AssertionError if anything was stored that should not be."""
        kept = await self._read()
        if not self._kept:
            self._kept = kept
        changed = [name for name in kept if kept[name] != self._kept[name]]
        assert not changed, f"seed {self._seed}, {after}: the store has other {changed}"
        counter = await self._stand.inside.store.read(_read_counter)
        assert counter == self.world.counter, f"seed {self._seed}, {after}: counter {counter}"

    async def obey(self) -> None:
        """A genuine message of each kind still has its effect. Raises: AssertionError."""
        world, inside, session = self.world, self._stand.inside, self._stand.session
        # Very many refused commands in a row have used up the nonce of the last report.
        seen, world.nonce = session.reports[-1].nonce, world.old_nonce
        await session.deliver(Leaf.COMMAND, world.command(Operation.OPEN))
        assert self._opened == []
        await self._renewed(seen)
        world.counter += 1_000_000
        seen = world.nonce
        await session.deliver(Leaf.COMMAND, world.command(Operation.OPEN))
        assert len(self._opened) == 1
        await self._renewed(seen)
        before_ms = self._stand.house.timekeeper.moment().now_ms
        await session.deliver(Leaf.BEACON, world.genuine(Kind.BEACON))
        assert self._stand.house.timekeeper.moment().now_ms > before_ms + 3_600_000
        active = inside.rights.active()
        await session.deliver(Leaf.SNAPSHOT, world.genuine(Kind.SNAPSHOT))
        assert inside.rights.active() is not active
        head = inside.journal.position.head
        await session.deliver(Leaf.ACK, world.signer.ack(world.journal, head))
        assert inside.journal.position.acknowledged == head
        keyset = inside.rights.keyset
        await session.deliver(Leaf.KEYS, world.genuine(Kind.KEYSET))
        assert inside.rights.keyset is not keyset

    async def _renewed(self, nonce: Nonce) -> None:
        session = self._stand.session
        await self._stand.until(lambda: session.reports[-1].nonce != nonce)
        self.world.nonce = session.reports[-1].nonce

    async def _read(self) -> Mapping[str, object]:
        return await self._stand.inside.store.read(_read_kept)


def _read_kept(connection: sqlite3.Connection) -> Mapping[str, object]:
    """All that a message could change, but for the clock and the canary, which go on alone."""
    state = connection.execute("SELECT * FROM state")
    names = [column[0] for column in state.description]
    kept: dict[str, object] = dict(zip(names, state.fetchone(), strict=True))
    for moving in ("clock_ms", "age_ms", "canary", "command_counter", "unrecorded"):
        kept.pop(moving, None)
    kept["slot"] = connection.execute("SELECT * FROM slot").fetchall()
    kept["hold"] = connection.execute("SELECT * FROM hold").fetchall()
    kept["keyset"] = connection.execute("SELECT * FROM keyset").fetchall()
    for kind in _BELIEVING:
        kept[kind] = connection.execute(
            "SELECT count(*) FROM event WHERE instr(line, ?)", (f'"kind":"{kind}"'.encode(),)
        ).fetchone()
    return kept


def _read_counter(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT command_counter FROM state").fetchone()[0]
