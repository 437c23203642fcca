"""What a reader's protocol finds in the bytes: a credential, or something that is none.

Whether a frame is a new tap is decided in edge/repeats.py, whose card it is in sync/.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sync.credential import CredentialType

NOISE_BYTES = 16
"""So many bytes outside any frame are worth one fault: the longest frame of a simple reader."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete, checked frame. `data` never shows in a repr, and so never in a log."""

    credential_type: CredentialType
    data: bytes = field(repr=False)


class FaultKind(StrEnum):
    """Why bytes are no frame."""

    NOISE = "noise"
    """Bytes outside any frame; one fault for each begun NOISE_BYTES of a run."""

    LENGTH = "length"
    """Too short, too long, or cut off by the start of the next frame."""

    CHARSET = "charset"
    """Characters that the reader never sends."""

    CHECKSUM = "checksum"
    """The frame contradicts itself."""

    FORM = "form"
    """A whole line of another form than the settings describe, such as a greeting."""

    UNASKED = "unasked"
    """A sound frame that answers nothing which was asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that are no frame. It holds none of them: they may be most of a card."""

    kind: FaultKind


Reading = Frame | Fault


def noise_faults(noise_bytes: int) -> int:
    """How many faults a run of noise is worth."""
    return -(-noise_bytes // NOISE_BYTES)
