"""Takes tools and gives them back: asks the rules, writes, and tells the tool after the commit.

A tool that isn't told stays as it was: the old web app's tools listen only while they are there, so
nothing is kept for them.
"""

import asyncio
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

import structlog
from aiohttp import web

from console.database import Author, Connection, Database
from console.errors import BrokerUnavailable
from console.rights.access import Answer, may_use_tool
from console.tools import queries
from console.tools.tool import (
    NoSuchTool,
    Returning,
    Returns,
    Seen,
    Takes,
    Taking,
    Tool,
    returning,
    taking,
    topic,
)
from console.web.keys import Publishes

log = structlog.get_logger()

PUBLISH_SECONDS = 3.0
LOCK, UNLOCK = "lock", "unlock"
PAYLOAD = b"true"


class Checkouts:
    """Who has which tool."""

    def __init__(
        self, database: Database, broker: Publishes, *, prefix: str, now_ms: Callable[[], int]
    ) -> None:
        """`prefix` begins the tools' topics. `now_ms`: Unix time."""
        self._database = database
        self._broker = broker
        self._prefix = prefix
        self._now_ms = now_ms
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def check_out(
        self, tool_id: int, *, actor: int, by: Author, seen: Seen | None = None
    ) -> Taking | NoSuchTool:
        """Takes a tool, also from whoever has it: see `taking`. Raises: DatabaseUnavailable."""
        async with self._turn(tool_id):
            async with self._database.writing(by=by) as conn:
                found = await self._weighed(conn, tool_id, actor)
                if found is None:
                    return NoSuchTool()
                tool, answer = found
                result = taking(tool, answer, actor=actor, seen=seen)
                if not isinstance(result, Takes):
                    return result
                actions = [UNLOCK]
                if result.from_whom is not None:
                    await self._release(conn, tool, actor)
                    actions = [LOCK, UNLOCK]
                await queries.add_event(conn, name="checkout", tool_name=tool.name, actor=actor)
                await queries.take(conn, tool_id=tool_id, actor=actor)
            await self._tell(tool.name, actions)
        return result

    async def check_in(
        self, tool_id: int, *, actor: int, is_admin: bool, by: Author, seen: Seen | None = None
    ) -> Returning | NoSuchTool:
        """Gives a tool back. Raises: DatabaseUnavailable."""
        async with self._turn(tool_id):
            async with self._database.writing(by=by) as conn:
                found = await self._weighed(conn, tool_id, actor)
                if found is None:
                    return NoSuchTool()
                tool, answer = found
                result = returning(tool, answer, actor=actor, is_admin=is_admin, seen=seen)
                if not isinstance(result, Returns):
                    return result
                await self._release(conn, tool, actor)
            await self._tell(tool.name, [LOCK])
        return result

    def _turn(self, tool_id: int) -> asyncio.Lock:
        """One at a time, so that a tool is told in the order of the commits."""
        return self._turns.setdefault(tool_id, asyncio.Lock())

    async def _weighed(
        self, conn: Connection, tool_id: int, actor: int
    ) -> tuple[Tool, Answer] | None:
        await queries.lock_tool(conn, tool_id=tool_id)
        rows = await queries.tools(conn, tool_id=tool_id)
        answer = await may_use_tool(conn, account_id=actor, tool=tool_id, now_ms=self._now_ms())
        return None if not rows or answer is None else (rows[0].tool(), answer)

    async def _release(self, conn: Connection, tool: Tool, actor: int) -> None:
        await queries.add_event(conn, name="checkin", tool_name=tool.name, actor=actor)
        await queries.release(conn, tool_id=tool.id)

    async def _tell(self, name: str, actions: Sequence[str]) -> None:
        for action in actions:
            where = topic(self._prefix, name, action)
            if where is None:
                log.warning("tool.has_no_topic", tool=name)
                return
            try:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._broker.publish(where, PAYLOAD, qos=0)
            except (TimeoutError, BrokerUnavailable):
                log.warning("tool.not_told", tool=name, action=action)
                return


CHECKOUTS = web.AppKey("checkouts", Checkouts)
