"""What being in a circle opens, by the names of doors and tools. Asks the rule; decides nothing."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from console.alphabet import alphabetic
from console.database import Connection
from console.rights import queries
from console.rights.facts import CircleRef
from console.rights.preview_queries import place_names
from console.rights.verdict import key_of, opened_by


class Place(Struct, frozen=True):
    """A door or tool. `path`: of its page."""

    name: str
    path: str


class Opens(Struct, frozen=True):
    """Doors and tools, each by name."""

    doors: Sequence[Place]
    tools: Sequence[Place]


async def opens(conn: Connection, *, circle_id: int) -> Opens:
    """What members of the circle may use while they pay."""
    doors, tools = await queries.doors(conn), await queries.tools(conn)
    keys = opened_by(CircleRef(circle_id), doors, tools)
    names = await place_names(conn)
    return Opens(
        _by_name(
            Place(names.get(door.key, door.key), f"/doors/{door.key}")
            for door in doors
            if door.key in keys
        ),
        _by_name(
            Place(names.get(key_of(tool), key_of(tool)), f"/tools/{tool.id}")
            for tool in tools
            if key_of(tool) in keys and tool.circle == circle_id
        ),
    )


def _by_name(places: Iterable[Place]) -> Sequence[Place]:
    return sorted(places, key=lambda place: (alphabetic(place.name), place.path))
