"""`p2k16-edge journal` of a store with damaged rows: what can be read is shown, the rest told."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from edge.provision import provision
from edge.store import STORE_NAME
from sync.events import EventKind, Occurrence, Stamp, encode_event
from sync.ids import BootId
from sync.strict_json import U53
from tests.edge.test_check import OWNER_OF_FRONT
from tests.edge.test_technician import in_terminal
from tests.support.edge_daemon import EdgeDaemon


def event(seq: int, time_ms: int = 1_000) -> bytes:
    stamp = Stamp(seq, BootId("0" * 32), 0, time_ms, True, 1_000, bytes(32))
    return encode_event(Occurrence(EventKind.SELF_TESTED), stamp)


DAMAGED = {
    "no JSON": b"not json",
    "no clock": b'{"seq":2}',
    "another's number": event(3),
    "no table": b"[1]",
    "a number": b"7",
    "no time": event(2).replace(b'"time_ms":1000', b'"time_ms":"x"'),
    "beyond all time": event(2, U53),
    "no UTF-8": event(2).replace(b"trusted", b"trust\xff"),
    "too deep": b"[" * 3_000,
    "too long a number": b'{"seq":' + b"1" * 5_000 + b"}",
}


@pytest.fixture
def damaged(daemon: EdgeDaemon, line: bytes) -> EdgeDaemon:
    daemon.data_dir.mkdir(mode=0o700)
    provision(daemon.data_dir, OWNER_OF_FRONT)
    with closing(sqlite3.connect(daemon.data_dir / STORE_NAME)) as store, store:
        store.executemany(
            "INSERT INTO event VALUES (?, 1000, x'00', ?)",
            [(1, event(1)), (2, line), (3, event(3))],
        )
    return daemon


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED.keys())
async def test_a_damaged_event_hides_no_other_and_is_told(damaged: EdgeDaemon) -> None:
    piped = await asyncio.to_thread(damaged.run, "journal")
    assert "Traceback" not in piped.stderr
    assert piped.returncode == 1
    assert piped.stdout.encode().splitlines() == [event(1), event(3)]
    assert "event 2 can't be read" in piped.stderr
    assert "p2k16-edge check" in piped.stderr

    code, seen = await asyncio.to_thread(in_terminal, damaged, "journal")
    assert code == 1
    assert "Traceback" not in seen
    assert seen.count("self_tested") == 2
    assert "event 2 can't be read" in seen


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(4_080)])
def test_a_file_that_is_no_store_is_not_taken_for_a_missing_one(
    content: bytes, daemon: EdgeDaemon
) -> None:
    daemon.data_dir.mkdir(mode=0o700)
    (daemon.data_dir / STORE_NAME).write_bytes(content)
    done = daemon.run("journal")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.endswith("See p2k16-edge check")
