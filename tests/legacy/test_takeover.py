"""An existing database of the web app gets our schema and our triggers, and is else left alone."""

import re
import secrets
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from console.database import SESSION, open_database
from console.migrate import Found, is_ours, migrate, remove, state_of
from console.migrations.files import MigrationRefused
from console.postgres.binaries import INSTALLED, installed_binaries, packaged_binaries
from tests.support.postgres import Postgres, console_settings
from tests.support.version_tables import VERSIONED, faults, versions
from tests.support.web_app import AS_WEB_APP, CHANGES, WATCHED


def dump(url: str, *options: str) -> list[str]:
    """The schema `public` with all its rows, as PostgreSQL's own program writes it down."""
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10000
    packaged = packaged_binaries()
    candidates = [*installed_binaries(INSTALLED), *([packaged] if packaged else [])]
    programs = next(binaries.folder for binaries in candidates if binaries.major == major)
    written = subprocess.run(
        [programs / "pg_dump", "--schema=public", *options, url],
        check=True,
        capture_output=True,
        text=True,
    )
    # Each dump has a random word of its own here, so that its text can't pass for a command.
    return re.sub(r"^\\(un)?restrict .*$", "", written.stdout, flags=re.MULTILINE).splitlines()


async def test_it_is_recognised_and_v001_is_written_down_as_already_there(legacy_url: str) -> None:
    state = await state_of(legacy_url)
    assert state.found is Found.LEGACY
    result = await migrate(legacy_url)
    assert result.found is Found.LEGACY
    assert all(version.startswith("V001.") for version in result.recorded)
    assert all(version.startswith("V002.") for version in result.applied)
    assert (*result.recorded, *result.applied) == state.pending
    again = await migrate(legacy_url)
    assert (again.found, again.applied, again.recorded) == (Found.OURS, (), ())


async def test_only_triggers_are_added_and_no_row_is_changed(legacy_url: str) -> None:
    before = dump(legacy_url)
    await migrate(legacy_url)
    after = dump(legacy_url)
    triggers = [line for line in after if line.startswith("CREATE TRIGGER")]
    hints = len(WATCHED) + 2  # the last ones: of checkouts, and of who has left a circle
    payments = 2  # whose a payment is: V002.018
    assert len(triggers) == hints + payments + 2 * len(VERSIONED), "and history and audit"
    for table in WATCHED:
        assert any(f"ON public.{table} FOR EACH STATEMENT" in line for line in triggers)
    for table in VERSIONED:
        assert any(f"ON public.{table} FOR EACH ROW WHEN" in line for line in triggers)

    def without_triggers(lines: list[str]) -> list[str]:
        comment = re.compile(r"-- Name: .* Type: TRIGGER; ")
        return [line for line in lines if line.strip(" -") and not comment.match(line)]

    assert without_triggers(before) == [
        line for line in without_triggers(after) if line not in triggers
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "select from access.card",
        "insert into access.controller (id) values ('mine')",
        "delete from access.migration",
        "select access.announce_change()",
        "select access.announce_on()",
    ],
)
async def test_the_web_app_cannot_look_into_our_schema(
    statement: str, web_app: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web_app.execute(statement.encode())


async def test_it_cannot_even_where_everything_new_is_given_to_it(legacy_url: str) -> None:
    with psycopg.connect(legacy_url) as connection:
        for kind in ("schemas", "tables", "sequences"):
            statement = f'alter default privileges grant all on {kind} to "p2k16-web"'
            connection.execute(statement.encode())
    await migrate(legacy_url)
    with psycopg.connect(legacy_url, autocommit=True) as connection:
        rights = connection.execute(
            """
            select has_schema_privilege('p2k16-web', 'access', 'usage, create'),
              has_function_privilege('p2k16-web', 'access.announce_change()', 'execute')
            """
        ).fetchone()
        assert rights == (False, False)
        connection.execute(AS_WEB_APP)
        for table in ("card", "site", "migration"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select from access.{table}".encode())


async def test_a_database_of_a_fork_with_more_columns_is_taken_over(legacy_url: str) -> None:
    with psycopg.connect(legacy_url) as connection:
        connection.execute("alter table account add nickname text")
        connection.execute("create table laser_log (id bigint)")
    assert (await migrate(legacy_url)).found is Found.LEGACY


async def test_a_database_that_is_partly_there_is_refused_by_what_it_lacks(legacy_url: str) -> None:
    with psycopg.connect(legacy_url) as connection:
        connection.execute("drop table tool_checkout_version")
        connection.execute("alter table account drop reset_token")
    before = dump(legacy_url)
    with pytest.raises(MigrationRefused, match=r"account\.reset_token, tool_checkout_v"):
        await migrate(legacy_url)
    assert dump(legacy_url) == before


async def test_a_database_of_something_else_is_refused(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create table wp_posts (id bigint)")
    with pytest.raises(MigrationRefused, match="it has wp_posts, but lacks account, account_badge"):
        await migrate(empty_database_url)
    with pytest.raises(MigrationRefused, match="wp_posts"):
        await state_of(empty_database_url)


async def test_a_table_in_use_is_waited_for_four_seconds_and_then_left_alone(
    legacy_url: str,
) -> None:
    before = dump(legacy_url)
    with psycopg.connect(legacy_url) as web_app:
        web_app.execute("update account set phone = '1'")
        began = time.monotonic()
        with pytest.raises(MigrationRefused, match=r"V002\.002.*try again"):
            await migrate(legacy_url)
        assert 3.9 < time.monotonic() - began < 6
        web_app.rollback()
    assert dump(legacy_url) == before
    assert (await state_of(legacy_url)).found is Found.LEGACY


async def test_all_that_was_added_can_be_removed_again(legacy_url: str) -> None:
    before = dump(legacy_url)
    await migrate(legacy_url)
    assert await remove(legacy_url)
    assert dump(legacy_url) == before
    with psycopg.connect(legacy_url) as connection:
        schemas = connection.execute(
            "select nspname::text from pg_namespace where nspname !~ '^(pg_|information_schema)'"
        ).fetchall()
    assert schemas == [("public",)]
    assert (await migrate(legacy_url)).found is Found.LEGACY


async def test_what_was_written_meanwhile_stays(legacy_url: str) -> None:
    await migrate(legacy_url)
    with psycopg.connect(legacy_url, autocommit=True) as connection:
        connection.execute(SESSION)
        connection.execute("insert into access.controller (id) values ('front-pi')")
        connection.execute("update account set phone = '1' where id = 101")
        assert versions(connection, "account", 101) != []
        without_triggers = dump(legacy_url, "--data-only")
        assert await remove(legacy_url)
        connection.execute("update account set phone = '2' where id = 101")
        connection.execute("update account set phone = '1' where id = 101")
        assert dump(legacy_url, "--data-only") == without_triggers


async def test_tables_that_we_have_made_stay_and_are_taken_over_later(database_url: str) -> None:
    before = dump(database_url, "--data-only")
    assert await remove(database_url)
    assert dump(database_url, "--data-only") == before
    assert (await state_of(database_url)).found is Found.LEGACY
    assert (await migrate(database_url)).found is Found.LEGACY
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SESSION)
        connection.execute("update account set phone = '1'")
        assert len(versions(connection, "account")) == 1


async def test_where_nothing_is_ours_nothing_is_removed(
    legacy_url: str, postgres: Postgres
) -> None:
    before = dump(legacy_url)
    assert not await remove(legacy_url)
    assert dump(legacy_url) == before
    with postgres.database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table access (id bigint)")
            connection.execute("create schema access")
            connection.execute("create table access.theirs (id bigint)")
        assert not await remove(url)
        with psycopg.connect(url) as connection:
            assert connection.execute("select * from access.theirs").fetchall() == []


async def test_what_somebody_built_on_ours_is_not_removed_with_it(taken_over: str) -> None:
    with psycopg.connect(taken_over) as connection:
        connection.execute("create view taps as select * from access.event")
    before = dump(taken_over)
    with pytest.raises(MigrationRefused, match=r"view taps depends on .*: drop that first"):
        await remove(taken_over)
    assert dump(taken_over) == before
    assert (await state_of(taken_over)).found is Found.OURS


async def test_removing_waits_for_a_table_in_use_four_seconds_and_then_leaves_it_alone(
    taken_over: str,
) -> None:
    before = dump(taken_over)
    with psycopg.connect(taken_over) as web_app:
        web_app.execute("update account set phone = '1'")
        began = time.monotonic()
        with pytest.raises(MigrationRefused, match="try again"):
            await remove(taken_over)
        assert 3.9 < time.monotonic() - began < 6
        web_app.rollback()
    assert dump(taken_over) == before
    assert await is_ours(taken_over)


@pytest.fixture
def housekeeper(postgres: Postgres) -> Generator[str]:
    """A role without special powers, made before the test's database and dropped after it."""
    name = f"house_{secrets.token_hex(4)}"
    postgres.run(f"create role {name}".encode())
    yield name
    postgres.run(f"drop role {name}".encode())


@pytest.mark.parametrize("through", ["p2k16-web", "p2k16-flyway"])
async def test_a_role_with_the_rights_of_the_web_app_is_enough(
    through: str, housekeeper: str, legacy_url: str
) -> None:
    """By grants alone, or as owner of the tables."""
    with psycopg.connect(legacy_url) as connection:
        name = connection.info.dbname
        connection.execute(f'grant "{through}" to {housekeeper}'.encode())
        connection.execute(f"grant create on database {name} to {housekeeper}".encode())
    before = dump(legacy_url, "--schema-only")
    url = f"{legacy_url}&options=-c%20role%3D{housekeeper}"
    await migrate(url)
    settings = console_settings(Path("/nonexistent"), database_url=url)
    async with open_database(settings) as database:
        for changes in CHANGES.values():
            async with database.writing() as conn:
                cursor = await conn.execute(
                    "select rolname, rolsuper from pg_roles where rolname = current_user"
                )
                assert await cursor.fetchone() == (housekeeper, False)
                await conn.execute(changes[0])
            async with database.writing() as conn:
                await conn.execute(changes[1])
        async with database.writing() as conn:
            await conn.execute("delete from circle_member where circle = 2")
    with psycopg.connect(legacy_url) as connection:
        assert faults(connection) == []
        assert all(versions(connection, table) for table in VERSIONED)
    assert await remove(url)
    assert dump(legacy_url, "--schema-only") == before
