"""What an award says, and who may give it. Source: the contract of the old API, §7. Pure."""

from collections.abc import Set
from datetime import datetime
from enum import Enum

from msgspec import Struct

TITLE_CHARACTERS_MAX = 2_000
"""The column has no limit; a list of badges that goes to everybody has."""
PAGE_TITLE_CHARACTERS_MAX = 100
"""Of a title that somebody types on a page."""
DESCRIPTION_CHARACTERS_MAX = 1_000
CATEGORY_CHARACTERS_MAX = 50
AWARDED_MAX = 40
"""People who get a badge at once: a form has at most 50 fields."""


class Refused(Enum):
    """Why no badge was awarded."""

    NOT_ONE_LINE = "not one line"
    """A new title that looks like another one, or like none."""
    NO_SUCH_RECIPIENT = "no such recipient"
    NOT_A_CERTIFIER = "not a certifier"


class Kind(Struct, frozen=True):
    """What a badge is for. `certification_circle_id`: who awards it is in there; None: anybody."""

    description_id: int
    certification_circle_id: int | None


class Given(Struct, frozen=True):
    """Who gets a badge from whom. `by` None: from nobody that is known.

    `author`: whom the rows name as theirs. `at` None: now.
    """

    to: int
    by: int | None
    author: int
    at: datetime | None = None


def may_change(kind: Kind, *, is_maker: bool, actor_circles: Set[int], is_admin: bool) -> bool:
    """Whether somebody may change what the badge is: those who certify it, and admins.

    Where anybody certifies it, whoever made it. The old web app has no page for this.
    """
    circle = kind.certification_circle_id
    return is_admin or (is_maker if circle is None else circle in actor_circles)


def may_entrust(
    circle: int | None, *, now: int | None, actor_circles: Set[int], is_admin: bool
) -> bool:
    """Whether somebody may make `circle` the one that certifies (None: anybody), in place of `now`.

    Nobody gives a badge to people who would have to ask her, or out of their hands.
    """
    return is_admin or circle == now or (circle is not None and circle in actor_circles)


def may_take_back(kind: Kind, *, is_giver: bool, actor_circles: Set[int], is_admin: bool) -> bool:
    """Whether somebody may take such a badge back: those who certify it, and admins.

    Where anybody certifies it, whoever gave it: else anybody could take anybody's. `is_giver`: she
    did, and nobody else. The old web app has no page for this.
    """
    circle = kind.certification_circle_id
    return is_admin or (is_giver if circle is None else circle in actor_circles)


def may_award(kind: Kind, awarder_circles: Set[int]) -> bool:
    """Whether somebody who is in `awarder_circles` (ids) may award such a badge."""
    circle = kind.certification_circle_id
    return circle is None or circle in awarder_circles
