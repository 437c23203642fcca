"""Tools as a source of live updates: the state of each for everybody, the rest for admins.

`tool-ID` for the state, `tool-rights-ID` and `tool-happened-ID` for what admins see; `checkouts`
whenever somebody took a tool or gave it back: what that means for the visitor, her page asks for.
"""

from collections.abc import Sequence

from console.database import Database
from console.events.at_place import told_at
from console.tools import page_queries as queries
from console.tools.view import view
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who

CHECKOUT = "tool_checkout"
"""The hint of a trigger on that table: V002.015. No controller is called so."""


class ToolStates:
    """The tools that controllers power, sent whenever one reports something new; with a checkout
    all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Reports, events, changes of rights, and checkouts."""
        return frozenset({"access_report", "access_event", "access_changed", "access_checkout"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """Every one of them, whatever changed: they are few. Raises: DatabaseUnavailable."""
        has_checkout = changed is None or CHECKOUT in changed
        fragments: list[LiveFragment] = []
        async with self._database.reading() as conn:
            for row in await queries.tool_rows(conn):
                if row.key is None and not has_checkout:
                    continue
                tool = view(row, times.now())
                fragments.append(_fragment("", "tools/state.html", tool.id, tool=tool))
                if row.key is not None and audience is Who.ADMIN:
                    happened = await told_at(conn, row.key, is_tool=True)
                    fragments += [
                        _fragment("rights-", "tools/rights.html", tool.id, tool=tool),
                        _fragment("happened-", "events/at_place.html", tool.id, happened=happened),
                    ]
            if has_checkout:
                mark = await queries.checkouts_mark(conn)
                fragments.append(LiveFragment("checkouts", "tools/mark.html", {"mark": mark}))
        return fragments


def _fragment(what: str, template: str, tool_id: int, **context: object) -> LiveFragment:
    return LiveFragment(f"tool-{what}{tool_id}", template, context)
