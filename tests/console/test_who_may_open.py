"""The first who can open a door: of many, not all are weighed."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from console.database import Connection
from console.rights import access, people_queries, queries
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
            end = NOW - timedelta(hours=people_queries.SLACK_HOURS) + rng.choice(edges)
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
@pytest.mark.parametrize("first", [1, 7, 1000])
@pytest.mark.parametrize("most", [3, 100])
async def test_the_first_by_name_are_those_whom_the_rule_lets_in(
    connection: Connection, seed: int, first: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FIRST_WEIGHED", first)
    await crowd(connection, seed)
    [door] = await queries.doors(connection, key=FRONT)
    people = await people_queries.people(connection, account=None, ended_after_ms=0)
    allowed = {p.account for p in people if weigh(p, door, NOW_MS).decision.is_allowed}
    rows = await connection.execute(
        "select id from account order by lower(coalesce(name, username)), id"
    )
    wanted = [account for (account,) in await rows.fetchall() if account in allowed]
    assert len(wanted) > 3
    openers = await who_may_open(connection, door_key=FRONT, now_ms=NOW_MS, most=most)
    assert [person.account for person in openers] == wanted[:most]


async def test_nobody_can_where_no_card_of_ours_is_good_enough(connection: Connection) -> None:
    await crowd(connection, 1)
    await connection.execute("update access.door set min_assurance = 2")
    assert await who_may_open(connection, door_key=FRONT, now_ms=NOW_MS, most=9) == []
    assert await who_may_open(connection, door_key=PointKey("no"), now_ms=NOW_MS, most=9) == []
