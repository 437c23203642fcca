"""What a request asks the database, apart from what the console asks meanwhile by itself."""

import asyncio
from typing import Any

import psycopg
import pytest


def record_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that every statement is added to that a request makes from now on.

    The check of a connection is not among them, nor what the pool asks on a new connection, nor
    the console's own background work: when those happen is a matter of time.
    """
    statements: list[str] = []
    execute: Any = psycopg.AsyncCursor.execute

    async def recorded(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        task = asyncio.current_task()
        answers_a_request = "coro=<RequestHandler._handle_request()" in repr(task)  # aiohttp's
        if answers_a_request:
            statements.append(str(query))
        return await execute(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", recorded)
    return statements
