"""Whether a message comes from Stripe: it is signed with a secret that only Stripe and we know.

The header `Stripe-Signature` reads `t=SECONDS,v1=HEX`, with further `v1` while the secret is being
changed; HEX is HMAC-SHA256 of `SECONDS.BODY`. Source: docs.stripe.com/webhooks/signature.
"""

import hashlib
import hmac

TOLERANCE_SECONDS = 5 * 60
"""How far from now a message may have been signed: one that was overheard is soon worthless."""
SIGNATURES_MAX = 10


def is_signed(body: bytes, header: str, *, secret: str, now: float) -> bool:
    """Whether `header` is a signature of `body`, made less than five minutes from `now` (Unix)."""
    pairs = [part.partition("=") for part in header.split(",", SIGNATURES_MAX)]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    if len(times) != 1 or not _is_time(times[0]):
        return False
    if abs(now - int(times[0])) > TOLERANCE_SECONDS:
        return False
    signed = times[0].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
    given = [value for name, _, value in pairs if name.strip() == "v1"]
    return any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in given)


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
