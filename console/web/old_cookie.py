"""Reads the session cookie of the old web app: who is logged in there.

It is signed with that app's secret key as Flask 1.1 does it, so whoever lacks the key can't make
one. It can't be taken back one by one: a copy that a script has kept holds here until it expires,
also after a log-out. A password change here refuses all of an account's.
Source: the contract of the old web app, §2.
"""

import hashlib
import json
from typing import cast

from itsdangerous import BadData, URLSafeTimedSerializer
from msgspec import Struct

COOKIE = "session"
LIFETIME_SECONDS = 31 * 24 * 3600
"""Counted from the last answer of the old web app, which signs it anew each time."""
SKEW_SECONDS = 60
"""The other machine's clock may be ahead by so much."""
CHARACTERS_MAX = 4_096
_SALT = "cookie-session"


class OldSession(Struct, frozen=True):
    """A genuine cookie. `account_id` None: nobody is logged in there."""

    account_id: int | None


def read_old_cookie(value: str, *, secret_key: str, now_s: float) -> OldSession | None:
    """What the cookie says; None when it is forged, garbled or expired. `now_s`: Unix time, s."""
    if len(value) > CHARACTERS_MAX:
        return None
    serializer = URLSafeTimedSerializer(
        secret_key,
        salt=_SALT,
        serializer=json,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
    try:
        loaded, signed_at = serializer.loads(value, return_timestamp=True)
    except (BadData, ValueError, OverflowError, RecursionError):
        return None
    age = now_s - signed_at.timestamp()
    if not -SKEW_SECONDS <= age <= LIFETIME_SECONDS or not isinstance(loaded, dict):
        return None
    return OldSession(_account_id(cast("dict[str, object]", loaded).get("_user_id")))


def _account_id(value: object) -> int | None:
    """The old web app writes the number as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return None
