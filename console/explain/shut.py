"""Which doors and tools are shut now for everybody, whatever rights she has."""

from collections.abc import Mapping

from console.database import Connection
from console.doors import queries as doors
from console.doors.door import view as door_view
from console.tools import page_queries as tools
from console.tools.view import view as tool_view
from console.web import times


async def shut_now(conn: Connection) -> Mapping[str, str]:
    """What each of them says of itself, by its key."""
    now = times.now()
    at_doors = [door_view(row, now) for row in await doors.doors(conn)]
    at_tools = [tool_view(row, now) for row in await tools.tool_rows(conn)]
    return {one.key: one.state.words for one in (*at_doors, *at_tools) if one.key and one.is_shut}
