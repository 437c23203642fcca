"""`p2k16-console tools attach` and `detach`: which controller powers a tool."""

from msgspec import Struct

from console.controllers import queries as controllers
from console.controllers.point_key_queries import point_named
from console.database import Connection, Database, at_prompt
from console.errors import BadRequest
from console.rights import demanding
from console.rights.demanding import NOTHING_GIVEN, Given
from console.rights.facts import NOTHING_SPECIAL, Demands
from console.tools import attaching_queries as queries
from console.tools.attaching_queries import FoundRow
from sync.errors import WireError
from sync.ids import ControllerId, PointKey, controller_id, point_key


class Attachment(Struct, frozen=True):
    """What `tools attach` was given. `tool`: its number or its name."""

    tool: str
    key: str
    controller: str
    given: Given = NOTHING_GIVEN


class Attached(Struct, frozen=True):
    """The tool's name, and what is still missing before somebody can use it."""

    name: str
    has_circle: bool
    is_enrolled: bool


async def attach_tool(database: Database, attachment: Attachment) -> Attached:
    """Has the controller power the tool, and makes the controller where there is none yet.

    Raises: BadRequest naming every mistake; DatabaseUnavailable.
    """
    wrong, demands = _mistakes(attachment)
    if wrong:
        raise BadRequest("; ".join(wrong))
    key, at = PointKey(attachment.key), ControllerId(attachment.controller)
    async with database.writing(by=at_prompt("tools attach")) as conn:
        taken = await point_named(conn, key=key)
        if taken is not None:
            raise BadRequest(f"the key {key} is taken already: {taken.words}")
        tool = await _the_tool(conn, attachment.tool)
        if tool.key is not None:
            raise BadRequest(
                f"{tool.name} is attached to {tool.controller} as {tool.key} already: "
                f"p2k16-console tools detach {tool.key}"
            )
        await controllers.add_controller(conn, controller=at)
        if await controllers.is_retired(conn, controller=at):
            raise BadRequest(f"the controller {at} is retired: enrol it again first")
        await queries.attach(conn, tool=tool.id, key=key, controller=at, demands=demands)
        row = await controllers.controller(conn, controller=at)
        is_enrolled = row is not None and row.enrolled_at is not None
        return Attached(tool.name, tool.has_circle, is_enrolled)


async def detach_tool(database: Database, key: str) -> str:
    """Has no controller power it any more; gives its name.

    Raises: BadRequest when there is no such tool; DatabaseUnavailable.
    """
    async with database.writing(by=at_prompt("tools detach")) as conn:
        name = await queries.detach(conn, key=key)
    if name is None:
        raise BadRequest(f"no tool is attached as {key}")
    return name


def _mistakes(attachment: Attachment) -> tuple[list[str], Demands]:
    wrong = demanding.mistakes(attachment.given)
    for option, check, text in (
        ("KEY", point_key, attachment.key),
        ("--controller", controller_id, attachment.controller),
    ):
        try:
            check(text)
        except WireError as error:
            wrong.append(f"{option}: {error}")
    demands = NOTHING_SPECIAL if wrong else demanding.changed(NOTHING_SPECIAL, attachment.given)
    if isinstance(demands, str):
        return [demands], NOTHING_SPECIAL
    return wrong, demands


async def _the_tool(conn: Connection, text: str) -> FoundRow:
    found = await queries.tools_called(conn, text=text)
    if not found:
        raise BadRequest(f"there is no tool {text!r}; it is made in the old web application")
    if len(found) > 1:
        named = ", ".join(f"{tool.id} ({tool.name})" for tool in found)
        raise BadRequest(f"several tools are called {text!r}: give the number, {named}")
    return found[0]
