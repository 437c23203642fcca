"""The signed form of every message but presence.

    p2k16/1 KIND AUDIENCE LENGTH\\n  payload (LENGTH bytes)  signature (64 bytes)

The signature covers header and payload exactly as received: nothing is taken apart, and nothing is
written again, before it is verified. Kind, audience and length stand before the payload, so that no
message can be read as another one (the idea of DSSE's pre-authentication encoding).
Source: sync/README.md, "Envelope".
"""

import re
from enum import StrEnum

from sync.errors import BadSignature, Malformed, TooLarge, UnknownKind, WrongAudience
from sync.signing import SIGNATURE_BYTES, is_signed_by, sign

CONSOLE = "console"
"""The audience of everything that goes up."""


class Kind(StrEnum):
    """What a message is; each is signed by one key only."""

    KEYSET = "keyset"
    SNAPSHOT = "snapshot"
    COMMAND = "command"
    BEACON = "beacon"
    ACK = "ack"
    HELLO = "hello"
    EVENTS = "events"
    REPORT = "report"
    REQUEST = "request"


PAYLOAD_BYTES_MAX = {
    Kind.KEYSET: 16 * 1024,
    Kind.SNAPSHOT: 4 * 1024 * 1024,
    Kind.COMMAND: 4 * 1024,
    Kind.BEACON: 1024,
    Kind.ACK: 1024,
    Kind.HELLO: 4 * 1024,
    Kind.EVENTS: 72 * 1024,
    Kind.REPORT: 32 * 1024,
    Kind.REQUEST: 1024,
}

HEADER_BYTES_MAX = 80
MESSAGE_BYTES_MAX = HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX[Kind.SNAPSHOT] + SIGNATURE_BYTES

_HEADER = re.compile(rb"p2k16/1 ([a-z]{1,16}) ([a-z0-9-]{1,32}) (0|[1-9][0-9]{0,7})")


def seal(kind: Kind, audience: str, payload: bytes, *, seed: bytes) -> bytes:
    """Signs `payload` for `audience`. Raises: TooLarge."""
    if len(payload) > PAYLOAD_BYTES_MAX[kind]:
        raise TooLarge(f"a {kind} of {len(payload)} bytes is over {PAYLOAD_BYTES_MAX[kind]}")
    message = f"p2k16/1 {kind} {audience} {len(payload)}\n".encode() + payload
    return message + sign(seed, message)


def open_(data: bytes, kind: Kind, audience: str, *, public_key: bytes) -> bytes:
    """The payload, if `data` is a `kind` for `audience`, signed with the key of `public_key`.

    Raises: TooLarge, Malformed, UnknownKind, WrongAudience, BadSignature.
    """
    if len(data) > HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX[kind] + SIGNATURE_BYTES:
        raise TooLarge(f"a {kind} message of {len(data)} bytes is too large")
    header, newline, _ = data[:HEADER_BYTES_MAX].partition(b"\n")
    match = _HEADER.fullmatch(header)
    if not newline or match is None:
        if header.startswith(b"p2k16/") and not header.startswith(b"p2k16/1 "):
            raise UnknownKind("a message of a newer protocol version; update this software")
        raise Malformed("no envelope of this protocol")
    start = len(header) + 1
    end = start + int(match[3])
    if len(data) != end + SIGNATURE_BYTES:
        raise Malformed("the envelope's length is not the one that its header tells")
    if match[1] != kind.encode():
        raise UnknownKind(f"expected a {kind}, not a {match[1].decode()}")
    if match[2] != audience.encode():
        raise WrongAudience(f"a {kind} for {match[2].decode()}, not for {audience}")
    if not is_signed_by(public_key, data[:end], data[end:]):
        raise BadSignature(f"the {kind} is not signed by the key that must sign it")
    return data[start:end]
