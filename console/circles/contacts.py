"""Whom a page names to ask."""

from collections.abc import Sequence

from msgspec import Struct

from console.circles.queries import names_in
from console.database import Connection

NAMES_MAX = 3


class Contacts(Struct, frozen=True):
    """The first ones by name, and the circle that they are in."""

    contacts: Sequence[str]
    circle: str


async def contacts_in(conn: Connection, circle: str) -> Contacts:
    """Some who are in the circle of this name; none, where there is no such circle."""
    return Contacts(await names_in(conn, circle=circle, limit=NAMES_MAX), circle)
