"""How the pages say that somebody was not added to a circle or removed from it."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from msgspec import Struct

from console.circles.circle import (
    COMMENT_CHARACTERS_MAX,
    Circle,
    Hindrance,
    Kept,
    ManagementStyle,
    NoSuchCircle,
    Reason,
    Refused,
)
from console.web.routing import Who
from console.words import Text, quoted


class Mistake(Struct, frozen=True):
    """What stands beside a form. `field`: the form's field that it is about."""

    words: str
    field: str = "username"


def mistake(refusal: Refused | NoSuchCircle | None) -> Mistake | None:
    """A refusal in a sentence. None: it was done."""
    match refusal:
        case None:
            return None
        case NoSuchCircle():
            return Mistake(Text("This circle doesn't exist any more."), "circle")
        case Refused(reason, circle):
            return Mistake(
                _words(reason, circle), "comment" if reason in OF_COMMENTS else "username"
            )


OF_COMMENTS = {Reason.COMMENT_MISSING, Reason.COMMENT_TOO_LONG, Reason.COMMENT_UNSEEN}

_GIVES: Mapping[Who, Text] = MappingProxyType(
    {
        Who.ADMIN: Text(
            "manages cards, doors, tools and controllers, and sees all about everybody"
        ),
        Who.FRONT_DESK: Text("sees contact, membership and cards of people, and what they do"),
        Who.TREASURER: Text("sees payments"),
        Who.COMPANIES: Text("keeps companies"),
    }
)


def role_words(roles: AbstractSet[Who]) -> tuple[Text, ...]:
    """What somebody in a circle that gives these roles may do here; admins may do all of it."""
    given = [Who.ADMIN] if Who.ADMIN in roles else [who for who in _GIVES if who in roles]
    return tuple(Text("Whoever is in it {does}.", does=_GIVES[who]) for who in given)


def managers(circle: Circle) -> Text:
    """Who may change it, for a sentence: "members of the circle …"."""
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return Text("members of the circle “{circle}”", circle=circle.admin_circle_name or "")
        case ManagementStyle.SELF_ADMIN:
            return Text("its own members")


def known_by_name(name: str) -> Text:
    """Why a circle keeps its name, and stays."""
    return Text(
        "This circle is known by its name {name}: without it, nobody would have its rights.",
        name=quoted(name),
    )


def why_kept(kept: Kept) -> Text:
    """Why a circle was not removed."""
    name = quoted(kept.circle.name)
    match kept.hindrance:
        case Hindrance.NOT_A_MANAGER:
            return Text(
                "{circle} is removed by {managers}.", circle=name, managers=managers(kept.circle)
            )
        case Hindrance.HAS_MEMBERS:
            return Text("{circle} has members. Remove them first.", circle=name)
        case Hindrance.HAS_OTHERS:
            return Text("{circle} has members besides you. Remove them first.", circle=name)
        case Hindrance.REFERRED_TO:
            names = ", ".join(reference.name for reference in kept.references)
            return Text("{circle} is still needed by: {names}.", circle=name, names=names)


def _words(reason: Reason, circle: Circle) -> Text:
    name = quoted(circle.name)
    match reason:
        case Reason.NOT_A_MANAGER:
            return Text(
                "{circle} is changed by {managers}.", circle=name, managers=managers(circle)
            )
        case Reason.ALREADY_IN:
            return Text("Is already in {circle}.", circle=name)
        case Reason.COMMENT_MISSING:
            return Text("{circle} asks for a comment: why does she get it?", circle=name)
        case Reason.COMMENT_TOO_LONG:
            return Text("A comment has at most {n} characters.", n=COMMENT_CHARACTERS_MAX)
        case Reason.COMMENT_UNSEEN:
            return Text("Only characters that can be seen.")
        case Reason.NOT_IN:
            return Text("Is not in {circle} any more.", circle=name)
        case Reason.LAST_MEMBER:
            return Text(
                "{circle} is managed by its own members, so the last one can't leave it.",
                circle=name,
            )
