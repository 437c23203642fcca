"""Tools as a source of live updates: the state of each for everybody, the rest for admins.

`tool-ID` for the state, `tool-rights-ID` and `tool-happened-ID` for what admins see.
"""

from collections.abc import Sequence

import jinja2

from console.database import Database
from console.events.at_place import told_at
from console.tools import page_queries as queries
from console.tools.view import view
from console.web import times
from console.web.live_hub import LiveMessage
from console.web.render import fragment_text
from console.web.routing import Who


class ToolStates:
    """The tools that controllers power, sent whenever one reports something new."""

    def __init__(self, database: Database, environment: jinja2.Environment) -> None:
        self._database = database
        self._environment = environment

    @property
    def channels(self) -> frozenset[str]:
        """Reports, events, and changes of rights."""
        return frozenset({"access_report", "access_event", "access_changed"})

    async def messages(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveMessage]:
        """Every one of them, whatever changed: they are few. Raises: DatabaseUnavailable."""
        del changed
        messages: list[LiveMessage] = []
        async with self._database.reading() as conn:
            for row in await queries.tool_rows(conn):
                if row.key is None:
                    continue
                tool = view(row, times.now())
                messages.append(self._message("", "tools/state.html", tool.id, tool=tool))
                if audience is Who.ADMIN:
                    happened = await told_at(conn, row.key, is_tool=True)
                    messages += [
                        self._message("rights-", "tools/rights.html", tool.id, tool=tool),
                        self._message(
                            "happened-", "events/at_place.html", tool.id, happened=happened
                        ),
                    ]
        return messages

    def _message(self, what: str, template: str, tool_id: int, **context: object) -> LiveMessage:
        text = fragment_text(self._environment, template, **context)
        return LiveMessage(f"tool-{what}{tool_id}", text)
