"""The words between the daemon and the relay guard, and their bytes.

One message is one packet of a SOCK_SEQPACKET socketpair; numbers are big-endian:

    lease    01 | grant id, 16 bytes | until_ns, 8 bytes | point, 1 to 32 bytes
    release  02 | grant id, 16 bytes | point
    change   03 | relay, 1 byte: 00 off, 01 on | mono_ns, 8 bytes | point

The daemon says lease and release, the guard says change: about each relay at the start, about one
that has moved, and in answer to a release for which nothing moves. Fixed fields rather than JSON,
because then nearly every wrong message is impossible to write down, and the guard imports less.

A lease names the instant it ends (CLOCK_MONOTONIC, which all processes of a machine share) and not
how long it lasts: a lease that lay unread, because the guard or the machine stood still, must not
last longer for it. Whether a lease is too long is the guard's to judge.
"""

import re
import struct
from dataclasses import dataclass
from typing import NewType, assert_never

from edge.errors import EdgeError
from sync.errors import Malformed
from sync.ids import CommandId, PointKey, TapId, point_key

LEASE_MS_MAX = 500
"""The longest that a relay stays on after the daemon has fallen silent."""

POINT_BYTES_MAX = 32
MESSAGE_BYTES_MAX = 1 + 16 + 8 + POINT_BYTES_MAX

GrantId = NewType("GrantId", str)
"""32 hex digits: the tap or the command that a relay is on for."""

NO_GRANT = GrantId("00" * 16)
"""No relay is ever on for it: its release only asks the guard for an answer."""

LEASE = struct.Struct("!B16sQ")
RELEASE = struct.Struct("!B16s")
CHANGE = struct.Struct("!BBQ")

LEASE_KIND, RELEASE_KIND, CHANGE_KIND = 1, 2, 3


class BadMessage(EdgeError):
    """The other end doesn't speak this language: a fault in the software."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Keep the point's relay on until then, for this grant; it replaces an earlier lease."""

    point: PointKey
    grant_id: GrantId
    until_ns: int


@dataclass(frozen=True, slots=True)
class Release:
    """Turn the point's relay off now, if it is on for this grant."""

    point: PointKey
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class RelayChange:
    """The point's relay is on, or off: since then, at the start, or still then as an answer."""

    point: PointKey
    is_on: bool
    mono_ns: int


def grant_of(cause: TapId | CommandId) -> GrantId:
    """The grant that a tap or a command became. Raises: BadMessage if it is no 128-bit id."""
    digits = cause.replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{32}", digits):
        raise BadMessage("a grant is named by 32 lower-case hex digits")
    return GrantId(digits)


def encode(message: Lease | Release | RelayChange) -> bytes:
    """The packet for a message."""
    point = message.point.encode("ascii")
    match message:
        case Lease():
            return LEASE.pack(LEASE_KIND, bytes.fromhex(message.grant_id), message.until_ns) + point
        case Release():
            return RELEASE.pack(RELEASE_KIND, bytes.fromhex(message.grant_id)) + point
        case RelayChange():
            return CHANGE.pack(CHANGE_KIND, message.is_on, message.mono_ns) + point
        case _:
            assert_never(message)


def decode_order(packet: bytes) -> Lease | Release:
    """What the daemon said. Raises: BadMessage."""
    if packet[:1] == bytes([LEASE_KIND]):
        point = _point_after(LEASE, packet)
        _, grant, until_ns = LEASE.unpack_from(packet)
        return Lease(point, GrantId(grant.hex()), until_ns)
    if packet[:1] == bytes([RELEASE_KIND]):
        point = _point_after(RELEASE, packet)
        _, grant = RELEASE.unpack_from(packet)
        return Release(point, GrantId(grant.hex()))
    raise BadMessage("neither a lease nor a release")


def decode_change(packet: bytes) -> RelayChange:
    """What the guard said. Raises: BadMessage."""
    point = _point_after(CHANGE, packet)
    kind, relay, mono_ns = CHANGE.unpack_from(packet)
    if kind != CHANGE_KIND or relay > 1:
        raise BadMessage("not a change of a relay")
    return RelayChange(point, bool(relay), mono_ns)


def _point_after(head: struct.Struct, packet: bytes) -> PointKey:
    """The point that ends a message; `head` is all before it.

    A packet shorter than `head` leaves no point, so it is refused here too. Raises: BadMessage.
    """
    try:
        return point_key(packet[head.size :].decode("ascii"))
    except (UnicodeDecodeError, Malformed) as error:
        raise BadMessage("a message names no point") from error
