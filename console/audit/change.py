"""A change as the trigger has written it down, and the things that its columns name. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct

HIDDEN = "(secret)"
"""What stands for a secret that was there; see V002.008__audit.sql."""
Values = Mapping[str, Any]
"""Columns of a row, as JSON."""
NOTHING: Values = MappingProxyType({})


class Operation(StrEnum):
    """What was done with the row."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Thing(StrEnum):
    """What a column may name by its number or key."""

    ACCOUNT = "account"
    CIRCLE = "circle"
    BADGE = "badge"
    COMPANY = "company"
    TOOL = "tool"
    POINT = "point"
    """A door, or the controller's part of a tool."""
    CARD = "card"


NAMES: Mapping[str, Thing] = MappingProxyType(
    {
        "account": Thing.ACCOUNT,
        "actor": Thing.ACCOUNT,
        "awarded_by": Thing.ACCOUNT,
        "contact": Thing.ACCOUNT,
        "created_by": Thing.ACCOUNT,
        "looked_by": Thing.ACCOUNT,
        "lost_by": Thing.ACCOUNT,
        "circle": Thing.CIRCLE,
        "admin_circle": Thing.CIRCLE,
        "certification_circle": Thing.CIRCLE,
        "badge_description": Thing.BADGE,
        "company": Thing.COMPANY,
        "tool": Thing.TOOL,
        "tool_description": Thing.TOOL,
        "door": Thing.POINT,
        "point": Thing.POINT,
        "card": Thing.CARD,
    }
)
"""Which columns name what, in whatever table."""

Named = tuple[Thing, str]
Known = Mapping[Named, str]
"""What things are called."""


class ChangeRow(Struct, frozen=True):
    """A row of the audit. What each None means stands in V002.008__audit.sql.

    `actor_name`, `account_name` None: also where there is no such account any more.
    """

    id: int
    happened_at: datetime
    actor: int | None
    actor_name: str | None
    address: str | None
    doing: str | None
    place: str
    object: str
    account: int | None
    account_name: str | None
    operation: str
    old: Values | None
    new: Values | None
    about: Values | None

    def facts(self) -> Values:
        """All that is known of the row; where it changed, what is so since."""
        return {**(self.about or NOTHING), **(self.old or NOTHING), **(self.new or NOTHING)}


def named(rows: Iterable[ChangeRow]) -> frozenset[Named]:
    """The things that these changes name."""
    return frozenset(
        (NAMES[column], str(value))
        for row in rows
        for values in (row.old, row.new, row.about)
        for column, value in (values or NOTHING).items()
        if column in NAMES and value is not None
    )
