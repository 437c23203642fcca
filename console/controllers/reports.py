"""What a controller says of itself: stored when it is news, announced when it changes something.

A report is believed because it is signed, and only if it is newer than the one before: a replayed
one must not make a door look as it was. What pages show of it is for `console.doors`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from msgspec import Struct

from console.controllers import opening_queries, queries
from console.controllers.queries import Json, ReportRow
from console.controllers.unrecorded import openings
from console.database import Connection
from sync.ids import ControllerId
from sync.messages import Report, encode_report

OFFLINE_AFTER = timedelta(seconds=25)
"""A report comes at least every 10 s: so long without one means that nothing is known any more."""


class TakenIn(Struct, frozen=True):
    """Whether a report was newer than the one before, and whether it changes what pages show."""

    is_news: bool
    is_change: bool


async def take_in(
    conn: Connection, controller: ControllerId, report: Report, *, at: datetime
) -> TakenIn:
    """Stores a report, in the caller's transaction."""
    before = await queries.lock_report(conn, controller=controller)
    if before is not None and is_replayed(before.report, report):
        return TakenIn(is_news=False, is_change=False)
    report = replace(report, state=cast("Json", _storable(report.state)))
    is_change = before is None or changes(before, report, at=at)
    text = encode_report(report).decode()
    told = openings({"state": report.state})
    if told:
        await opening_queries.keep(
            conn, controller=controller, boot=report.boot, told=told, told_at=at
        )
    await queries.put_report(
        conn, controller=controller, received_at=at, report=text, tell=is_change
    )
    return TakenIn(is_news=True, is_change=is_change)


def is_replayed(before: Json, report: Report) -> bool:
    """Whether this report, or one after it, has been stored before. Known within a boot only."""
    mono_ms = before.get("mono_ms")
    return (
        before.get("boot") == report.boot and isinstance(mono_ms, int) and report.mono_ms <= mono_ms
    )


def changes(before: ReportRow, report: Report, *, at: datetime) -> bool:
    """Whether pages would show something else than before."""
    return at - before.received_at > OFFLINE_AFTER or _steady(before.report) != _steady(
        json.loads(encode_report(report))
    )


def is_offline(received_at: datetime | None, now: datetime) -> bool:
    """Whether too long ago to say what is true now. None: never."""
    return received_at is None or now - received_at > OFFLINE_AFTER


def _storable(value: object) -> object:
    """Without NUL and lone surrogates, which PostgreSQL's texts don't have."""
    match value:
        case str():
            return value.encode("utf-8", "ignore").decode().replace("\0", "")
        case list():
            return [_storable(each) for each in cast("list[object]", value)]
        case dict():
            fields = cast("Mapping[str, object]", value)
            return {str(_storable(key)): _storable(each) for key, each in fields.items()}
        case _:
            return value


def _steady(value: object) -> object:
    """Without the nonce and all times, which are new in each report."""
    if not isinstance(value, dict):
        return value
    fields = cast("Mapping[str, object]", value)
    return {
        key: _steady(below)
        for key, below in fields.items()
        if key != "nonce" and not key.endswith("_ms")
    }
