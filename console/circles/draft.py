"""A circle that somebody wants to make, and what it needs. Pure.

Source: the contract of the old API, §6.
"""

from enum import Enum

from msgspec import Struct

from console.circles.circle import ManagementStyle


class Flaw(Enum):
    """Why a circle can't be made so."""

    ADMIN_CIRCLE_MISSING = "admin circle missing"
    ADMIN_CIRCLE_UNKNOWN = "admin circle unknown"
    FIRST_MEMBER_MISSING = "first member missing"
    FIRST_MEMBER_UNKNOWN = "first member unknown"
    COMMENT_MISSING = "comment missing"
    NAME_TAKEN = "name taken"


class Draft(Struct, frozen=True):
    """What was asked for. `admin_circle` and `first_member` are names, None where not given.

    A circle with an admin circle begins without members, so `first_member` and `comment` (why she
    is in it) are for one that manages itself.
    """

    name: str
    description: str
    style: ManagementStyle
    needs_comment: bool
    admin_circle: str | None = None
    first_member: str | None = None
    comment: str = ""


def check_draft(
    draft: Draft, *, admin_circle_id: int | None, first_member_id: int | None
) -> Flaw | None:
    """Whether it can be made; the ids are those that the names were found to mean. None: yes."""
    match draft.style:
        case ManagementStyle.ADMIN_CIRCLE:
            if draft.admin_circle is None:
                return Flaw.ADMIN_CIRCLE_MISSING
            return Flaw.ADMIN_CIRCLE_UNKNOWN if admin_circle_id is None else None
        case ManagementStyle.SELF_ADMIN:
            if draft.first_member is None:
                return Flaw.FIRST_MEMBER_MISSING
            if first_member_id is None:
                return Flaw.FIRST_MEMBER_UNKNOWN
            if draft.needs_comment and not draft.comment.strip():
                return Flaw.COMMENT_MISSING
            return None
