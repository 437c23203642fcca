"""Who sees what of a person: one table, which every page about people goes by. Pure.

Whoever is logged in sees names and circles; everything of oneself is for oneself.
"""

from collections.abc import Mapping, Set
from enum import Enum
from types import MappingProxyType

from console.web.routing import Who


class Field(Enum):
    """A part of what is known of a person."""

    NAME = "name"
    CIRCLES = "circles"
    CONTACT = "contact"
    """E-mail, phone."""
    STANDING = "standing"
    """Whether she is a member, since when and until when, and who employs her."""
    CARDS = "cards"
    PAYMENTS = "payments"
    """How much, and when."""
    TOOLS = "tools"
    """Which she has checked out, all in one place."""


SEEN_BY: Mapping[Field, frozenset[Who]] = MappingProxyType(
    {
        Field.NAME: frozenset({Who.MEMBER}),
        Field.CIRCLES: frozenset({Who.MEMBER}),
        Field.CONTACT: frozenset({Who.FRONT_DESK}),
        Field.STANDING: frozenset({Who.FRONT_DESK, Who.TREASURER}),
        Field.CARDS: frozenset({Who.FRONT_DESK}),
        Field.PAYMENTS: frozenset({Who.TREASURER}),
        Field.TOOLS: frozenset({Who.ADMIN}),
    }
)
"""An admin has each of these roles."""


def may_see(field: Field, roles: Set[Who], *, is_self: bool = False) -> bool:
    """Whether a visitor with these roles sees this of a person."""
    return is_self or not SEEN_BY[field].isdisjoint(roles)
