"""Who walks through the console: one person for each role, and what lets her in where."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from console.settings import RoleSettings


class Role(StrEnum):
    """A visitor, by what she may do. The value is her user name."""

    NOBODY = "nobody"
    """Not logged in."""
    MEMBER = "member"
    FRONT_DESK = "frontdesk"
    TREASURER = "treasurer"
    INSTRUCTOR = "instructor"
    """Is in the certification circle of the badge."""
    KEEPER = "keeper"
    """Manages the circle `workshop`."""
    ADMIN = "admin"
    DESPOT = "despot"


SETTINGS = RoleSettings("admin", front_desk_circle="front desk", treasurer_circle="treasurers")

CIRCLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.FRONT_DESK: "front desk",
        Role.TREASURER: "treasurers",
        Role.INSTRUCTOR: "instructors",
        Role.KEEPER: "keepers",
        Role.ADMIN: "admin",
        Role.DESPOT: "despot",
    }
)
"""The circle that makes somebody one of them; a refusal has to name it."""

EVERYBODY = frozenset(Role)
MEMBERS = EVERYBODY - {Role.NOBODY}
FRONT_DESK = frozenset({Role.FRONT_DESK, Role.ADMIN})
MONEY = frozenset({Role.TREASURER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
DESPOTS = frozenset({Role.DESPOT})
KEEPERS = frozenset({Role.KEEPER})
INSTRUCTORS = frozenset({Role.INSTRUCTOR})
NO_ONE = frozenset[Role]()
LOOKED_AT = (Role.NOBODY, Role.MEMBER, Role.ADMIN)
"""Whose pages are looked at in a browser."""
ALSO_LOOKED_AT: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.INSTRUCTOR: frozenset({"GET /badges/{badge}/awards", "GET /me/cards"}),
        Role.KEEPER: frozenset(
            {"GET /circles/{circle}", "GET /circles/{circle}/change", "GET /me/cards"}
        ),
    }
)
"""Of others the pages with a form that none of those finds."""
