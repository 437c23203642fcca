"""What a reader's protocol finds in the bytes: a credential, or something that is none.

Whether a frame is a new tap is decided in edge/repeats.py, whose card it is in sync/.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sync.credential import CredentialType


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete, checked frame. `data` never shows in a repr, and so never in a log."""

    credential_type: CredentialType
    data: bytes = field(repr=False)


class FaultKind(StrEnum):
    """Why bytes are no frame."""

    NOISE = "noise"
    """Bytes outside any frame; one fault for each 16 of a run."""

    LENGTH = "length"
    """Too short, too long, or cut off by the start of the next frame."""

    CHARSET = "charset"
    """Characters that the reader never sends."""

    CHECKSUM = "checksum"
    """The frame contradicts itself."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that are no frame. It holds none of them: they may be most of a card."""

    kind: FaultKind


Reading = Frame | Fault
