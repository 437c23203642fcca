"""Who there is: cards, members, doors, keys. All made up, all fixed."""

import hashlib
from functools import cache

from sync.bundle import Bundle
from sync.credential import Credential, CredentialType, entry, member_ref, site_digest
from sync.ids import AccountRef, ControllerId, Entry, MemberRef, SiteDigest
from tests.support.signer import Signer

CONTROLLER = ControllerId("front-pi")
OTHER = ControllerId("back-pi")
DOORS = ("front", "back")
"""The front door has every sensor that there is, the back door has none."""

TOOL = "saw"
POINTS = (*DOORS, TOOL)
CARDS = tuple(
    hashlib.sha256(f"card {number}".encode()).hexdigest()[:10].upper() for number in range(10)
)
"""Ten cards by their numbers; the last two are nobody's."""

SIGNER = Signer(controller=CONTROLLER)
"""The made-up seeds: the world's console signs with them."""

BIRTH_MS = 1_790_000_000_000
"""Unix time when the world begins."""


@cache
def the_bundle() -> Bundle:
    return SIGNER.bundle()


@cache
def entry_of(card: str) -> Entry:
    return entry(SIGNER.entry_key, digest_of(card))


@cache
def digest_of(card: str) -> SiteDigest:
    credential = Credential(CredentialType.EM4100, bytes.fromhex(card))
    return site_digest(credential, SIGNER.site_salt)


@cache
def card_of(name: bytes) -> str | None:
    """Whose entry or site digest it is."""
    return next((card for card in CARDS if name in (entry_of(card), digest_of(card))), None)


@cache
def member_of(card: str) -> MemberRef:
    """Two cards each belong to one member."""
    return member_ref(SIGNER.entry_key, AccountRef(100 + CARDS.index(card) // 2))
