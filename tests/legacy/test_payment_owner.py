"""Payments are found by person without reading everybody's, whoever writes them."""

import psycopg
import pytest

from console.database import Database
from console.rights import people_queries
from sync.ids import AccountRef

INSERT = """
insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id, start_date,
    end_date, amount, payment_date)
  select now(), %s, now(), %s, 'in_' || n, now() - interval '1 day', now() + interval '1 month',
    500, now() from generate_series(1, 3) n
"""


def index(connection: psycopg.Connection) -> set[tuple[int, int]]:
    rows = connection.execute("select payment, account from access.payment_owner").fetchall()
    return {(int(payment), int(account)) for payment, account in rows}


def truth(connection: psycopg.Connection) -> set[tuple[int, int]]:
    rows = connection.execute("select id, created_by from stripe_payment").fetchall()
    return {(int(payment), int(account)) for payment, account in rows}


def test_what_the_web_app_writes_is_indexed(
    web_app: psycopg.Connection, ours: psycopg.Connection
) -> None:
    assert index(ours) == truth(ours)
    web_app.execute(INSERT, [101, 101])
    assert {account for _, account in index(ours)} >= {101}
    assert index(ours) == truth(ours)
    web_app.execute("update stripe_payment set created_by = 1 where stripe_id = 'in_2'")
    assert index(ours) == truth(ours)
    web_app.execute("delete from stripe_payment where stripe_id = 'in_1'")
    assert index(ours) == truth(ours)
    ours.execute("truncate stripe_payment")
    assert index(ours) == truth(ours) == set()


def test_a_write_never_fails_for_the_index(
    web_app: psycopg.Connection, ours: psycopg.Connection
) -> None:
    ours.execute("alter table access.payment_owner rename to gone")
    assert web_app.execute(INSERT, [101, 101]).rowcount == 3
    assert web_app.execute("delete from stripe_payment").rowcount >= 3


@pytest.mark.parametrize("is_mended", [False, True])
async def test_rights_are_those_of_the_payments_themselves(
    ours: psycopg.Connection, beside: Database, is_mended: bool
) -> None:
    ours.execute(INSERT, [101, 101])
    # What went on while the trigger was off: one payment became somebody else's, one is new.
    ours.execute("alter table stripe_payment disable trigger access_index_payment")
    ours.execute("update stripe_payment set created_by = 1 where created_by = 101")
    ours.execute(INSERT.replace("'in_'", "'later_'"), [101, 101])
    async with beside.writing(by=None) as conn:
        if is_mended:
            await people_queries.index_payments(conn)
        [one] = await people_queries.people(conn, account=AccountRef(101), ended_after_ms=0)
        everybody = await people_queries.people(conn, account=None, ended_after_ms=0)
    truly = next(person for person in everybody if person.account == 101)
    assert len(truly.paid) == 3
    # Without the mending nothing is found: a payment too few, never somebody else's.
    assert sorted(p.end_ms for p in one.paid) == (
        sorted(p.end_ms for p in truly.paid) if is_mended else []
    )
    if is_mended:
        assert index(ours) == truth(ours)
