"""Who may change who is in a circle, what a membership needs, and when a circle may go. Pure.

The rule is the one of the old web app: a circle is managed either by the members of its admin
circle, or by its own members. How a refusal is said is for `wording.py` and for the old API.
"""

from collections.abc import Sequence, Set
from enum import Enum, StrEnum

from msgspec import Struct

NAME_CHARACTERS_MAX = 50
DESCRIPTION_CHARACTERS_MAX = 50
"""As long as the columns are."""
COMMENT_CHARACTERS_MAX = 500


class ManagementStyle(StrEnum):
    """Who manages a circle."""

    ADMIN_CIRCLE = "ADMIN_CIRCLE"
    SELF_ADMIN = "SELF_ADMIN"


class Circle(Struct, frozen=True):
    """A circle. `admin_circle_id` and `admin_circle_name` are None when it manages itself."""

    circle_id: int
    name: str
    description: str | None
    style: ManagementStyle
    admin_circle_id: int | None
    admin_circle_name: str | None
    needs_comment: bool

    @property
    def manages_itself(self) -> bool:
        """Whether its own members manage it; also as the admin circle of itself."""
        return self.style is ManagementStyle.SELF_ADMIN or self.admin_circle_id == self.circle_id


class Reason(Enum):
    """Why somebody can't be added or removed."""

    NOT_A_MANAGER = "not a manager"
    ALREADY_IN = "already in"
    COMMENT_MISSING = "comment missing"
    COMMENT_TOO_LONG = "comment too long"
    COMMENT_UNSEEN = "comment with characters that can't be seen"
    NOT_IN = "not in"
    LAST_MEMBER = "last member"
    """Nobody would be left to manage the circle."""


class Hindrance(Enum):
    """Why a circle can't be removed."""

    NOT_A_MANAGER = "not a manager"
    HAS_MEMBERS = "has members"
    HAS_OTHERS = "has others"
    """It manages itself, and has members besides the one who removes it."""
    REFERRED_TO = "referred to"


class Referrer(StrEnum):
    """What may refer to a circle."""

    CIRCLE = "circle"
    BADGE = "badge"
    TOOL = "tool"
    DOOR = "door"


class Reference(Struct, frozen=True):
    """Something that couldn't do without the circle."""

    referrer: Referrer
    name: str


class NoSuchCircle(Struct, frozen=True):
    """Not done: the circle doesn't exist, or not any more."""


class Refused(Struct, frozen=True):
    """Nobody was added or removed, and why."""

    reason: Reason
    circle: Circle


class Kept(Struct, frozen=True):
    """The circle was not removed, and why. `references`: what refers to it."""

    hindrance: Hindrance
    circle: Circle
    references: Sequence[Reference] = ()


def may_manage(circle: Circle, actor_circles: Set[int]) -> bool:
    """Whether somebody who is in `actor_circles` (ids) may add and remove members."""
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return circle.admin_circle_id is not None and circle.admin_circle_id in actor_circles
        case ManagementStyle.SELF_ADMIN:
            return circle.circle_id in actor_circles


def may_change(circle: Circle, actor_circles: Set[int], *, is_admin: bool) -> bool:
    """Whether somebody may change the circle itself. What of it, see `changing.py`."""
    return is_admin or may_manage(circle, actor_circles)


def check_addition(
    circle: Circle, *, actor_circles: Set[int], is_member: bool, comment: str
) -> Reason | None:
    """Whether somebody may be added; `comment` is trimmed already. None: yes."""
    if not may_manage(circle, actor_circles):
        return Reason.NOT_A_MANAGER
    if is_member:
        return Reason.ALREADY_IN
    if circle.needs_comment and not comment:
        return Reason.COMMENT_MISSING
    if len(comment) > COMMENT_CHARACTERS_MAX:
        return Reason.COMMENT_TOO_LONG
    if not all(line.isprintable() for line in comment.splitlines()):
        return Reason.COMMENT_UNSEEN
    return None


def check_removal(
    circle: Circle, *, actor_circles: Set[int], is_member: bool, members: int
) -> Reason | None:
    """Whether somebody may be removed from a circle of `members` people. None: yes."""
    if not may_manage(circle, actor_circles):
        return Reason.NOT_A_MANAGER
    if not is_member:
        return Reason.NOT_IN
    if circle.manages_itself and members <= 1:
        return Reason.LAST_MEMBER
    return None


def check_end(
    circle: Circle, *, actor_circles: Set[int], members: int, references: Sequence[Reference]
) -> Hindrance | None:
    """Whether the circle itself may be removed. None: yes."""
    if not may_manage(circle, actor_circles):
        return Hindrance.NOT_A_MANAGER
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE if members:
            return Hindrance.HAS_MEMBERS
        case ManagementStyle.SELF_ADMIN if members > 1:
            return Hindrance.HAS_OTHERS
        case _:
            return Hindrance.REFERRED_TO if references else None
