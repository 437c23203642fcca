"""Whether what somebody changes is still what she saw. Pure.

A form carries the version of what it shows; who saves compares it, in the transaction and with the
row locked, with the version of what is there.
"""

import hashlib
import json

from console.words import Text

CHANGED_MEANWHILE = Text(
    "Somebody changed this meanwhile. Here is what it says now: look, and save again."
)


def version_of(*values: str | int | bool | None) -> str:
    """Another text for other values: 16 characters."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
