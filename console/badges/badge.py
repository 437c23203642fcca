"""What an award says, and who may give it. Source: the contract of the old API, §7. Pure."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

TITLE_CHARACTERS_MAX = 2_000
"""The column has no limit; a list of badges that goes to everybody has."""


class Refused(Enum):
    """Why no badge was awarded."""

    NO_SUCH_RECIPIENT = "no such recipient"
    NOT_A_CERTIFIER = "not a certifier"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a badge is for. `certification_circle_id`: who awards it is in there; None: anybody."""

    description_id: int
    certification_circle_id: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """Who gets a badge from whom. `by` None: from nobody that is known.

    `author`: whom the rows name as theirs. `at` None: now.
    """

    to: int
    by: int | None
    author: int
    at: datetime | None = None


def may_award(kind: Kind, awarder_circles: Set[int]) -> bool:
    """Whether somebody who is in `awarder_circles` (ids) may award such a badge."""
    circle = kind.certification_circle_id
    return circle is None or circle in awarder_circles
