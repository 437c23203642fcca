"""Finds the person that a path or a typed name means, or says why it means nobody."""

from aiohttp import web

from console.accounts import queries
from console.accounts.queries import Person
from console.database import Connection
from console.web.requests import path_id
from console.words import Text


def not_one(typed: str, found: list[Person]) -> Text:
    """Why a typed name doesn't say who is meant."""
    if not typed:
        return Text("Type a name or a user name.")
    if not found:
        return Text("Nobody is called “{name}”. Type a name or a user name.", name=typed[:60])
    names = ", ".join(person.handle for person in found)
    return Text("Several people are called so. Type the user name of one: {names}.", names=names)


async def person_or_404(conn: Connection, request: web.Request) -> Person:
    """The person that the path names. Raises: HTTPNotFound."""
    found = await queries.person(conn, account_id=path_id(request, "account"))
    if found is None:
        raise web.HTTPNotFound
    return found
