"""Session cookies as the old web app makes them: Flask 1.1, with itsdangerous."""

import base64
import hashlib
import json
import time
import zlib

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

SECRET = "the old secret"


def payload(account: int | str | None) -> dict[str, object]:
    """What the old web app's session holds; None: nobody is logged in."""
    if account is None:
        return {"_fresh": False, "_permanent": True}
    return {"_fresh": True, "_id": "ab12" * 32, "_permanent": True, "_user_id": str(account)}


def cookie(account: int | str | None, *, secret: str = SECRET) -> str:
    """A cookie of now."""
    return serializer(secret).dumps(payload(account))


def serializer(secret: str = SECRET) -> URLSafeTimedSerializer:
    """Flask's SecureCookieSessionInterface, with plain JSON for its TaggedJSONSerializer."""
    return URLSafeTimedSerializer(
        secret,
        salt="cookie-session",
        serializer=json,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )


def signed(content: bytes, *, age_s: float = 0.0, is_zipped: bool = False) -> str:
    """Any content, signed so long ago."""
    at = int(time.time() - age_s)

    class Then(TimestampSigner):
        def get_timestamp(self) -> int:
            return at

    body = base64.urlsafe_b64encode(zlib.compress(content) if is_zipped else content).rstrip(b"=")
    signer = Then(SECRET, salt="cookie-session", key_derivation="hmac", digest_method=hashlib.sha1)
    return signer.sign(b"." + body if is_zipped else body).decode()
