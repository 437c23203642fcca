"""Makes, changes and retires tools, each in a transaction of the caller's."""

from console.controllers import queries as controllers
from console.controllers.point_key_queries import point_named
from console.controllers.wording import NO_CONTROLLER, key_taken, still_retired
from console.database import Connection
from console.rights import queries as rights
from console.tools import attaching_queries, keeping_queries, page_queries, queries
from console.tools.draft import Meant, Power
from console.web.mistakes import Mistaken, Mistakes
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text


async def tool_as_it_is(conn: Connection, tool_id: int) -> Meant | None:
    """A tool that is not retired; None: there is none."""
    rows = await page_queries.tool_rows(conn, tool_id=tool_id)
    facts = await rights.tools(conn, tool=tool_id)
    if not rows or not facts:
        return None
    (row,), (tool,) = rows, facts
    power = None
    if tool.key is not None and tool.controller is not None:
        power = Power(tool.key, tool.controller, tool.demands)
    return Meant(row.name, row.description or "", tool.circle, power)


async def make(conn: Connection, tool: Meant, *, actor: int) -> Mistaken | None:
    """A new tool; done as well when there is just this one already."""
    called_so = await keeping_queries.tools_named(conn, name=tool.name)
    if called_so:
        if await tool_as_it_is(conn, called_so[0]) == tool:
            return None
        return Mistaken({"name": Text("There is a tool called so already.")})
    mistakes = await _mistakes(conn, tool, None)
    if mistakes or tool.circle is None:
        return Mistaken(mistakes or {"circle": _NO_CIRCLE})
    tool_id = await queries.add_tool(
        conn,
        name=tool.name,
        description=tool.description or None,
        circle=tool.circle,
        actor=actor,
    )
    await _set_power(conn, tool_id, tool.power, None)
    return None


async def change(
    conn: Connection, tool_id: int, tool: Meant, *, actor: int, version: str
) -> Mistaken | None:
    """Changes a tool whose row is locked, unless somebody changed it since `version`."""
    known = await tool_as_it_is(conn, tool_id)
    if known is None or known == tool:
        return None
    if known.version != version:
        return Mistaken({"form": CHANGED_MEANWHILE})
    mistakes = await _mistakes(conn, tool, known.power)
    if mistakes or tool.circle is None:
        return Mistaken(mistakes or {"circle": _NO_CIRCLE})
    await queries.change_tool(
        conn,
        tool_id=tool_id,
        name=tool.name,
        description=tool.description or None,
        circle=tool.circle,
        actor=actor,
    )
    await _set_power(conn, tool_id, tool.power, known.power)
    return None


async def retire(conn: Connection, tool_id: int, *, actor: int) -> Mistaken | None:
    """Takes a tool out of use that nobody has checked out."""
    (row,) = await page_queries.tool_rows(conn, tool_id=tool_id)
    if row.holder is not None:
        words = Text("{name} has it checked out. It has to be given back first.", name=row.holder)
        return Mistaken({"form": words})
    await keeping_queries.retire(conn, tool_id=tool_id, actor=actor)
    return None


async def bring_back(conn: Connection, tool_id: int, *, actor: int) -> Mistaken | None:
    """Takes it into use again, for the circle that it had; without one it serves nobody."""
    (row,) = await keeping_queries.retired(conn, limit=1, tool_id=tool_id)
    usable = await controllers.usable(conn)
    if row.controller is not None and row.controller not in usable:
        return Mistaken({"form": still_retired(row.controller)})
    await keeping_queries.bring_back(conn, tool_id=tool_id, circle=row.circle, actor=actor)
    return None


_NO_CIRCLE = Text("Choose the circle whose members may use it.")


async def _mistakes(conn: Connection, tool: Meant, was: Power | None) -> Mistakes:
    if tool.circle is None or not await keeping_queries.is_circle(conn, circle=tool.circle):
        return {"circle": _NO_CIRCLE}
    power = tool.power
    if power is None or power == was:
        return {}
    if was is None or was.key != power.key:
        taken = await point_named(conn, key=power.key)
        if taken is not None:
            return {"key": key_taken(taken)}
    is_moved = was is None or was.controller != power.controller
    if is_moved and await controllers.is_retired(conn, controller=power.controller):
        return {"controller": NO_CONTROLLER}
    return {}


async def _set_power(
    conn: Connection, tool_id: int, power: Power | None, was: Power | None
) -> None:
    if power is None:
        if was is not None:
            await attaching_queries.detach(conn, key=was.key)
    elif was is None:
        await attaching_queries.attach(
            conn,
            tool=tool_id,
            key=power.key,
            controller=power.controller,
            demands=power.demands,
        )
    elif power != was:
        await keeping_queries.set_power(
            conn,
            tool_id=tool_id,
            key=power.key,
            controller=power.controller,
            demands=power.demands,
        )
