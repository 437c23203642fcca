"""How the pages say that somebody was not added to a circle or removed from it."""

from dataclasses import dataclass

from console.circles.circle import (
    COMMENT_CHARACTERS_MAX,
    Circle,
    ManagementStyle,
    NoSuchCircle,
    Reason,
    Refused,
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What stands beside a form. `field`: the form's field that it is about."""

    words: str
    field: str = "username"


def mistake(refusal: Refused | NoSuchCircle | None) -> Mistake | None:
    """A refusal in a sentence. None: it was done."""
    match refusal:
        case None:
            return None
        case NoSuchCircle():
            return Mistake("This circle doesn't exist any more.", "circle")
        case Refused(reason, circle):
            is_comment = reason in {Reason.COMMENT_MISSING, Reason.COMMENT_TOO_LONG}
            return Mistake(_words(reason, circle), "comment" if is_comment else "username")


def managers(circle: Circle) -> str:
    """Who may change it, for a sentence: "members of the circle …"."""
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return f"members of the circle “{circle.admin_circle_name}”"
        case ManagementStyle.SELF_ADMIN:
            return "its own members"


def _words(reason: Reason, circle: Circle) -> str:
    name = f"“{circle.name}”"
    match reason:
        case Reason.NOT_A_MANAGER:
            return f"{name} is changed by {managers(circle)}."
        case Reason.ALREADY_IN:
            return f"Is already in {name}."
        case Reason.COMMENT_MISSING:
            return f"{name} asks for a comment: why does she get it?"
        case Reason.COMMENT_TOO_LONG:
            return f"A comment has at most {COMMENT_CHARACTERS_MAX} characters."
        case Reason.NOT_IN:
            return f"Is not in {name} any more."
        case Reason.LAST_MEMBER:
            return f"{name} is managed by its own members, so the last one can't leave it."
