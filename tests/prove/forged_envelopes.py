"""What can be wrong with a message of any kind, before and behind its signature."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from sync.commands import Operation
from sync.envelope import CONSOLE, HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX, Kind, seal
from sync.ids import BootId, CommandId, Entry, Epoch, JournalId, Nonce
from sync.signing import SIGNATURE_BYTES
from sync.strict_json import dump
from sync.topics import Leaf
from tests.support.signer import Signer, now_ms

LEAVES = {
    Kind.KEYSET: Leaf.KEYS,
    Kind.SNAPSHOT: Leaf.SNAPSHOT,
    Kind.COMMAND: Leaf.COMMAND,
    Kind.BEACON: Leaf.BEACON,
    Kind.ACK: Leaf.ACK,
}

SERIAL = 5_000
"""Of the snapshot in force."""

_ANY = "malformed|unknown_kind|wrong_audience|bad_signature"


@dataclass(slots=True)
class Attacked:
    """What an attacker may know of a controller. A class says which keys are in wrong hands, too.

    `signer` has the present keys, `before` those that they took the place of. `executed`: a command
    that was obeyed; `echoed`: a beacon that was believed. `nonce` and `head` are the newest ones,
    `old_nonce` is too old. `counter`: the highest that was used.
    """

    chance: Random
    signer: Signer
    before: Signer
    boot: BootId
    journal: JournalId
    nonce: Nonce
    old_nonce: Nonce
    executed: bytes
    echoed: bytes
    counter: int
    head: int

    def genuine(self, kind: Kind) -> bytes:
        """One that would be obeyed, other than every one before."""
        chance, signer = self.chance, self.signer
        match kind:
            case Kind.KEYSET:
                return replace(signer.rotated(), epoch=Epoch(chance.randint(3, 10**6))).keyset()
            case Kind.SNAPSHOT:
                names = [Entry(chance.randbytes(16)) for _ in range(9)]
                rights = dict.fromkeys(names, signer.right())
                return signer.snapshot(SERIAL + chance.randint(1, 1_000_000), rights)
            case Kind.COMMAND:
                return self.command(chance.choice(list(Operation)))
            case Kind.BEACON:
                time_ms = now_ms() + chance.randint(7_200_000, 10**10)
                return signer.beacon(self.nonce, time_ms=time_ms, serial=chance.randrange(9_999))
            case _:
                return signer.ack(self.journal, chance.randint(1, self.head))

    def command(self, operation: Operation) -> bytes:
        """A genuine one, of the kind that is asked for."""
        seconds = self.chance.randint(1, 3_600) if operation is Operation.UNLOCK_UNTIL else None
        return self.signer.command(
            self.boot,
            self.nonce,
            self.counter + self.chance.randint(1, 1_000_000),
            operation=operation,
            seconds=seconds,
            command_id=CommandId(str(UUID(bytes=self.chance.randbytes(16)))),
        )

    def payload(self, kind: Kind) -> bytes:
        return split(self.genuine(kind))[1]

    def sealed(self, kind: Kind, payload: bytes) -> bytes:
        """Signed with the key that must have signed it."""
        return seal(kind, self.signer.controller, payload, seed=seed_of(self.signer, kind))


@dataclass(frozen=True, slots=True)
class Attack:
    """One class of messages. `told`: what may be said of them, alternatives divided by `|`."""

    name: str
    kind: Kind
    told: str
    make: Callable[[Attacked], bytes]
    is_retained: bool = False
    is_costly: bool = False


def split(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Header with its newline, payload, signature."""
    start = message.index(b"\n") + 1
    return message[:start], message[start:-SIGNATURE_BYTES], message[-SIGNATURE_BYTES:]


def seed_of(signer: Signer, kind: Kind) -> bytes:
    match kind:
        case Kind.KEYSET:
            return signer.root_seed
        case Kind.SNAPSHOT:
            return signer.snapshot_seed
        case Kind.COMMAND:
            return signer.command_seed
        case _:
            return signer.beacon_seed


def envelope_attacks() -> list[Attack]:
    return [attack for kind in LEAVES for attack in _of_any_kind(kind)]


def _of_any_kind(kind: Kind) -> list[Attack]:
    def attack(
        name: str, told: str, make: Callable[[Attacked], bytes], *, is_costly: bool = False
    ) -> Attack:
        return Attack(f"{kind}: {name}", kind, told, make, is_costly=is_costly)

    def signed_by(signer: Callable[[Attacked], bytes]) -> Callable[[Attacked], bytes]:
        return lambda world: seal(
            kind, world.signer.controller, world.payload(kind), seed=signer(world)
        )

    def altered(part: int) -> Callable[[Attacked], bytes]:
        def make(world: Attacked) -> bytes:
            parts = list(split(world.genuine(kind)))
            parts[part] = flipped(parts[part], world.chance)
            return b"".join(parts)

        return make

    def to(audience: str) -> Callable[[Attacked], bytes]:
        return lambda world: seal(
            kind, audience, world.payload(kind), seed=seed_of(world.signer, kind)
        )

    def as_kind(world: Attacked) -> bytes:
        other = world.chance.choice([one for one in LEAVES if one is not kind])
        payload = world.payload(kind)[: PAYLOAD_BYTES_MAX[other]]
        return seal(other, world.signer.controller, payload, seed=seed_of(world.signer, kind))

    def moved(world: Attacked) -> bytes:
        return world.genuine(world.chance.choice([one for one in LEAVES if one is not kind]))

    keys: dict[str, Callable[[Attacked], bytes]] = {
        "root": lambda world: world.signer.root_seed,
        "snapshot": lambda world: world.signer.snapshot_seed,
        "command": lambda world: world.signer.command_seed,
        "beacon": lambda world: world.signer.beacon_seed,
        "controller's own": lambda world: world.signer.controller_seed,
        "a stranger's": lambda world: world.chance.randbytes(32),
    }
    del keys[
        {Kind.KEYSET: "root", Kind.SNAPSHOT: "snapshot", Kind.COMMAND: "command"}.get(
            kind, "beacon"
        )
    ]
    old = (
        [attack("signed with the key before", "bad_signature", signed_by(_old_key(kind)))]
        if kind is not Kind.KEYSET
        else []
    )
    return [
        attack("unsigned", "bad_signature", lambda w: _resigned(w.genuine(kind), bytes(64))),
        attack(
            "signature of noise",
            "bad_signature",
            lambda w: _resigned(w.genuine(kind), w.chance.randbytes(64)),
        ),
        attack(
            "signature of another message",
            "bad_signature",
            lambda w: _resigned(w.genuine(kind), split(w.sealed(kind, w.chance.randbytes(9)))[2]),
        ),
        *(
            attack(f"signed with the key: {name}", "bad_signature", signed_by(key))
            for name, key in keys.items()
        ),
        *old,
        attack("a bit of the header", _ANY, altered(0)),
        attack("a bit of the payload", "bad_signature", altered(1)),
        attack("a bit of the signature", "bad_signature", altered(2)),
        attack("for another controller", "wrong_audience", to("back-pi")),
        attack("for the console", "wrong_audience", to(CONSOLE)),
        attack("of another kind", "unknown_kind", as_kind),
        attack("moved from another topic", "unknown_kind|too_large", moved),
        attack(
            "of a newer protocol",
            "unknown_kind",
            lambda w: w.genuine(kind).replace(b"p2k16/1 ", b"p2k16/2 ", 1),
        ),
        attack("cut off", "malformed|unknown_kind", lambda w: _cut(w.genuine(kind), w.chance)),
        attack(
            "with more behind it",
            "malformed",
            lambda w: w.genuine(kind) + w.chance.randbytes(w.chance.randint(1, 64)),
        ),
        attack("twice in one", "malformed|too_large", lambda w: 2 * w.genuine(kind)),
        attack("too large", "too_large", lambda w: _oversized(w, kind), is_costly=True),
        attack("noise", "malformed", lambda w: w.chance.randbytes(w.chance.randrange(400))),
        attack("nothing", "malformed", lambda _: b""),
        *_behind_the_signature(kind),
    ]


def _behind_the_signature(kind: Kind) -> list[Attack]:
    """Signed by the right key: a stolen one's, or a mistake of the console's."""
    if kind is Kind.SNAPSHOT:  # whose payload is no JSON: tests/prove/forged_contents.py
        return []

    def attack(name: str, change: Callable[[dict[str, object], Random], object]) -> Attack:
        def make(world: Attacked) -> bytes:
            values = json.loads(world.payload(kind))
            change(values, world.chance)
            return world.sealed(kind, dump(values))

        return Attack(f"{kind}: {name}", kind, "malformed", make)

    def raw(name: str, change: Callable[[bytes, Random], bytes]) -> Attack:
        def make(world: Attacked) -> bytes:
            return world.sealed(kind, change(world.payload(kind), world.chance))

        return Attack(f"{kind}: {name}", kind, "malformed", make)

    return [
        attack("an unknown key", lambda v, c: v.update({f"x{c.randrange(10**6)}": 1})),
        attack("a key is missing", lambda v, c: v.pop(c.choice(sorted(v)))),
        attack("an unknown version", lambda v, c: v.update(version=c.randint(2, 99))),
        attack("a number of another type", lambda v, c: v.update({_number(v, c): _odd(c)})),
        attack("a number out of range", lambda v, c: v.update({_number(v, c): _far(c)})),
        attack("a text of another form", lambda v, c: v.update({_text(v, c): _odd_text(c)})),
        raw("a key stands twice", lambda p, _: p[:-1] + b"," + p[1:]),
        raw("no JSON", lambda p, c: p[: c.randrange(len(p))]),
        raw("no object", lambda p, _: b"[" + p + b"]"),
        raw("bytes that are no text", lambda p, _: p[:-2] + b'\xff"}'),
        raw("nested without end", lambda p, _: (b'{"a":' * 900)[: len(p) + 900]),
        raw("an empty payload", lambda _, __: b""),
    ]


def _old_key(kind: Kind) -> Callable[[Attacked], bytes]:
    return lambda world: seed_of(world.before, kind)


def _number(values: Mapping[str, object], chance: Random) -> str:
    return chance.choice(sorted(key for key, value in values.items() if type(value) is int))


def _odd(chance: Random) -> object:
    return chance.choice((True, None, "7", 1.5, [1], {"a": 1}))


def _far(chance: Random) -> int:
    return chance.choice((-1, -(2**40), 2**53, 2**63, 2**64 + 1, 10**30))


def _text(values: Mapping[str, object], chance: Random) -> str:
    return chance.choice(
        sorted(key for key, value in values.items() if isinstance(value, str) and key != "reason")
    )


def _odd_text(chance: Random) -> object:
    return chance.choice(("", "A" * 32, "../x", "ff" * 31 + "\n", 7, None, True, ["a"], "é" * 16))


def flipped(data: bytes, chance: Random) -> bytes:
    """With one bit changed."""
    bit = chance.randrange(8 * len(data))
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def _resigned(message: bytes, signature: bytes) -> bytes:
    return message[:-SIGNATURE_BYTES] + signature


def _cut(message: bytes, chance: Random) -> bytes:
    return message[: chance.randrange(len(message))]


def _oversized(world: Attacked, kind: Kind) -> bytes:
    most = HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX[kind] + SIGNATURE_BYTES
    return world.genuine(kind).ljust(most + world.chance.randint(1, 1000), b"x")
