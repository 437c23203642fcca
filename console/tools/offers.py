"""What the visitor may do with each tool: take it, give it back, or ask somebody first."""

from collections.abc import Sequence

from msgspec import Struct

from console.access.lines import access_lines, by_tool
from console.access.wording import Reasons
from console.database import Connection
from console.tools import looking_after
from console.tools import page_queries as queries
from console.tools.view import ToolView, view
from console.web import times
from console.web.session import Visitor

USABLE_SHOWN = 6
"""On the front page; the page of tools has all of them."""


class Offer(Struct, frozen=True):
    """A tool, and the visitor. `reasons` None: nobody can say, so no.

    `is_taken`: somebody else has it or uses it. `may_return`: the visitor may give it back for her.
    `looks_after`: the visitor decides who may use it.
    """

    tool: ToolView
    reasons: Reasons | None
    has_it: bool
    is_taken: bool
    may_return: bool
    looks_after: bool

    @property
    def may_use(self) -> bool:
        """Whether the visitor may use it now."""
        return self.reasons is not None and self.reasons.is_yes


class MyTools(Struct, frozen=True):
    """For the front page: the tools that the visitor has, and others that she may use.

    `more`: how many of those are not shown.
    """

    have: tuple[ToolView, ...]
    usable: tuple[ToolView, ...]
    more: int


async def offers(conn: Connection, me: Visitor, *, tool_id: int | None = None) -> list[Offer]:
    """All tools, or the one: what the visitor has first, then what she looks after or may use."""
    rows = await queries.tool_rows(conn, tool_id=tool_id)
    reasons = by_tool(await access_lines(conn, account_id=me.account_id))
    cared_for = await looking_after.tools_of(conn, account_id=me.account_id)
    now = times.now()
    found = [
        _offer(view(row, now), reasons.get(row.id), me, looks_after=row.id in cared_for)
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.has_it, not one.looks_after, not one.may_use))


async def my_tools(conn: Connection, lines: Sequence[Reasons], account_id: int) -> MyTools:
    """What the front page shows of tools: those first that are free. `lines`: her access."""
    tools = [view(row, times.now()) for row in await queries.tool_rows(conn)]
    has = [tool for tool in tools if tool.user and tool.user.account_id == account_id]
    allowed = {tool_id for tool_id, one in by_tool(lines).items() if one.is_yes}
    usable = [tool for tool in tools if tool.id in allowed and tool not in has]
    usable.sort(key=lambda tool: (tool.is_shut, tool.user is not None))
    return MyTools(
        have=tuple(has),
        usable=tuple(usable[:USABLE_SHOWN]),
        more=max(0, len(usable) - USABLE_SHOWN),
    )


def _offer(tool: ToolView, reasons: Reasons | None, me: Visitor, *, looks_after: bool) -> Offer:
    has_it = tool.holder is not None and tool.holder.account_id == me.account_id
    may_use = reasons is not None and reasons.is_yes
    return Offer(
        tool=tool,
        reasons=reasons,
        has_it=has_it,
        is_taken=tool.user is not None and tool.user.account_id != me.account_id,
        may_return=tool.holder is not None and not has_it and (may_use or me.is_admin),
        looks_after=looks_after,
    )
