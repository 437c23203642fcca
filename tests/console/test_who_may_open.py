"""Who can open a door is counted in SQL: held here to the rule, person by person."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from console.database import Connection
from console.rights import people_queries, queries
from console.rights.access import weigh, who_may_open
from sync.ids import PointKey
from tests.support import makerspace

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
FRONT = PointKey("front")


async def crowd(connection: Connection, seed: int) -> None:
    """Sixty people of all kinds, at the edges of what counts as paid."""
    rng = random.Random(seed)
    await makerspace.controller(connection)
    await makerspace.door(connection)
    other = await makerspace.circle(connection, name="other")
    first = await makerspace.account(connection, username="zz-contact")
    companies = [
        await makerspace.company(connection, name=name, contact=first) for name in ("on", "off")
    ]
    await connection.execute("update company set active = false where name = 'off'")
    edges = [timedelta(), timedelta(milliseconds=1), -timedelta(milliseconds=1), timedelta(days=9)]
    for number in range(60):
        account = await makerspace.account(
            connection, username=f"p{rng.randrange(10**6):06}-{number}"
        )
        if rng.random() < 0.7:
            await makerspace.circle_member(connection, account=account)
        if rng.random() < 0.3:
            await makerspace.circle_member(connection, account=account, circle=other)
        if rng.random() < 0.15:
            await makerspace.employee(connection, account=account, company=rng.choice(companies))
        for _ in range(rng.randrange(3)):
            end = NOW - timedelta(hours=people_queries.GRACE_HOURS) + rng.choice(edges)
            begin = NOW + timedelta(seconds=people_queries.EARLY_SECONDS) + rng.choice(edges)
            early = NOW - timedelta(days=rng.randrange(1, 60))
            start, until = rng.choice(
                [(early, end), (begin, NOW + timedelta(days=30)), (begin, end)]
            )
            await makerspace.payment(connection, account=account, start=start, end=until)
    await connection.execute(
        "update stripe_payment set amount = 0 where id in"
        " (select id from stripe_payment order by id limit 4)"
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [3, 100])
async def test_count_and_first_are_those_whom_the_rule_lets_in(
    connection: Connection, seed: int, limit: int
) -> None:
    await crowd(connection, seed)
    [door] = await queries.doors(connection, key=FRONT)
    people = await people_queries.people(connection, account=None, ended_after_ms=0)
    allowed = {p.account for p in people if weigh(p, door, NOW_MS).decision.is_allowed}
    names = {
        row[0]: row[1]
        for row in await (
            await connection.execute("select id, lower(coalesce(name, username)) from account")
        ).fetchall()
    }
    count, openers = await who_may_open(connection, door_key=FRONT, now_ms=NOW_MS, limit=limit)
    assert count == len(allowed) > 3
    wanted = sorted(allowed, key=lambda account: (names[account], account))
    assert [opener.account for opener in openers] == wanted[:limit]


async def test_nobody_is_counted_where_no_card_of_ours_is_good_enough(
    connection: Connection,
) -> None:
    await crowd(connection, 1)
    await connection.execute("update access.door set min_assurance = 2")
    assert await who_may_open(connection, door_key=FRONT, now_ms=NOW_MS, limit=9) == (0, [])
    assert await who_may_open(connection, door_key=PointKey("no"), now_ms=NOW_MS, limit=9) == (
        0,
        (),
    )
