"""Ed25519 on bytes. Source: RFC 8032 §5.1; its vectors are in the tests.

The one place of `sync` that knows the signature library.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte private seed."""
    return bytes(SigningKey(seed).verify_key)


def sign(seed: bytes, message: bytes) -> bytes:
    """64 bytes."""
    return SigningKey(seed).sign(message).signature


def is_signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` over exactly `message` was made with the key that belongs to `public`."""
    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_KEY_BYTES:
        return False
    try:
        VerifyKey(public).verify(message, signature)
    except BadSignatureError:
        return False
    return True
