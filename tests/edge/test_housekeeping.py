"""The canary: a disk that gives something else back shuts every door until it is well again."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from edge.clock import Timekeeper
from edge.disk import machine
from edge.housekeeping import Housekeeping
from edge.journal import open_journal
from edge.post import Post
from edge.store import open_store
from sync.ids import BootId
from sync.rights import Reason
from tests.support.signer import FRONT_PI, OWNER
from tests.support.waiting import eventually


@dataclass
class Door:
    """Only what is told to it."""

    faults: list[tuple[Reason, bool]] = field(default_factory=list[tuple[Reason, bool]])

    def set_fault(self, fault: Reason, *, is_there: bool) -> None:
        self.faults.append((fault, is_there))


async def test_what_reads_back_differently_is_told_to_every_door_until_it_does_no_more(
    tmp_path: Path,
) -> None:
    lies = True

    def forget(path: Path) -> None:
        if lies:
            path.write_bytes(path.read_bytes().replace(b"cd" * 16, b"ce" * 16))

    store, _ = await open_store(tmp_path, OWNER, disk=replace(machine(), forget=forget))
    timekeeper = Timekeeper(BootId("cd" * 16))
    journal = await open_journal(store, timekeeper, FRONT_PI)
    doors = [Door(), Door()]
    running = asyncio.ensure_future(
        Housekeeping(store, journal, timekeeper, cast("list[Post]", doors)).run()
    )
    failing, well = (Reason.STORAGE_FAULT, True), (Reason.STORAGE_FAULT, False)
    await eventually(lambda: all(door.faults == [failing] for door in doors))
    lies = False
    await eventually(lambda: all(door.faults == [failing, well] for door in doors))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await store.close()
