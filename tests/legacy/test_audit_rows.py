"""What the trigger writes about a change, whose changes it heeds, and what it never tells."""

import re
from typing import Any

import psycopg
import pytest

from console.audit.columns import COLUMNS, NEVER_CHANGED, UNTOLD
from console.database import Author, Database
from tests.support import makerspace
from tests.support.version_tables import VERSIONED
from tests.support.web_app import CHANGES

NOT_AUDITED = {
    "audit",
    "controller_report",
    "event",
    "journal",
    "migration",
    "old_session_refusal",
    "payment_owner",
    "session",
    "site",
    "snapshot",
    "stripe_event",
    "told_opening",
    "verdict",
    "verdicts_kept",
}
"""Tables of ours that no person changes. A new table stands here or is audited."""


def audit(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select place, operation, account, old, new, about from access.audit order by id"
    ).fetchall()


def audited(connection: psycopg.Connection) -> dict[str, list[str]]:
    """The trigger's arguments, by table."""
    return {
        place: [argument.decode() for argument in arguments.split(b"\0")[:-1]]
        for place, arguments in connection.execute(
            """
            select n.nspname || '.' || c.relname, t.tgargs
            from pg_trigger t join pg_class c on c.oid = t.tgrelid
              join pg_namespace n on n.oid = c.relnamespace
            where t.tgname = 'audit'
            """
        )
    }


def test_every_table_that_people_change_is_audited(ours: psycopg.Connection):
    tables = ours.execute(
        "select relname::text from pg_class"
        " where relkind = 'r' and relnamespace = 'access'::regnamespace"
    ).fetchall()
    found = {f"access.{name}" for (name,) in tables if name not in NOT_AUDITED}
    assert set(audited(ours)) == found | {f"public.{name}" for name in VERSIONED}


def test_what_looks_like_a_secret_is_one(ours: psycopg.Connection):
    secrets: list[tuple[str, str]] = []
    for place, (_, _, _, secret, _) in audited(ours).items():
        columns = ours.execute(
            """
            select attname::text, atttypid = 'bytea'::regtype from pg_attribute
            where attrelid = %s::regclass and attnum > 0 and not attisdropped
            """,
            [place],
        ).fetchall()
        listed = secret.strip("{}").split(",") if secret != "{}" else []
        looking = {
            name
            for name, is_bytes in columns
            if is_bytes or (re.search("password|token|secret|digest|hash|_key", name))
        } - {"reset_token_validity"}
        assert set(listed) == looking, place
        secrets += [(place, name) for name in listed]
    assert sorted(secrets) == [
        ("access.avatar", "jpeg"),
        ("access.card", "site_digest"),
        ("access.controller", "broker_password_hash"),
        ("access.controller", "entry_key"),
        ("access.controller", "public_key"),
        ("public.account", "password"),
        ("public.account", "reset_token"),
    ]


@pytest.mark.parametrize("table", VERSIONED)
def test_a_row_that_comes_changes_and_goes_leaves_three_rows(table: str, ours: psycopg.Connection):
    for change in CHANGES[table]:
        assert ours.execute(change).rowcount == 1
    found = audit(ours)
    kinds = ["added", "changed", "removed"]
    if table == "company_employee":  # its change touches nothing but updated_at
        kinds.remove("changed")
    assert [(place, kind) for place, kind, *_ in found] == [
        (f"public.{table}", kind) for kind in kinds
    ]
    added, removed = found[0], found[-1]
    assert (added[3], added[5]) == (None, None)
    assert (removed[4], removed[5]) == (None, None)
    assert set(added[4]) == set(removed[3])
    assert not {"updated_at", "updated_by"} & set(added[4])


def test_of_a_change_there_is_what_changed_and_which_row_it_was(ours: psycopg.Connection):
    ours.execute(CHANGES["circle_member"][0])
    ours.execute(
        "update circle_member set comment = 'helps', updated_at = now(), updated_by = 3"
        " where circle = 3"
    )
    assert audit(ours)[-1] == (
        *("public.circle_member", "changed", 101),
        *({"comment": None}, {"comment": "helps"}, {"circle": 3}),
    )


def test_of_a_secret_there_is_only_that_it_changed(ours: psycopg.Connection):
    ours.execute("update account set password = '$2b$12$new', reset_token = 't0ken' where id = 1")
    ours.execute("update account set reset_token = null, phone = '1' where id = 1")
    first, second = audit(ours)
    hidden = "(secret)"
    assert first[3:5] == (
        {"password": hidden, "reset_token": None},
        {"password": hidden, "reset_token": hidden},
    )
    assert second[3:5] == (
        {"phone": None, "reset_token": hidden},
        {"phone": "1", "reset_token": None},
    )


def test_an_order_moves_the_counter_and_that_is_no_change(ours: psycopg.Connection):
    ours.execute("insert into access.controller (id) values ('front-pi')")
    ours.execute("update access.controller set command_counter = 7")
    assert [kind for _, kind, *_ in audit(ours)] == ["added"]


def test_what_became_of_an_order_is_no_change(ours: psycopg.Connection):
    ours.execute(
        "insert into access.command (id, point, operation, actor)"
        " values (gen_random_uuid(), 'gate', 'open', 101)"
    )
    ours.execute("update access.command set result = 'executed'")
    assert [kind for _, kind, *_ in audit(ours)] == ["added"]


def test_a_break_glass_card_concerns_whoever_has_the_card(ours: psycopg.Connection):
    ours.execute(
        "insert into access.card (account, credential_type, site_digest)"
        " values (101, 'em4100', decode(repeat('ab', 16), 'hex'))"
    )
    ours.execute("insert into access.break_glass_card (slot, card) select 1, id from access.card")
    assert [row[:3] for row in audit(ours)] == [
        ("access.card", "added", 101),
        ("access.break_glass_card", "added", 101),
    ]


def test_a_key_of_several_columns(ours: psycopg.Connection):
    ours.execute("insert into access.controller (id) values ('front-pi')")
    ours.execute(
        "insert into access.door (key, name, controller, open_seconds)"
        " values ('front', 'Front', 'front-pi', 5)"
    )
    ours.execute("insert into access.open_hours values ('front', 2, 1080, 1320)")
    ((key,),) = ours.execute(
        "select object from access.audit where place = 'access.open_hours'"
    ).fetchall()
    assert key == "front/2/1080"


@pytest.mark.parametrize("table", VERSIONED)
def test_what_others_change_leaves_nothing(
    table: str, web_app: psycopg.Connection, ours: psycopg.Connection
):
    for change in CHANGES[table]:
        assert web_app.execute(change).rowcount == 1
    assert audit(ours) == []


def test_the_web_app_cannot_read_it(web_app: psycopg.Connection):
    for statement in (
        b"select from access.audit",
        b"select access.audit_changes('public.account')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web_app.execute(statement)


def test_a_change_that_is_rolled_back_leaves_nothing(ours: psycopg.Connection):
    with ours.transaction():
        with ours.transaction(force_rollback=True):
            ours.execute(CHANGES["company"][0])
        ours.execute(CHANGES["circle"][0])
    with ours.transaction(force_rollback=True):
        ours.execute(CHANGES["company"][0])
    assert [place for place, *_ in audit(ours)] == ["public.circle"]


async def test_who_and_from_where_hold_for_one_transaction(
    beside: Database, ours: psycopg.Connection
):
    authors = (
        Author(101, "10.0.0.1", "POST /circles"),
        None,
        Author(None, "2001:db8::7" * 20, "x" * 300),
        Author(None, None, "p2k16-console accounts add"),
    )
    for author in authors:
        async with beside.writing(by=author) as conn:
            await makerspace.account(conn)
    found = ours.execute("select actor, address, doing from access.audit order by id").fetchall()
    assert found == [
        (101, "10.0.0.1", "POST /circles"),
        (None, None, None),
        (None, ("2001:db8::7" * 20)[:100], "x" * 200),
        (None, None, "p2k16-console accounts add"),
    ]


def test_a_new_table_is_audited_with_one_line(ours: psycopg.Connection):
    ours.execute(
        b"""
        create table access.locker (id bigint primary key, account bigint, pin_hash text,
          code bytea, note text, seen integer, updated_at timestamptz);
        select access.audit_changes('access.locker', ignored => '{seen}');
        insert into access.locker values (1, 101, 'h', '\\x01', 'left', 0);
        update access.locker set seen = 1, updated_at = now();
        update access.locker set note = 'right', seen = 2;
        """
    )
    hidden = "(secret)"
    assert audit(ours) == [
        (
            *("access.locker", "added", 101, None),
            {"id": 1, "account": 101, "pin_hash": hidden, "code": hidden, "note": "left"},
            None,
        ),
        ("access.locker", "changed", 101, {"note": "left"}, {"note": "right"}, {}),
    ]


def test_a_table_gets_a_further_secret(ours: psycopg.Connection):
    ours.execute("alter table access.card add column pin text")
    ours.execute("select access.audit_changes('access.card', secret => '{pin}')")
    ours.execute(
        "insert into access.card (account, credential_type, site_digest, pin)"
        " values (101, 'em4100', decode(repeat('ab', 16), 'hex'), '1234')"
    )
    ((_, _, _, _, new, _),) = audit(ours)
    assert (new["pin"], new["site_digest"]) == ("(secret)", "(secret)")


@pytest.mark.parametrize(
    "line",
    [
        b"select access.audit_changes('access.door', ignored => '{colour}')",
        b"select access.audit_changes('access.door', person => 'owner')",
        b"create table access.bare (id bigint); select access.audit_changes('access.bare')",
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(line: bytes, ours: psycopg.Connection):
    with pytest.raises(psycopg.errors.RaiseException, match="primary key"):
        ours.execute(line)


def test_the_function_has_a_fixed_search_path(ours: psycopg.Connection):
    ours.execute(
        b"""
        create function pg_temp.to_jsonb(anyelement) returns jsonb language plpgsql
          as $$ begin raise exception 'taken over'; end $$;
        create temp table audit (id bigint);
        set search_path = pg_temp, pg_catalog, public;
        """
    )
    ours.execute("update public.company set active = false")
    assert [row[:2] for row in audit(ours)] == [("public.company", "changed")]


def test_every_column_that_a_change_may_name_has_words(ours: psycopg.Connection):
    found = ours.execute(
        """
        select distinct c.column_name::text
          from information_schema.columns c
         where c.table_schema || '.' || c.table_name = any(%s)
        """,
        [list(audited(ours))],
    ).fetchall()
    nameless = {name for (name,) in found} - UNTOLD - COLUMNS.keys() - NEVER_CHANGED
    assert sorted(nameless) == []
