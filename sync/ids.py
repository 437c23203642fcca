"""The identifiers that cross the wire, each its own type so that none is taken for another."""

import re
from typing import NewType

from sync.errors import Malformed

ControllerId = NewType("ControllerId", str)
"""`[a-z0-9-]{1,32}`: a controller's name, also its MQTT client id and user name."""

PointKey = NewType("PointKey", str)
"""`[a-z0-9-]{1,32}`: a door or a tool."""

AccountRef = NewType("AccountRef", int)
"""`account.id` of the console's database."""

MemberRef = NewType("MemberRef", bytes)
"""8 bytes: an account as one controller knows it; two controllers' refs can't be joined."""

Entry = NewType("Entry", bytes)
"""16 bytes: a card as one controller knows it."""

SiteDigest = NewType("SiteDigest", bytes)
"""16 bytes: a card as the console knows it."""

Epoch = NewType("Epoch", int)
"""Generation of the online keys, from 1; 0 before the first keyset."""

Serial = NewType("Serial", int)
"""Number of a snapshot within its epoch, from 1; 0 before the first snapshot."""

JournalId = NewType("JournalId", str)
"""32 hex digits, random, new with each store."""

BootId = NewType("BootId", str)
"""32 hex digits, random, new with each start of the daemon."""

TapId = NewType("TapId", str)
"""32 hex digits, random, made when the frame was read."""

CommandId = NewType("CommandId", str)
"""A UUID in its usual form: 36 characters."""

Nonce = NewType("Nonce", str)
"""32 hex digits, random: what a controller wants to see again in a beacon or a command."""

NAME = re.compile(r"[a-z0-9-]{1,32}")
HEX_32 = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def controller_id(text: str) -> ControllerId:
    """Checks a controller's name. Raises: Malformed."""
    if not NAME.fullmatch(text):
        raise Malformed(f"a controller's name has 1 to 32 of a-z, 0-9 and -, not {text[:40]!r}")
    return ControllerId(text)


def point_key(text: str) -> PointKey:
    """Checks the key of a door or tool. Raises: Malformed."""
    if not NAME.fullmatch(text):
        raise Malformed(f"a key has 1 to 32 of a-z, 0-9 and -, not {text[:40]!r}")
    return PointKey(text)
