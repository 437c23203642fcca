"""Whoever changes what rights depend on, we are told, and nobody's write ever fails for it."""

import psycopg
import pytest
from psycopg import sql

from tests.support.web_app import CHANGES, WATCHED


async def told(listener: psycopg.AsyncConnection) -> set[str]:
    """Payloads that came for what was committed before now."""
    await listener.execute("notify access_changed, 'end'")
    payloads: set[str] = set()
    async for notification in listener.notifies(timeout=5):
        if notification.payload == "end":
            return payloads
        payloads.add(notification.payload)
    raise AssertionError("the end was not told")


async def test_everything_of_ours_in_public_is_a_trigger_of_a_known_name(taken_over: str) -> None:
    with psycopg.connect(taken_over) as connection:
        names = connection.execute(
            "select distinct tgname::text from pg_trigger where not tgisinternal order by 1"
        ).fetchall()
    assert names == [
        ("access_changed",),
        ("access_checkout",),
        ("access_circle_left",),
        ("access_claim",),
        ("access_index_payment",),
        ("access_index_payments",),
        ("access_session_ended",),
        ("audit",),
        ("keep_history",),
    ]


@pytest.mark.parametrize("table", WATCHED)
async def test_the_web_app_still_writes_and_we_are_told(
    table: str, web_app: psycopg.Connection, listener: psycopg.AsyncConnection
) -> None:
    for change in CHANGES[table]:
        assert web_app.execute(change).rowcount == 1
        assert await told(listener) == {table}


@pytest.mark.parametrize("table", WATCHED)
async def test_the_web_app_still_writes_when_telling_fails(
    table: str, taken_over: str, web_app: psycopg.Connection
) -> None:
    with psycopg.connect(taken_over) as connection:
        # What our trigger calls is gone: in this database, and only for this test.
        connection.execute("alter function pg_catalog.pg_notify(text, text) rename to pg_gone")
    for change in CHANGES[table]:
        assert web_app.execute(change).rowcount == 1


OURS = ("door", "door_circle", "card", "open_hours", "tool_point", "break_glass_card")


@pytest.mark.parametrize("table", [*WATCHED, *(f"access.{name}" for name in OURS)])
async def test_emptying_a_table_is_told(table: str, listener: psycopg.AsyncConnection) -> None:
    name = sql.SQL(".").join(map(sql.Identifier, table.split(".")))
    await listener.execute(sql.SQL("truncate {} cascade").format(name))
    assert table.split(".")[-1] in await told(listener)


async def test_a_controllers_counter_is_not_told_but_the_rest_of_it_is(
    listener: psycopg.AsyncConnection,
) -> None:
    for statement in (
        "insert into access.controller (id) values ('pi')",
        "update access.controller set quarantined_at = now(), quarantine_reason = 'fork'",
        "update access.controller set public_key = '', entry_key = '', broker_password_hash = '', "
        "enrolled_at = now()",
        "delete from access.controller",
    ):
        await listener.execute(statement.encode())
        assert await told(listener) == {"controller"}, statement
    await listener.execute("insert into access.controller (id) values ('pi')")
    assert await told(listener) == {"controller"}
    await listener.execute("update access.controller set command_counter = command_counter + 1")
    assert await told(listener) == set()


async def test_the_counter_is_the_only_column_of_a_controller_that_is_not_told(
    taken_over: str,
) -> None:
    with psycopg.connect(taken_over) as connection:
        silent = connection.execute(
            """
            select attname::text from pg_attribute, pg_trigger
            where attrelid = 'access.controller'::regclass and tgrelid = attrelid
              and tgname = 'access_changed' and attnum > 0 and attnum <> all (tgattr)
            """
        ).fetchall()
    assert silent == [("command_counter",)]


async def test_a_writer_cannot_slip_a_function_of_its_own_under_the_trigger(
    web_app: psycopg.Connection, listener: psycopg.AsyncConnection
) -> None:
    web_app.execute(
        b"""
        create function pg_temp.pg_notify(text, text) returns void language plpgsql
          as $$ begin raise exception 'taken over as %', current_user; end $$;
        create function pg_temp.lower(text) returns text language plpgsql
          as $$ begin raise exception 'taken over as %', current_user; end $$;
        set search_path = pg_temp, pg_catalog, public;
        """
    )
    with pytest.raises(psycopg.errors.RaiseException):
        web_app.execute("select pg_temp.pg_notify('', '')")
    web_app.execute(b"update public.account set phone = '1'")
    assert await told(listener) == {"account"}


async def test_the_trigger_function_has_a_fixed_search_path(taken_over: str) -> None:
    with psycopg.connect(taken_over) as connection:
        settings = connection.execute(
            "select prosecdef, proconfig from pg_proc where proname like 'announce%'"
        ).fetchall()
    assert settings == 3 * [(True, ["search_path=pg_catalog, pg_temp"])]


async def test_the_web_app_takes_and_returns_tools_also_when_telling_fails(
    taken_over: str, web_app: psycopg.Connection, listener: psycopg.AsyncConnection
) -> None:
    await listener.execute("listen access_checkout")
    for change in CHANGES["tool_checkout"]:
        assert web_app.execute(change).rowcount == 1
        assert await told(listener) == {"tool_checkout"}
    with psycopg.connect(taken_over) as connection:
        connection.execute("alter function pg_catalog.pg_notify(text, text) rename to pg_gone")
    for change in CHANGES["tool_checkout"]:
        assert web_app.execute(change).rowcount == 1
