"""Reports: only what is newer counts, only what changes is announced, and silence is noticed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from console.controllers.reports import OFFLINE_AFTER, TakenIn, is_offline, take_in
from console.controllers.watch import watch
from console.database import Connection, Database
from sync.ids import BootId, ControllerId, JournalId, Nonce
from sync.messages import NO_VERSION, Report
from tests.support import makerspace

FRONT_PI = ControllerId("front-pi")
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
REPORT = Report(
    boot=BootId("bb" * 16),
    journal=JournalId("cc" * 16),
    mono_ms=1000,
    nonce=Nonce("dd" * 16),
    applied=NO_VERSION,
    command_counter=0,
    state={"points": {"front": {"relay": "off"}}, "clock": {"time_ms": 5}},
)


@pytest.fixture(autouse=True)
async def controller(connection: Connection) -> None:
    await makerspace.controller(connection)


async def take(database: Database, report: Report, *, at: datetime = NOW) -> TakenIn:
    async with database.writing() as conn:
        return await take_in(conn, FRONT_PI, report, at=at)


def later(report: Report, **values: Any) -> Report:
    return replace(report, mono_ms=report.mono_ms + 1, **values)


async def test_the_first_report_is_news(database: Database):
    assert await take(database, REPORT) == TakenIn(is_news=True, is_change=True)


async def test_the_same_again_or_an_older_one_is_replayed(database: Database):
    newer = later(REPORT, state={})
    await take(database, newer)
    assert await take(database, newer) == TakenIn(is_news=False, is_change=False)
    assert await take(database, REPORT) == TakenIn(is_news=False, is_change=False)


async def test_another_boot_begins_its_time_anew(database: Database):
    await take(database, REPORT)
    booted = replace(REPORT, boot=BootId("ee" * 16), mono_ms=3)
    assert await take(database, booted) == TakenIn(is_news=True, is_change=True)


async def test_a_new_nonce_and_a_later_time_change_nothing_that_is_shown(database: Database):
    await take(database, REPORT)
    same = later(
        REPORT,
        nonce=Nonce("ff" * 16),
        state={"points": {"front": {"relay": "off"}}, "clock": {"time_ms": 9}},
    )
    assert await take(database, same) == TakenIn(is_news=True, is_change=False)


async def test_a_relay_that_moved_is_a_change(database: Database):
    await take(database, REPORT)
    moved = later(REPORT, state={"points": {"front": {"relay": "on"}}, "clock": {"time_ms": 5}})
    assert await take(database, moved) == TakenIn(is_news=True, is_change=True)


async def test_coming_back_after_a_silence_is_a_change(database: Database):
    await take(database, REPORT)
    at = NOW + OFFLINE_AFTER + timedelta(seconds=1)
    assert await take(database, later(REPORT), at=at) == TakenIn(is_news=True, is_change=True)


@pytest.mark.parametrize(
    ("text", "stored"), [("a\x00b", "ab"), ("a\\u0000b", "a\\u0000b"), ("a\ud800b", "ab")]
)
async def test_texts_that_postgresql_does_not_have_do_not_stop_a_report(
    database: Database, connection: Connection, text: str, stored: str
):
    await take(database, replace(REPORT, state={"faults": [text], "last_error": text}))
    cursor = await connection.execute(
        "select report #>> '{state,last_error}', report #>> '{state,faults,0}'"
        " from access.controller_report"
    )
    assert await cursor.fetchone() == (stored, stored)


def test_25_seconds_without_a_word_is_offline():
    assert not is_offline(NOW - timedelta(seconds=25), NOW)
    assert is_offline(NOW - timedelta(seconds=26), NOW)
    assert is_offline(None, NOW)


@asynccontextmanager
async def watching(database: Database) -> AsyncGenerator[None]:
    task = asyncio.create_task(watch(database, every_seconds=0.02))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_controller_that_falls_silent_is_announced_once(
    database: Database, database_url: str, connection: Connection
):
    await take(database, REPORT, at=datetime.now(UTC) - OFFLINE_AFTER + timedelta(seconds=0.4))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("listen access_report")
        async with watching(database):
            heard = [n.payload async for n in listening.notifies(timeout=1.5)]
    assert heard == ["front-pi"]
