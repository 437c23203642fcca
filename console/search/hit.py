"""What a search finds: groups of things, each with where it leads. Pure.

Decides who is told of which things: the same as on the pages to which the hits lead.
"""

from collections.abc import Mapping, Set
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

from console.accounts.fields import Field, may_see
from console.web.routing import Who
from console.words import Text

SHOWN = 8
"""Of each group."""


class Group(Enum):
    """A kind of thing, in the order in which it is shown."""

    PEOPLE = "people"
    CARDS = "cards"
    DOORS = "doors"
    TOOLS = "tools"
    CIRCLES = "circles"
    BADGES = "badges"
    COMPANIES = "companies"
    CONTROLLERS = "controllers"


class Hit(Struct, frozen=True):
    """`path` empty: there is no page of it. `is_exact`: what was typed is its whole name."""

    title: str
    detail: str
    path: str
    is_exact: bool


class Found(Struct, frozen=True):
    """Hits of a group. `more`: a page with the rest; empty: there is no rest, or no such page."""

    group: Group
    name: Text
    hits: tuple[Hit, ...]
    has_more: bool
    more: str


class Scope(Struct, frozen=True):
    """What a visitor may find. `cards_of`: only hers; None: everybody's."""

    groups: frozenset[Group]
    contact: bool
    cards_of: int | None


LOOKS: Mapping[Group, tuple[Text, str]] = MappingProxyType(
    {
        Group.PEOPLE: (Text("People"), "/members"),
        Group.CARDS: (Text("Cards"), ""),
        Group.DOORS: (Text("Doors"), "/doors"),
        Group.TOOLS: (Text("Tools"), "/tools"),
        Group.CIRCLES: (Text("Circles"), "/circles"),
        Group.BADGES: (Text("Badges"), "/badges"),
        Group.COMPANIES: (Text("Companies"), "/companies"),
        Group.CONTROLLERS: (Text("Controllers"), "/controllers"),
    }
)
"""What each is called, and the page of all of them."""

_FOR_MEMBERS = frozenset(set(Group) - {Group.CONTROLLERS})


def scope(roles: Set[Who], *, account_id: int) -> Scope:
    """For a visitor with these roles."""
    groups = set(_FOR_MEMBERS)
    if Who.ADMIN in roles:
        groups.add(Group.CONTROLLERS)
    return Scope(
        frozenset(groups),
        contact=may_see(Field.CONTACT, roles),
        cards_of=None if may_see(Field.CARDS, roles) else account_id,
    )


def straight_to(found: tuple[Found, ...]) -> str | None:
    """Where the one person leads whose user name was typed, if nothing else is called so."""
    exact = [(one.group, hit) for one in found for hit in one.hits if hit.is_exact]
    if len(exact) == 1 and exact[0][0] is Group.PEOPLE:
        return exact[0][1].path
    return None
