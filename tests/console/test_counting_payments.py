"""Which payments count, and when, as everything that asks about payments is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.database import Connection
from console.rights.people_queries import EARLY_SECONDS, SLACK_HOURS
from tests.support import makerspace

BEGINS = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDS = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


async def counting(connection: Connection, columns: str) -> list[Any]:
    cursor = await connection.execute(
        f"select {columns} from access.counting_payments()".encode()  # noqa: S608 ours
    )
    return await cursor.fetchall()


async def test_it_counts_a_little_earlier_and_a_day_longer(connection: Connection) -> None:
    account = await makerspace.account(connection)
    await makerspace.payment(connection, account=account, start=BEGINS, end=ENDS)
    [(owner, begins, ends)] = await counting(connection, "account, counts_from, counts_until")
    assert (owner, begins, ends) == (
        account,
        BEGINS - timedelta(seconds=EARLY_SECONDS),
        ENDS + timedelta(hours=SLACK_HOURS),
    )


@pytest.mark.parametrize("amount", [0, -500, Decimal("NaN"), Decimal("-0.01")])
async def test_what_brings_no_money_does_not_count(
    connection: Connection, amount: Decimal | int
) -> None:
    account = await makerspace.account(connection)
    await makerspace.payment(connection, account=account, amount=amount)
    assert await counting(connection, "id") == []


@pytest.mark.parametrize("instant", ["-infinity", "infinity", "4713-01-01 BC", "294000-01-01"])
async def test_any_instant_is_one(connection: Connection, instant: str) -> None:
    account = await makerspace.account(connection)
    await makerspace.payment(connection, account=account)
    await connection.execute(
        "update stripe_payment set start_date = %(at)s, end_date = %(at)s", {"at": instant}
    )
    [row] = await counting(
        connection, "counts_from > '1970-01-01', counts_until < '9000-01-02 00:00:01+00'"
    )
    assert row == (True, True)


async def test_of_few_people_only_their_own_payments_are_read(connection: Connection) -> None:
    await connection.execute("set enable_seqscan = off")  # the tables are empty
    cursor = await connection.execute(
        """
        explain select p.counts_until from access.payment_owner o
        join access.counting_payments() p on p.id = o.payment and p.account = o.account
        where o.account = 7
        """
    )
    plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert "Function Scan" not in plan
    assert "membership_payment_pkey" in plan
