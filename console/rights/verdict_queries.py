"""SQL of the verdicts: why each person could use each point, and when that changed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.rights.verdict import Ground, Verdicts, Window
from sync.ids import AccountRef, PointKey

Digests = dict[AccountRef, bytes]


class Row(Struct, frozen=True):
    """The verdicts on one person, as they are stored. `grounds` is JSON."""

    account: AccountRef
    pays: bool
    not_before_ms: int | None
    not_after_ms: int | None
    grounds: str
    digest: bytes


class _StoredRow(Struct, frozen=True):
    pays: bool
    not_before_ms: int | None
    not_after_ms: int | None
    grounds: dict[str, str]


def rows(verdicts: Mapping[AccountRef, Verdicts]) -> dict[AccountRef, Row]:
    """What is to be stored of each person. Those who are alike share their JSON."""
    texts: dict[int, str] = {}
    found: dict[AccountRef, Row] = {}
    for account, hers in verdicts.items():
        alike = id(hers.grounds)
        if alike not in texts:
            texts[alike] = json.dumps(hers.grounds, sort_keys=True)
        window = hers.window or Window()
        pays, begins, ends = hers.window is not None, window.not_before_ms, window.not_after_ms
        digest = hashlib.sha256(f"{pays} {begins} {ends} {texts[alike]}".encode()).digest()[:16]
        found[account] = Row(account, pays, begins, ends, texts[alike], digest)
    return found


async def digests(conn: Connection) -> Digests:
    """Of the verdicts that still hold."""
    cursor = await conn.execute("select account, digest from access.verdict where until is null")
    return {AccountRef(row[0]): bytes(row[1]) for row in await cursor.fetchall()}


async def store(
    conn: Connection, changed: Mapping[AccountRef, Row | None], *, at: datetime
) -> None:
    """Ends what held of these people, and begins what holds from now on; None: nothing does."""
    await conn.execute(
        "insert into access.verdicts_kept (since) values (%(at)s) on conflict do nothing",
        {"at": at},
    )
    await conn.execute(
        """
        update access.verdict set until = greatest(%(at)s, since)
         where account = any(%(accounts)s::bigint[]) and until is null
        """,
        {"at": at, "accounts": list(changed)},
    )
    new = [row for row in changed.values() if row is not None]
    await conn.execute(
        # A clock that was set back may meet a row of the same moment: the later word counts.
        """
        insert into access.verdict
          (account, since, pays, not_before_ms, not_after_ms, grounds, digest)
        select new.account, %(at)s, new.pays, new.begins, new.ends, new.grounds::jsonb, new.digest
          from unnest(
            %(account)s::bigint[], %(pays)s::boolean[], %(begins)s::bigint[], %(ends)s::bigint[],
            %(grounds)s::text[], %(digest)s::bytea[]
          ) as new (account, pays, begins, ends, grounds, digest)
        on conflict (account, since) do update
          set until = null, pays = excluded.pays, not_before_ms = excluded.not_before_ms,
              not_after_ms = excluded.not_after_ms, grounds = excluded.grounds,
              digest = excluded.digest
        """,
        {
            "at": at,
            "account": [row.account for row in new],
            "pays": [row.pays for row in new],
            "begins": [row.not_before_ms for row in new],
            "ends": [row.not_after_ms for row in new],
            "grounds": [row.grounds for row in new],
            "digest": [row.digest for row in new],
        },
    )


async def at(
    conn: Connection, *, account: AccountRef, moment: datetime, kept_days: int
) -> Verdicts | None:
    """What held of somebody at a moment; None: that isn't kept (any more).

    A row that has no grounds for a point was written before that point was known.
    """
    async with conn.cursor(row_factory=class_row(_StoredRow)) as cursor:
        await cursor.execute(
            """
            select coalesce(v.pays, false) as pays, v.not_before_ms, v.not_after_ms,
                   coalesce(v.grounds, '{}') as grounds
              from access.verdicts_kept k
              left join access.verdict v on v.account = %(account)s
                and v.since <= %(moment)s and (v.until is null or v.until > %(moment)s)
             where k.since <= %(moment)s
               and %(moment)s > now() - make_interval(days => %(kept_days)s)
             order by v.since desc
             limit 1
            """,
            {"account": account, "moment": moment, "kept_days": kept_days},
        )
        row = await cursor.fetchone()
    if row is None:
        return None
    grounds = {PointKey(key): Ground(ground) for key, ground in row.grounds.items()}
    return Verdicts(
        grounds,
        frozenset(key for key, ground in grounds.items() if ground.is_enough),
        Window(row.not_before_ms, row.not_after_ms) if row.pays else None,
    )


async def prune(conn: Connection, *, days: int) -> int:
    """Deletes what has been otherwise for longer than `days`; how many rows.

    What holds is never deleted, so that any tap of the last `days` can be explained.
    """
    cursor = await conn.execute(
        "delete from access.verdict where until < now() - make_interval(days => %(days)s)",
        {"days": days},
    )
    return cursor.rowcount
