"""Who may change who is in a circle, and what a membership needs. Pure.

The rule is the one of the old web app: a circle is managed either by the members of its admin
circle, or by its own members.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

COMMENT_CHARACTERS_MAX = 500


class ManagementStyle(StrEnum):
    """Who manages a circle."""

    ADMIN_CIRCLE = "ADMIN_CIRCLE"
    SELF_ADMIN = "SELF_ADMIN"


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle. `admin_circle_id` and `admin_circle_name` are None when it manages itself."""

    circle_id: int
    name: str
    description: str | None
    style: ManagementStyle
    admin_circle_id: int | None
    admin_circle_name: str | None
    needs_comment: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Not done, and why. `field`: the form's field that it is about."""

    words: str
    field: str = "username"


def may_manage(circle: Circle, actor_circles: Set[int]) -> bool:
    """Whether somebody who is in `actor_circles` (ids) may add and remove members."""
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return circle.admin_circle_id is not None and circle.admin_circle_id in actor_circles
        case ManagementStyle.SELF_ADMIN:
            return circle.circle_id in actor_circles


def managers(circle: Circle) -> str:
    """Who may change it, for a sentence: "members of the circle …"."""
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return f"members of the circle “{circle.admin_circle_name}”"
        case ManagementStyle.SELF_ADMIN:
            return "its own members"


def check_addition(
    circle: Circle, *, actor_circles: Set[int], is_member: bool, comment: str
) -> Refused | None:
    """Whether somebody may be added; `comment` is trimmed already. None: yes."""
    if not may_manage(circle, actor_circles):
        return _not_a_manager(circle)
    if is_member:
        return Refused(f"Is already in “{circle.name}”.")
    if circle.needs_comment and not comment:
        return Refused(f"“{circle.name}” asks for a comment: why does she get it?", "comment")
    if len(comment) > COMMENT_CHARACTERS_MAX:
        return Refused(f"A comment has at most {COMMENT_CHARACTERS_MAX} characters.", "comment")
    return None


def check_removal(
    circle: Circle, *, actor_circles: Set[int], is_member: bool, members: int
) -> Refused | None:
    """Whether somebody may be removed from a circle of `members` people. None: yes."""
    if not may_manage(circle, actor_circles):
        return _not_a_manager(circle)
    if not is_member:
        return Refused(f"Is not in “{circle.name}” any more.")
    if circle.style is ManagementStyle.SELF_ADMIN and members <= 1:
        return Refused(
            f"“{circle.name}” is managed by its own members, so the last one can't leave it."
        )
    return None


def _not_a_manager(circle: Circle) -> Refused:
    return Refused(f"“{circle.name}” is changed by {managers(circle)}.")
