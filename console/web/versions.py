"""Whether what somebody changes is still what she saw. Pure.

A form carries the version of what it shows; who saves compares it, in the transaction and with the
row locked, with the version of what is there.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from console.web.mistakes import Mistakes
from console.words import Text

CHANGED_MEANWHILE = Text(
    "Somebody changed this meanwhile. Here is what it says now: look, and save again."
)

_TEXTS = ("name", "title", "description", "category", "phone", "email", "topic", "contact")
"""Fields in which somebody writes, and which may be shown to her again: no password is."""


def typed_texts(fields: Mapping[str, str]) -> Sequence[str]:
    """What she wrote, so that it isn't lost where the form shows what somebody else did."""
    return [fields[name] for name in _TEXTS if fields.get(name, "").strip()]


def form_version(now: str, mistakes: Mistakes | None, *, typed: Mapping[str, str]) -> str:
    """Which version a form carries: `now`, unless it comes back with what somebody typed.

    Then it is still the one that she saw: mending a mistake must not make a late form a new one.
    """
    shows_now = not mistakes or mistakes.get("form") == CHANGED_MEANWHILE
    return now if shows_now else typed.get("version") or now


def version_of(*values: str | int | bool | None) -> str:
    """Another text for other values: 16 characters."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
