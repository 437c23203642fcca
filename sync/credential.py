"""From what a reader read to the names that a card has on the wire.

Reader bytes → canonical credential (type, length, bytes) → site digest (the console's name for the
card) → entry (one controller's name for it). Never a display string: unpadded hex digits have made
two cards equal elsewhere. Source: sync/README.md, "Credentials".
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

from sync.errors import Malformed
from sync.ids import AccountRef, Entry, MemberRef, SiteDigest


class CredentialType(StrEnum):
    """How the credential was read. Equal bytes of different types are different cards."""

    EM4100 = "em4100"
    ISO14443A = "iso14443a"
    W26 = "w26"
    LINE = "line"
    OSDP = "osdp"


TYPE_CODES = {
    CredentialType.EM4100: 1,
    CredentialType.ISO14443A: 2,
    CredentialType.W26: 3,
    CredentialType.LINE: 4,
    CredentialType.OSDP: 5,
}
"""First byte of the canonical form. Fixed for ever: another code is another card."""

LENGTHS = {
    CredentialType.EM4100: frozenset({5}),
    CredentialType.ISO14443A: frozenset({4, 7, 10}),  # ISO/IEC 14443-3: single, double, triple UID
    CredentialType.W26: frozenset({3}),  # 24 bits without the two parity bits
    CredentialType.LINE: frozenset(range(1, 33)),
    CredentialType.OSDP: frozenset(range(1, 33)),
}
"""How many bytes a credential of each type has."""

RANDOM_UID = 0x08
"""First byte of a random UID of 4 bytes."""

SITE_SALT_BYTES = 16
CONTROLLER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """What identifies a card. `data` never shows in a repr, and so never in a log."""

    type: CredentialType
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) not in LENGTHS[self.type]:
            lengths = ", ".join(str(length) for length in sorted(LENGTHS[self.type]))
            raise Malformed(f"a credential of type {self.type} has {lengths} bytes")

    @property
    def is_random(self) -> bool:
        """Whether the card makes up another UID each time, as phones and passports do.

        Nobody can be known by it. Source: ISO/IEC 14443-3, §6.5.4, "RID": 4 bytes, the first 08.
        """
        is_single = self.type is CredentialType.ISO14443A and len(self.data) == 4
        return is_single and self.data[0] == RANDOM_UID

    def canonical(self) -> bytes:
        """Type code, length, bytes: no two credentials share a canonical form."""
        return bytes([TYPE_CODES[self.type], len(self.data)]) + self.data


def parse_credential(text: str) -> Credential:
    """Reads `em4100:0102345678`: a type and two hex digits for each byte.

    Raises: Malformed, with what was expected, never with the digits themselves.
    """
    name, colon, digits = text.strip().partition(":")
    if not colon or name not in set(CredentialType):
        types = ", ".join(CredentialType)
        raise Malformed(f"expected TYPE:HEX, such as em4100:0102345678; TYPE is one of {types}")
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2}){1,32}", digits):
        raise Malformed(f"after {name}: expected two hex digits for each byte")
    return Credential(CredentialType(name), bytes.fromhex(digits))


def site_digest(credential: Credential, site_salt: bytes) -> SiteDigest:
    """The console's 16-byte name of a card: scrypt(N=2^11, r=8, p=1); about 6 ms of work.

    The cost is what makes guessing the few bytes of a UID slow for a thief of the site salt.
    """
    return SiteDigest(
        hashlib.scrypt(credential.canonical(), salt=site_salt, n=2**11, r=8, p=1, dklen=16)
    )


def entry(controller_key: bytes, digest: SiteDigest) -> Entry:
    """One controller's 16-byte name of a card."""
    return Entry(_keyed(controller_key, b"cred/v1" + digest)[:16])


def member_ref(controller_key: bytes, account: AccountRef) -> MemberRef:
    """One controller's 8-byte name of an account."""
    return MemberRef(_keyed(controller_key, b"member/v1" + account.to_bytes(8, "big"))[:8])


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
