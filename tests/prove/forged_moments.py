"""What is wrong with a message only here and now: replayed, too late, or kept by the broker."""

import json
from collections.abc import Callable
from random import Random

from sync.commands import REASON_CHARACTERS_MAX, UNLOCK_SECONDS_MAX, Operation
from sync.envelope import Kind
from sync.ids import BootId, JournalId, Nonce
from sync.messages import decode_beacon
from sync.strict_json import dump
from tests.prove.forged_envelopes import Attack, Attacked, split
from tests.support.signer import now_ms

ANSWERED_NO = "command.refused"
"""A genuine command that comes too late has its answer, once, and opens nothing."""

IGNORED, SET_BACK = "ack.ignored", "journal.set_back"
NOTHING = "nothing"
"""Not worth a word: the console answers every report, so a nonce may be answered twice."""

VALID_UNTIL_MS = 4_000_000_000_000
"""The keys of tests/support/signer.py."""


def moment_attacks() -> list[Attack]:
    return [*_commands(), *_beacons(), *_acks()]


def _commands() -> list[Attack]:
    return [
        Attack("command: replayed", Kind.COMMAND, "stale", lambda w: w.executed),
        Attack("command: its counter was used", Kind.COMMAND, "stale", _with_used_counter),
        _retained(Kind.COMMAND),
        Attack("command: replayed, retained", Kind.COMMAND, "stale", lambda w: w.executed, True),
        _refused("for another start", lambda w: {"boot": BootId(w.chance.randbytes(16).hex())}),
        _refused("with an old challenge", lambda w: {"challenge": w.old_nonce}),
        _refused("with a strange challenge", lambda w: {"challenge": w.chance.randbytes(16).hex()}),
        _refused("for a strange point", lambda w: {"point": f"gate-{w.chance.randrange(999)}"}),
        _spoiled("of an unknown kind", lambda c: {"operation": f"open{c.randrange(99)}"}),
        _spoiled(
            "that opens for too long",
            lambda c: {
                "operation": "unlock_until",
                "seconds": UNLOCK_SECONDS_MAX + c.randint(1, 10**9),
            },
        ),
        _spoiled(
            "that opens for no time",
            lambda c: {"operation": "unlock_until", "seconds": -c.randrange(99)},
        ),
        _spoiled("that opens without end", lambda _: {"operation": "unlock_until"}),
        _spoiled("with a time of its own", lambda c: {"seconds": c.randint(1, 300)}),
        _spoiled("with the counter 0", lambda _: {"counter": 0}),
        _spoiled("of nobody", lambda c: {"actor": c.randbytes(c.choice((0, 7, 9))).hex()}),
        _spoiled(
            "with a long reason",
            lambda c: {"reason": "x" * (REASON_CHARACTERS_MAX + c.randint(1, 999))},
        ),
    ]


def _beacons() -> list[Attack]:
    def told(
        name: str, words: str, nonce: Callable[[Attacked], Nonce], *, is_beyond: bool = False
    ) -> Attack:
        def make(world: Attacked) -> bytes:
            least = VALID_UNTIL_MS + 1 if is_beyond else now_ms() + 7_200_000
            time_ms = least + world.chance.randrange(10**10)
            return world.signer.beacon(nonce(world), time_ms=time_ms)

        return Attack(f"beacon: {name}", Kind.BEACON, words, make)

    return [
        # Its nonce is forgotten after 20 s.
        Attack("beacon: replayed", Kind.BEACON, f"{NOTHING}|stale", lambda w: w.echoed),
        told("a second time for a nonce", f"{NOTHING}|stale", _echoed_nonce),
        told("with an old nonce", "stale", lambda w: w.old_nonce),
        told("with a strange nonce", "stale", lambda w: Nonce(w.chance.randbytes(16).hex())),
        told("after the end of its key", "stale", lambda w: w.nonce, is_beyond=True),
        _retained(Kind.BEACON),
    ]


def _acks() -> list[Attack]:
    def beyond(world: Attacked) -> bytes:
        return world.signer.ack(world.journal, world.head + world.chance.randint(1_000, 2**50))

    def strange(world: Attacked) -> bytes:
        return world.signer.ack(JournalId(world.chance.randbytes(16).hex()), world.head)

    def old(world: Attacked) -> bytes:
        return world.signer.ack(world.journal, 1)

    return [
        Attack("ack: beyond the head", Kind.ACK, IGNORED, beyond),
        Attack("ack: of another journal", Kind.ACK, IGNORED, strange),
        # Believed, since a console may come from a backup: events are sent again, and none is lost.
        Attack("ack: an old one", Kind.ACK, f"{NOTHING}|{SET_BACK}", old),
        _retained(Kind.ACK),
    ]


def _retained(kind: Kind) -> Attack:
    return Attack(f"{kind}: retained", kind, "stale", lambda w: w.genuine(kind), is_retained=True)


def _with_used_counter(world: Attacked) -> bytes:
    counter = world.chance.randint(1, world.counter)
    return world.signer.command(world.boot, world.nonce, counter)


def _refused(name: str, change: Callable[[Attacked], dict[str, object]]) -> Attack:
    def make(world: Attacked) -> bytes:
        world.counter += 1
        values = json.loads(world.payload(Kind.COMMAND))
        values.update(counter=world.counter, **change(world))
        return world.sealed(Kind.COMMAND, dump(values))

    return Attack(f"command: {name}", Kind.COMMAND, ANSWERED_NO, make)


def _spoiled(name: str, change: Callable[[Random], dict[str, object]]) -> Attack:
    def make(world: Attacked) -> bytes:
        values = json.loads(split(world.command(Operation.OPEN))[1])
        values.update(change(world.chance))
        return world.sealed(Kind.COMMAND, dump(values))

    return Attack(f"command: {name}", Kind.COMMAND, "malformed", make)


def _echoed_nonce(world: Attacked) -> Nonce:
    return decode_beacon(split(world.echoed)[1]).nonce
