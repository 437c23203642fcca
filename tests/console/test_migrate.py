"""What a migration refuses, and that it does all or nothing."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from console.errors import DatabaseUnavailable
from console.migrate import Found, migrate, state_of
from console.migrations.files import Migration, MigrationRefused, read_migrations
from console.postgres.embedded import running_server
from tests.support.postgres import reachable_folder

KNOWN = read_migrations()
LAST = KNOWN[-1].version
NEXT = Migration("V900.001", "next", b"create table access.next (id bigint);")


async def test_a_fresh_database_gets_everything_once(empty_database_url: str) -> None:
    versions = tuple(migration.version for migration in KNOWN)
    state = await state_of(empty_database_url)
    assert (state.found, state.pending) == (Found.FRESH, versions)
    first = await migrate(empty_database_url)
    assert (first.found, first.applied, first.recorded) == (Found.FRESH, versions, ())
    second = await migrate(empty_database_url)
    assert (second.found, second.applied, second.recorded) == (Found.OURS, (), ())
    assert (await state_of(empty_database_url)).pending == ()


async def test_asking_for_the_state_changes_nothing(empty_database_url: str) -> None:
    await state_of(empty_database_url)
    assert (await state_of(empty_database_url)).found is Found.FRESH


async def test_many_at_once_apply_everything_once(empty_database_url: str) -> None:
    results = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sorted(len(result.applied) for result in results) == [0, 0, 0, len(KNOWN)]


async def test_a_new_file_is_applied_to_a_database_of_ours(database_url: str) -> None:
    assert (await state_of(database_url, migrations=[*KNOWN, NEXT])).pending == (NEXT.version,)
    result = await migrate(database_url, migrations=[*KNOWN, NEXT])
    assert (result.found, result.applied) == (Found.OURS, (NEXT.version,))


async def test_an_edited_file_is_refused_by_its_name(database_url: str) -> None:
    edited = replace(KNOWN[1], sql=KNOWN[1].sql + b"-- one word more\n")
    with pytest.raises(MigrationRefused, match=r"V001\.002__accounts\.sql was edited"):
        await migrate(database_url, migrations=[KNOWN[0], edited, *KNOWN[2:]])


async def test_other_line_ends_are_not_an_edit(database_url: str) -> None:
    windows = [replace(m, sql=m.sql.replace(b"\n", b"\r\n")) for m in KNOWN]
    assert (await migrate(database_url, migrations=windows)).applied == ()


async def test_a_file_that_comes_before_an_applied_one_is_refused(database_url: str) -> None:
    late = Migration("V001.500", "late", b"select 1")
    known = sorted([*KNOWN, late], key=lambda migration: migration.version)
    with pytest.raises(MigrationRefused, match=rf"V001\.500__late\.sql comes before {LAST}"):
        await migrate(database_url, migrations=known)


async def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    await migrate(database_url, migrations=[*KNOWN, NEXT])
    with pytest.raises(MigrationRefused, match=r"has V900\.001.*a newer program"):
        await migrate(database_url)
    with pytest.raises(MigrationRefused, match=r"V900\.001"):
        await state_of(database_url)


async def test_a_file_that_fails_takes_back_those_before_it(database_url: str) -> None:
    wrong = Migration("V900.002", "wrong", b"create table access.other (id nonsense);")
    with pytest.raises(MigrationRefused, match=r'V900\.002__wrong\.sql: .*"nonsense"'):
        await migrate(database_url, migrations=[*KNOWN, NEXT, wrong])
    assert (await state_of(database_url)).pending == ()
    assert (await migrate(database_url, migrations=[*KNOWN, NEXT])).applied == (NEXT.version,)


async def test_a_schema_named_access_that_is_not_ours_is_refused(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create schema access")
    with pytest.raises(MigrationRefused, match="schema named access"):
        await migrate(empty_database_url)


async def test_an_extensions_tables_do_not_make_a_database_foreign(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create table theirs (id bigint)")
        connection.execute("alter extension plpgsql add table theirs")
    assert (await migrate(empty_database_url)).found is Found.FRESH
    with psycopg.connect(empty_database_url) as connection:
        rights = connection.execute(
            "select relowner = current_user::regrole, relacl from pg_class where relname = 'theirs'"
        ).fetchall()
    assert rights == [(True, None)]


async def test_without_a_server_it_says_so() -> None:
    with pytest.raises(DatabaseUnavailable, match="doesn't answer"):
        await migrate("postgresql://p2k16@/p2k16?host=/nonexistent")


async def test_missing_roles_that_may_not_be_made_are_named_with_the_remedy() -> None:
    with reachable_folder(in_memory=True) as folder:
        async with running_server(folder) as conninfo:
            with psycopg.connect(conninfo, autocommit=True) as superuser:
                superuser.execute("create role modest nologin")
                superuser.execute("create database modest owner modest")
            modest = make_conninfo(conninfo, dbname="modest", options="-c role=modest")
            with pytest.raises(MigrationRefused, match=r'"p2k16-web" is missing.*CREATE ROLE'):
                await migrate(modest)
            with psycopg.connect(conninfo, autocommit=True) as superuser:
                superuser.execute('create role "p2k16-web" nologin')
                superuser.execute('create role "p2k16-flyway" nologin')
            assert (await migrate(modest)).found is Found.FRESH


def test_files_are_read_in_order_and_an_odd_name_is_refused(tmp_path: Path) -> None:
    for name in ("V002.001__second.sql", "V001.010__first.sql"):
        (tmp_path / name).write_text("select 1")
    assert [m.file_name for m in read_migrations(tmp_path)] == [
        "V001.010__first.sql",
        "V002.001__second.sql",
    ]
    (tmp_path / "V2__odd.sql").write_text("select 1")
    with pytest.raises(MigrationRefused, match=r"V2__odd\.sql"):
        read_migrations(tmp_path)


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    for name in ("V002.001__one.sql", "V002.001__other.sql"):
        (tmp_path / name).write_text("select 1")
    with pytest.raises(MigrationRefused, match="same version"):
        read_migrations(tmp_path)
