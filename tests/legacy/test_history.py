"""What our changes leave in the `*_version` tables, row for row as the web app would."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from console.database import Author, Database
from tests.support import makerspace
from tests.support.authors import somebody_at
from tests.support.version_tables import (
    DELETE,
    INSERT,
    UPDATE,
    VERSIONED,
    Version,
    faults,
    rows,
    transactions,
    versions,
)
from tests.support.web_app import CHANGES

MADE = b"""
insert into company (id, created_at, created_by, updated_at, updated_by, name, active, contact)
values (700, now(), 1, now(), 1, 'made', true, 101)
"""


@contextmanager
def undone(connection: psycopg.Connection) -> Generator[None]:
    """What is done inside is rolled back; a savepoint, inside of a transaction."""
    with connection.transaction(force_rollback=True):
        yield


def names(found: list[Version]) -> list[tuple[int, str]]:
    return [(version.kind, version.content["name"]) for version in found]


def new_rows(ours: psycopg.Connection, table: str, before: dict[int, Any]) -> dict[int, Any]:
    return {key: row for key, row in rows(ours, table).items() if key not in before}


def test_every_table_with_versions_is_covered(ours: psycopg.Connection):
    found = ours.execute(
        """
        select t.relname::text
        from pg_class t join pg_class v on v.relname = t.relname || '_version'
        where t.relnamespace = 'public'::regnamespace and v.relnamespace = t.relnamespace
        order by 1
        """
    ).fetchall()
    assert [name for (name,) in found] == list(VERSIONED) == sorted(CHANGES)


@pytest.mark.parametrize("table", VERSIONED)
def test_a_row_that_is_made_changed_and_deleted(table: str, ours: psycopg.Connection):
    make, change, delete = CHANGES[table]
    known = len(transactions(ours))
    before = rows(ours, table)

    ours.execute(make)
    ((row_id, made),) = new_rows(ours, table, before).items()
    ours.execute(change)
    changed = rows(ours, table)[row_id]
    ours.execute(delete)
    assert row_id not in rows(ours, table)

    first, second, *third = [one.id for one in transactions(ours)[known:]]
    if table == "circle":
        made = made | {"description": ""}
    if table == "stripe_customer":
        # Its versions may not have the same stripe_id twice: the deletion has no version.
        assert versions(ours, table, row_id) == [
            Version(row_id, first, second, INSERT, made),
            Version(row_id, second, None, UPDATE, changed),
        ]
        return
    assert versions(ours, table, row_id) == [
        Version(row_id, first, second, INSERT, made),
        Version(row_id, second, third[0], UPDATE, changed),
        Version(row_id, third[0], None, DELETE, changed),
    ]
    assert len(third) == 1
    assert faults(ours) == []


def test_a_seeded_row_has_no_first_version(ours: psycopg.Connection):
    ours.execute("update circle set description = 'x' where id = 2")
    ours.execute("delete from circle_member where circle = 2")
    assert [version.kind for version in versions(ours, "circle")] == [UPDATE]
    assert [version.kind for version in versions(ours, "circle_member")] == [DELETE]
    assert faults(ours) == []


async def test_a_tool_that_is_taken_over(beside: Database, ours: psycopg.Connection):
    """Alice has it, Grace takes it: one transaction deletes a row and adds another."""
    take = """
        insert into tool_checkout
          (created_at, created_by, updated_at, updated_by, tool_description, account, started)
        values (now(), %(who)s, now(), %(who)s, 401, %(who)s, now())
        """
    async with beside.writing() as conn:
        await conn.execute(take, {"who": 101})
    async with beside.writing() as conn:
        await conn.execute("delete from tool_checkout where tool_description = 401")
        await conn.execute(take, {"who": 1})
    async with beside.writing() as conn:
        await conn.execute("delete from tool_checkout where tool_description = 401")

    first, second, third = [one.id for one in transactions(ours)[-3:]]
    seen = [
        (one.transaction, one.ended_by, one.kind, one.content["account"])
        for one in versions(ours, "tool_checkout")
    ]
    assert seen == [
        (first, second, INSERT, 101),
        (second, None, DELETE, 101),
        (second, third, INSERT, 1),
        (third, None, DELETE, 1),
    ]
    assert faults(ours) == []


async def test_a_transaction_has_one_row_however_much_it_changes(
    beside: Database, ours: psycopg.Connection
):
    known = transactions(ours)
    async with beside.writing(by=somebody_at("2001:db8::7")) as conn:
        someone = await makerspace.account(conn)
        circle = await makerspace.circle(conn)
        await makerspace.circle_member(conn, account=someone, circle=circle)
        await conn.execute("update company set active = false")
    ((new),) = transactions(ours)[len(known) :]
    assert new.remote_addr == "2001:db8::7"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", new.issued_at)
    issued_at = datetime.fromisoformat(new.issued_at).replace(tzinfo=UTC)
    assert timedelta() <= datetime.now(UTC) - issued_at < timedelta(minutes=1)
    for table in ("account", "circle", "circle_member", "company"):
        assert [one.transaction for one in versions(ours, table)] == [new.id]


async def test_the_address_of_one_change_is_not_that_of_the_next(
    beside: Database, ours: psycopg.Connection
):
    for address in ("10.0.0.1", None, "10.0.0.2" * 20):
        async with beside.writing(by=Author(None, address, "a test")) as conn:
            await makerspace.account(conn)
    addresses = [one.remote_addr for one in transactions(ours)[-3:]]
    assert addresses == ["10.0.0.1", None, ("10.0.0.2" * 20)[:100]]


def test_each_transaction_of_a_connection_has_a_row_of_its_own(ours: psycopg.Connection):
    known = len(transactions(ours))
    ours.execute(MADE)
    with ours.transaction():
        ours.execute("update company set name = 'two' where id = 700")
    with undone(ours):
        ours.execute("update company set name = 'lost' where id = 700")
    ours.execute("update company set name = 'three' where id = 700")
    ids = [one.id for one in transactions(ours)[known:]]
    assert [one.transaction for one in versions(ours, "company", 700)] == ids
    assert names(versions(ours, "company", 700)) == [
        (INSERT, "made"),
        (UPDATE, "two"),
        (UPDATE, "three"),
    ]
    assert faults(ours) == []


def test_a_note_of_another_transaction_is_not_believed(ours: psycopg.Connection):
    ours.execute(MADE)
    (made,) = versions(ours, "company", 700)
    ours.execute("select set_config('p2k16.transaction', %s, false)", [f"1 {made.transaction}"])
    ours.execute("update company set name = 'two' where id = 700")
    assert names(versions(ours, "company", 700)) == [(INSERT, "made"), (UPDATE, "two")]
    assert faults(ours) == []


def test_what_does_not_change_leaves_nothing(ours: psycopg.Connection):
    known = transactions(ours)
    ours.execute("update company set name = name, active = active")
    ours.execute("insert into event (created_at, created_by, domain) values (now(), 1, 'door')")
    assert transactions(ours) == known
    assert versions(ours, "company") == []


@pytest.mark.parametrize(
    ("before", "changes", "left"),
    [
        ([], ["insert", "update"], [(INSERT, "update")]),
        ([], ["insert", "delete"], []),
        ([], ["insert", "update", "delete"], []),
        ([], ["insert", "delete", "insert", "update"], [(INSERT, "update")]),
        (["insert"], ["update", "again"], [(INSERT, "insert"), (UPDATE, "again")]),
        (["insert"], ["update", "delete"], [(INSERT, "insert"), (DELETE, "update")]),
        (["insert"], ["delete", "insert", "again"], [(INSERT, "insert"), (UPDATE, "again")]),
        (["insert"], ["delete", "insert", "delete"], [(INSERT, "insert"), (DELETE, "insert")]),
    ],
)
def test_several_changes_in_one_transaction_are_one_version(
    before: list[str],
    changes: list[str],
    left: list[tuple[int, str]],
    ours: psycopg.Connection,
):
    def change(word: str) -> None:
        if word == "insert":
            ours.execute(MADE.replace(b"'made'", b"'insert'"))
        elif word == "delete":
            ours.execute("delete from company where id = 700")
        else:
            ours.execute("update company set name = %s where id = 700", [word])

    for word in before:
        change(word)
    with ours.transaction():
        for word in changes:
            change(word)
    assert names(versions(ours, "company", 700)) == left
    assert faults(ours) == []


def test_an_id_that_came_and_went_leaves_the_last_deletion_open(ours: psycopg.Connection):
    ours.execute(MADE)
    ours.execute("delete from company where id = 700")
    with ours.transaction():
        ours.execute(MADE)
        ours.execute("delete from company where id = 700")
    assert [one.kind for one in versions(ours, "company", 700)] == [INSERT, DELETE]
    assert faults(ours) == []


def test_a_rollback_to_a_savepoint_takes_its_history_with_it(ours: psycopg.Connection):
    known = len(transactions(ours))
    with ours.transaction():
        with undone(ours):
            ours.execute(MADE)
        ours.execute("update account set phone = '1' where id = 101")
        with undone(ours):
            ours.execute("update account set phone = '2' where id = 101")
            ours.execute(MADE)
        with ours.transaction():
            ours.execute(MADE)
    (new,) = transactions(ours)[known:]
    (account,) = versions(ours, "account", 101)
    assert (account.transaction, account.content["phone"]) == (new.id, "1")
    (company,) = versions(ours, "company", 700)
    assert company.transaction == new.id
    assert faults(ours) == []


def test_any_value_comes_through_unharmed(ours: psycopg.Connection):
    ours.execute(
        """
        insert into account (id, created_at, updated_at, username, email, name, phone, system)
        values (800, 'infinity', '0044-03-15 BC', %s, 'e', %s, '', true);
        """,
        [r"\'\"%s{}", "Åse \N{OPEN BOOK}\n\t"],
    )
    ours.execute(
        """
        insert into stripe_payment (id, created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount)
        values (801, now(), 800, now(), 800, 'in', '-infinity', '2026-02-03 04:05:06.789012+05:30',
          'NaN')
        """
    )
    same = ours.execute(
        """
        select (select row(a) = row(v) from account a, (select id, created_at, updated_at, username,
            email, password, name, phone, reset_token, reset_token_validity, system,
            membership_number from account_version) v where a.id = 800),
          (select (p.start_date, p.end_date, p.amount) = (v.start_date, v.end_date, v.amount)
            from stripe_payment p join stripe_payment_version v using (id) where id = 801)
        """
    ).fetchone()
    assert same == (True, True)


def test_a_circle_without_description_can_be_touched(ours: psycopg.Connection):
    ours.execute("update circle set description = null where id = 2")
    ours.execute("update circle set updated_at = now() where id = 2")
    assert [one.content["description"] for one in versions(ours, "circle", 2)] == ["", ""]
    assert faults(ours) == []


def test_a_customer_may_change_and_come_back(ours: psycopg.Connection):
    """The versions of stripe_customer may have each stripe_id only once."""
    for statement in CHANGES["stripe_customer"][:2]:
        ours.execute(statement)
    ours.execute("update stripe_customer set updated_at = now()")
    ours.execute("update stripe_customer set stripe_id = 'cus_1'")
    assert [one.content["stripe_id"] for one in versions(ours, "stripe_customer")] == [
        "cus_1",
        "cus_2",
    ]
    ours.execute("update stripe_customer set stripe_id = 'cus_3'")
    kinds = [(one.kind, one.content["stripe_id"]) for one in versions(ours, "stripe_customer")]
    assert kinds == [(INSERT, "cus_1"), (UPDATE, "cus_2"), (UPDATE, "cus_3")]
    assert faults(ours) == []


@pytest.mark.parametrize("table", VERSIONED)
def test_what_others_change_is_left_to_them(
    table: str, web_app: psycopg.Connection, ours: psycopg.Connection
):
    """The web app writes its versions itself; at a psql prompt nobody does."""
    known = transactions(ours)
    for change in CHANGES[table]:
        assert web_app.execute(change).rowcount == 1
    assert versions(ours, table) == []
    assert transactions(ours) == known


def test_for_others_the_trigger_is_not_even_called(web_app: psycopg.Connection, taken_over: str):
    with psycopg.connect(taken_over) as connection:
        connection.execute(
            b"""
            create or replace function access.keep_history() returns trigger language plpgsql
              as $$ begin raise exception 'called'; end $$
            """
        )
    for statements in CHANGES.values():
        for change in statements:
            assert web_app.execute(change).rowcount == 1


def test_the_function_has_a_fixed_search_path(ours: psycopg.Connection):
    ours.execute(
        b"""
        create function pg_temp.to_jsonb(anyelement) returns jsonb language plpgsql
          as $$ begin raise exception 'taken over'; end $$;
        create temp table transaction (id bigint);
        create temp table company_version (id bigint);
        set search_path = pg_temp, pg_catalog, public;
        """
    )
    ours.execute("update public.company set active = false")
    assert [one.kind for one in versions(ours, "company")] == [UPDATE]
