"""Finds the person that a path or a typed name means, or says why it means nobody."""

from aiohttp import web

from console.accounts import queries
from console.accounts.queries import Person
from console.database import Connection
from console.web.requests import path_id
from console.words import Text, any_of

NEAR_SHOWN = 3
"""So many are named of those whose name holds what was typed."""


async def one_called(conn: Connection, typed: str) -> Person | Text:
    """Whom a typed name means; or why it doesn't say who."""
    if not typed:
        return Text("Type a name or a user name.")
    found = await queries.people_called(conn, text=typed)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(person.handle for person in found)
        return Text(
            "Several people are called so. Type the user name of one: {names}.", names=names
        )
    near = await queries.people_like(conn, text=typed, limit=NEAR_SHOWN)
    if near:
        return Text(
            "Nobody is called just “{name}”. Do you mean {people}?",
            name=typed[:60],
            people=any_of(f"{person.shown_name} ({person.handle})" for person in near),
        )
    return Text("Nobody is called “{name}”. Type a name or a user name.", name=typed[:60])


async def person_or_404(conn: Connection, request: web.Request) -> Person:
    """The person that the path names. Raises: HTTPNotFound."""
    found = await queries.person(conn, account_id=path_id(request, "account"))
    if found is None:
        raise web.HTTPNotFound
    return found
