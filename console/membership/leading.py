"""Where a form of ours may lead: to Stripe's own pages. Pure.

A browser follows the answer to a form only to where the page's policy (form-action) lets forms
lead. So a page with such a form names Stripe's two hosts, and no others. A page of Stripe's on
another host, which an account there may have, is reached by a link, which the policy doesn't limit.
"""

from urllib.parse import urlsplit

from console.settings import StripeSettings

STRIPE = ("https://checkout.stripe.com", "https://billing.stripe.com")
STRIPE_API = "https://api.stripe.com"


def form_targets(settings: StripeSettings) -> tuple[str, ...]:
    """The origins that forms of payment may lead to; none where nothing is paid here.

    A stand-in for Stripe (`api_base`) has its pages where it has its API.
    """
    if settings.secret_key is None:
        return ()
    api = _origin(settings.api_base) if settings.api_base else STRIPE_API
    return STRIPE if api in {STRIPE_API, None} else (*STRIPE, str(api))


def is_target(url: str, targets: tuple[str, ...]) -> bool:
    """Whether a form may be answered with a redirect there."""
    return _origin(url) in targets


def is_safe_link(url: str) -> bool:
    """Whether a page may link there: encrypted, and one line of plain characters."""
    return url.isascii() and url.isprintable() and " " not in url and _scheme(url) == "https"


def _scheme(url: str) -> str | None:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return None


def _origin(url: str) -> str | None:
    """As a policy writes it; None for what has none, and for one with a name in it."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    if any(character in parts.netloc for character in ";,\\'\""):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
