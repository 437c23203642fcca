"""The embedded PostgreSQL is shared by processes, and any of them may be killed at any time."""

import asyncio
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from console.errors import DatabaseUnavailable
from console.postgres.embedded import running_server
from console.postgres.place import prepare_place
from tests.support.postgres import reachable_folder
from tests.support.postgres_probe import (
    answers,
    ask,
    beginning,
    holder,
    processes_in,
    send,
    server_process,
)
from tests.support.waiting import eventually


@pytest.fixture
def data_dir() -> Generator[Path]:
    with reachable_folder(in_memory=True) as folder:
        yield folder / "with a 'space"


async def test_two_users_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    async with running_server(data_dir) as conninfo:
        first = server_process(data_dir)
        async with holder(data_dir) as other:
            assert other.conninfo == conninfo
            assert server_process(data_dir) == first
        assert await answers(conninfo)
    assert server_process(data_dir) is None
    assert processes_in(data_dir / "postgres" / "data") == []


async def test_the_first_user_may_leave_before_the_second(data_dir: Path) -> None:
    first = running_server(data_dir)
    conninfo = await first.__aenter__()
    async with holder(data_dir):
        await first.__aexit__(None, None, None)
        assert await answers(conninfo)
    assert server_process(data_dir) is None


async def test_many_that_begin_at_once_get_one_server(data_dir: Path) -> None:
    async def use() -> int | None:
        async with running_server(data_dir) as conninfo:
            assert await answers(conninfo)
            await everybody.wait()
            return server_process(data_dir)

    everybody = asyncio.Barrier(5)
    assert len(set(await asyncio.gather(*(use() for _ in range(5))))) == 1
    assert server_process(data_dir) is None


async def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(
    data_dir: Path,
) -> None:
    async with holder(data_dir) as other:
        other.process.kill()
        await other.process.wait()
        left = server_process(data_dir)
        assert left is not None
    async with running_server(data_dir) as conninfo:
        assert server_process(data_dir) == left
        assert await answers(conninfo)
    assert server_process(data_dir) is None


async def test_a_killed_server_is_started_again_while_it_is_used(data_dir: Path) -> None:
    async with running_server(data_dir) as conninfo, holder(data_dir):
        await ask(conninfo, "create table kept as select 42 as answer")
        for _ in range(3):
            killed = server_process(data_dir)
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            await eventually(lambda was=killed: server_process(data_dir) not in {None, was})
            await eventually(lambda: answers(conninfo))
            assert await ask(conninfo, "select answer from kept") == 42
    assert server_process(data_dir) is None


async def test_after_everything_was_killed_the_next_one_finds_all_that_was_committed(
    data_dir: Path,
) -> None:
    async with holder(data_dir) as other:
        await ask(other.conninfo, "create table kept as select 42 as answer")
        other.process.kill()
        send(signal.SIGKILL, processes_in(data_dir / "postgres" / "data"))
        await other.process.wait()
    async with running_server(data_dir) as conninfo:
        assert await ask(conninfo, "select answer from kept") == 42


async def test_a_process_id_that_came_again_does_not_prevent_a_start(data_dir: Path) -> None:
    async with running_server(data_dir):
        pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
        text = pid_file.read_text()
    place = await prepare_place(data_dir)
    stranger = await asyncio.create_subprocess_exec(
        "sleep", "60", user=place.user.uid if os.geteuid() == 0 else None
    )
    try:
        misleading = str(stranger.pid) + text[text.index("\n") :]
        await place.run("tee", "data/postmaster.pid", stdin=misleading.encode())
        async with running_server(data_dir) as conninfo:
            assert await answers(conninfo)
    finally:
        stranger.kill()
        await stranger.wait()


async def test_half_made_data_is_made_anew(data_dir: Path) -> None:
    place = await prepare_place(data_dir)
    await place.run("mkdir", "data.0.new")
    await place.run("tee", "data.0.new/PG_VERSION", stdin=b"15\n")
    async with running_server(data_dir) as conninfo:
        assert await answers(conninfo)
    assert not (place.folder / "data.0.new").exists()


@pytest.mark.parametrize("moment", ["start.lock", "data.*.new/base", "data", "data/postmaster.pid"])
async def test_a_user_killed_while_it_starts_the_server_does_not_prevent_the_next(
    data_dir: Path, moment: str
) -> None:
    folder = data_dir / "postgres"
    async with beginning(data_dir) as process:
        await eventually(lambda: list(folder.glob(moment)), every=0.001)
        process.kill()
        await process.wait()
        async with running_server(data_dir) as conninfo:
            assert await answers(conninfo)
            assert await ask(conninfo, "select count(*) from pg_database") == 4
    assert processes_in(folder / "data") == []


@pytest.mark.parametrize("moment", ["data.*.new", "data/postmaster.pid"])
async def test_a_start_that_is_cancelled_leaves_nothing_running(
    data_dir: Path, moment: str
) -> None:
    starting = asyncio.create_task(running_server(data_dir).__aenter__())
    await eventually(lambda: list((data_dir / "postgres").glob(moment)), every=0.001)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert processes_in(data_dir / "postgres") == []
    assert processes_in(data_dir / "postgres" / "data") == []
    async with running_server(data_dir) as conninfo:
        assert await answers(conninfo)


async def test_a_program_that_is_cancelled_has_ended_with_all_that_it_started(
    data_dir: Path,
) -> None:
    place = await prepare_place(data_dir)
    script = "for _ in $(seq 300); do sleep 60 >/dev/null 2>&1 & done; touch begun; wait"
    running = asyncio.create_task(place.run("sh", "-c", script))
    await eventually(lambda: (place.folder / "begun").exists())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert processes_in(place.folder) == []


async def test_data_that_does_not_start_is_an_error_with_the_servers_own_words(
    data_dir: Path,
) -> None:
    async with running_server(data_dir):
        pass
    place = await prepare_place(data_dir)
    await place.run("rm", "data/global/pg_control")
    with pytest.raises(DatabaseUnavailable, match="pg_control"):
        async with running_server(data_dir):
            pass
    assert processes_in(data_dir / "postgres" / "data") == []
