"""The online keys, signed by the root key.

Three keys, so that one stolen online key can't do everything: the snapshot key grants, the command
key opens, the beacon key tells the time and acknowledges events. A controller knows the root's
public key from its bundle and learns these from `down/keys`. Source: sync/README.md, "Keys".
"""

from dataclasses import dataclass

from sync.errors import RolledBack, Stale
from sync.ids import Epoch
from sync.strict_json import Fields, dump


@dataclass(frozen=True, slots=True)
class Keyset:
    """Public keys of 32 bytes each; valid from `not_before_ms` to `not_after_ms` (Unix time)."""

    epoch: Epoch
    snapshot_key: bytes
    command_key: bytes
    beacon_key: bytes
    not_before_ms: int
    not_after_ms: int


def encode_keyset(keyset: Keyset) -> bytes:
    """The payload of a keyset envelope."""
    return dump(
        {
            "version": 1,
            "epoch": keyset.epoch,
            "snapshot_key": keyset.snapshot_key.hex(),
            "command_key": keyset.command_key.hex(),
            "beacon_key": keyset.beacon_key.hex(),
            "not_before_ms": keyset.not_before_ms,
            "not_after_ms": keyset.not_after_ms,
        }
    )


def decode_keyset(payload: bytes) -> Keyset:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "keyset")
    fields.integer("version", 1, 1)
    keyset = Keyset(
        epoch=Epoch(fields.integer("epoch", 1, 2**31)),
        snapshot_key=fields.data("snapshot_key", 32),
        command_key=fields.data("command_key", 32),
        beacon_key=fields.data("beacon_key", 32),
        not_before_ms=fields.integer("not_before_ms"),
        not_after_ms=fields.integer("not_after_ms"),
    )
    fields.close()
    return keyset


def check_successor(current: Keyset | None, offered: Keyset, *, now_ms: int) -> None:
    """Whether `offered` may take the place of `current` (None: there is none yet).

    `now_ms` is the clock that never goes backwards; a controller without a trusted clock runs late,
    so only the end of validity is compared.

    Raises: Stale when its validity is over, RolledBack when the epoch is older, or the same with
    other keys.
    """
    if now_ms > offered.not_after_ms:
        raise Stale(f"the keyset of epoch {offered.epoch} is no longer valid")
    if current is None:
        return
    if offered.epoch < current.epoch:
        raise RolledBack(f"keyset epoch {offered.epoch} is older than {current.epoch}")
    if offered.epoch == current.epoch and offered != current:
        raise RolledBack(f"another keyset with the same epoch {offered.epoch}")
