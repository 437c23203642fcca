"""Reads what was typed as a card's number, with its type before it or without. Pure."""

from sync.credential import Credential, CredentialType, parse_credential
from sync.errors import WireError

DIGITS_MIN = 6
DIGITS_MAX = 20
_TYPES = (
    CredentialType.EM4100,
    CredentialType.ISO14443A,
    CredentialType.W26,
    CredentialType.LINE,
)
"""Those whose number people read off a card or from a reader. Two at most have the same length."""


def credentials(text: str) -> tuple[Credential, ...]:
    """Each card that it could be; none: it is no number. `0102345678` may be of several types."""
    found = _read(text)
    if found is not None:
        return (found,)
    digits = text.replace(":", "").replace(" ", "")
    if not DIGITS_MIN <= len(digits) <= DIGITS_MAX or not any(map(str.isdigit, digits)):
        return ()
    guesses = (_read(f"{kind.value}:{digits}") for kind in _TYPES)
    return tuple(guess for guess in guesses if guess is not None)


def _read(text: str) -> Credential | None:
    try:
        return parse_credential(text)
    except WireError:
        return None
