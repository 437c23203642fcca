"""An existing database of the web app gets our schema and our triggers, and is else left alone."""

import re
import subprocess
import time

import psycopg
import pytest

from console.migrate import Found, migrate, state_of
from console.migrations.files import MigrationRefused
from console.postgres.binaries import INSTALLED, installed_binaries, packaged_binaries
from tests.support.web_app import AS_WEB_APP, WATCHED


def dump(url: str) -> list[str]:
    """The schema `public` with all its rows, as PostgreSQL's own program writes it down."""
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10000
    packaged = packaged_binaries()
    candidates = [*installed_binaries(INSTALLED), *([packaged] if packaged else [])]
    programs = next(binaries.folder for binaries in candidates if binaries.major == major)
    written = subprocess.run(
        [programs / "pg_dump", "--schema=public", url], check=True, capture_output=True, text=True
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
    assert len(triggers) == len(WATCHED)
    for table in WATCHED:
        assert any(f"ON public.{table} FOR EACH STATEMENT" in line for line in triggers)

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
