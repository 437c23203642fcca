"""Site digests of unknown cards, readable by the console only.

Source: libsodium, "Sealed boxes": the ephemeral public key, then a crypto_box whose nonce is
BLAKE2b-192(ephemeral public key, recipient's public key). The ephemeral seed is an argument, since
this room draws no randomness; a sealed box opens with any libsodium.
"""

import hashlib

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey, SealedBox

from sync.errors import BadSignature
from sync.ids import SiteDigest

SEALED_BYTES = 32 + 16 + 16
"""Ephemeral public key, authenticator, digest."""


def sealing_public_key(private: bytes) -> bytes:
    """The 32-byte X25519 public key that belongs to a 32-byte private one."""
    return bytes(PrivateKey(private).public_key)


def seal(digest: SiteDigest, recipient: bytes, *, ephemeral_seed: bytes) -> bytes:
    """Seals for the holder of `recipient`'s private key. The seed: 32 fresh random bytes."""
    ephemeral = PrivateKey(ephemeral_seed)
    public = bytes(ephemeral.public_key)
    nonce = hashlib.blake2b(public + recipient, digest_size=Box.NONCE_SIZE).digest()
    return public + Box(ephemeral, PublicKey(recipient)).encrypt(digest, nonce).ciphertext


def unseal(sealed: bytes, private: bytes) -> SiteDigest:
    """Opens what `seal` made. Raises: BadSignature when it was altered or is not for this key."""
    try:
        digest = SealedBox(PrivateKey(private)).decrypt(sealed)
    except (CryptoError, ValueError) as error:
        raise BadSignature("the sealed card digest can't be opened with this key") from error
    if len(digest) != 16:
        raise BadSignature("the sealed card digest has not 16 bytes")
    return SiteDigest(digest)
