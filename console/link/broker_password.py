"""Hashes of broker passwords, in the form that Mosquitto 2 reads and our own broker shares.

Decides the form and its cost. Passwords are made elsewhere and are always random: 128 bits or more.

The cost is 101 rounds, Mosquitto's own default, and that is right here: a slow hash makes up for a
password that a person chose, while 2^128 guesses stay out of reach at any number of rounds. A round
count for human passwords (200,000 and more) would let anybody who can open a connection burn a
tenth of a second of the console's only thread with each attempt; 101 rounds take about 0.1 ms.
"""

import base64
import binascii
import hashlib
import hmac

ITERATIONS = 101
SALT_BYTES = 12
"""Source: Mosquitto 2.0 `password_mosq.h`, SALT_LEN; 2.0 refuses other lengths."""
MAX_ITERATIONS = 10_000
"""A stored hash that asks for more is refused, so that no check takes longer than about 10 ms."""
MAX_PASSWORD_BYTES = 1024

_SCHEME = "7"  # PBKDF2 with HMAC-SHA512 in Mosquitto's table of schemes


def hash_password(password: str, salt: bytes) -> str:
    """`$7$iterations$salt$hash`, as it stands in a Mosquitto password file after the colon.

    `salt`: 12 random bytes. Raises: ValueError for another length or an endless password.
    """
    secret = password.encode()
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if not 0 < len(secret) <= MAX_PASSWORD_BYTES:
        raise ValueError(f"a broker password has 1 to {MAX_PASSWORD_BYTES} bytes")
    digest = hashlib.pbkdf2_hmac("sha512", secret, salt, ITERATIONS)
    return f"${_SCHEME}${ITERATIONS}${_base64(salt)}${_base64(digest)}"


def verify_password(password: str, stored: str) -> bool:
    """Whether `password` belongs to the stored hash. False for a hash that can't be read.

    Compares in constant time and is done within about 10 ms whatever is stored or sent.
    """
    secret = password.encode()
    parts = stored.split("$")
    if len(secret) > MAX_PASSWORD_BYTES or len(parts) != 5 or parts[:2] != ["", _SCHEME]:
        return False
    try:
        iterations = int(parts[2])
        salt = base64.b64decode(parts[3], validate=True)
        expected = base64.b64decode(parts[4], validate=True)
    except (ValueError, binascii.Error):
        return False
    if not 1 <= iterations <= MAX_ITERATIONS:
        return False
    return hmac.compare_digest(hashlib.pbkdf2_hmac("sha512", secret, salt, iterations), expected)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
