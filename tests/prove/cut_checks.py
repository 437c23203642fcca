"""What the real code finds after a cut, and whether it may find that."""

import json
import sqlite3
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from edge.clock import Timekeeper
from edge.disk import machine
from edge.journal import open_journal
from edge.lease import grant_of
from edge.provision import provision
from edge.rights_cache import NO_RIGHTS, Rights, Trust, open_rights_cache
from edge.store import STORE_NAME, open_store
from sync.commands import Operation
from sync.errors import WireError
from sync.events import EventKind, genesis, read_chain
from sync.ids import BootId, CommandId, Epoch, JournalId, TapId
from sync.messages import Version
from sync.signing import public_key
from tests.prove.cut_lives import HOLDS, Belief, Life, MadeConsole
from tests.support.signer import Signer

_GRANTS = {EventKind.ACCESS_GRANTED, EventKind.COMMAND_EXECUTED}


@dataclass(frozen=True, slots=True)
class Found:
    """A store after a cut. `damaged`: the content of each file that was ever set aside."""

    journal: JournalId
    lines: tuple[bytes, ...]
    acknowledged: int
    counter: int
    floor: Version
    rights: Rights
    keys: Epoch
    holds: Mapping[str, str]
    is_set_aside: bool
    damaged: frozenset[bytes]


async def look(folder: Path, signer: Signer) -> Found:
    """Opens the folder as the daemon does at its next start. Raises: StorageFault."""
    # In this process: a program of its own each time would take most of the time.
    disk = replace(machine(), provision=provision)
    trust = Trust(signer.controller, public_key(signer.root_seed))
    owner = f"{trust.controller} {trust.root_public_key.hex()}"
    store, set_aside = await open_store(folder, owner, disk=disk)
    try:
        with ThreadPoolExecutor(1) as decoder:
            journal = await open_journal(store, Timekeeper(BootId("cd" * 16)), trust.controller)
            rights = await open_rights_cache(store, journal, trust, decoder=decoder)
        lines, counter, floor, holds = await store.read(_read)
    finally:
        await store.close()
    return Found(
        journal=journal.position.journal,
        lines=lines,
        acknowledged=journal.position.acknowledged,
        counter=counter,
        floor=floor,
        rights=rights.active(),
        keys=Epoch(0) if rights.keyset is None else rights.keyset.epoch,
        holds=holds,
        is_set_aside=set_aside is not None,
        damaged=frozenset(
            path.read_bytes()
            for path in folder.glob(f"{STORE_NAME}.damaged-*")
            if path.name.rpartition("-")[2].isdigit()
        ),
    )


def _read(
    connection: sqlite3.Connection,
) -> tuple[tuple[bytes, ...], int, Version, dict[str, str]]:
    lines = tuple(line for (line,) in connection.execute("SELECT line FROM event ORDER BY seq"))
    counter, *floor = connection.execute(
        "SELECT command_counter, floor_epoch, floor_serial, floor_digest FROM state"
    ).fetchone()
    holds = dict(connection.execute("SELECT point, hold FROM hold").fetchall())
    return lines, counter, Version(*floor), holds


@dataclass(frozen=True, slots=True)
class Course:
    """A life from both ends. `began` None: without a store, or with one that was damaged.

    `damaged`: what must never be lost again, in one of these forms each.
    """

    life: Life
    began: Found | None
    ended: Found
    damaged: tuple[Set[bytes], ...]


def mistakes(found: Found, course: Course, console: MadeConsole, at: int) -> list[str]:
    """All that is wrong after a cut before operation `at`; [] if all is well."""
    belief = _belief(course, at)
    wrong = ["a damaged store is gone" for forms in course.damaged if not forms & found.damaged]
    if found.journal != course.ended.journal and belief is None:
        # The store that this life made isn't there yet: one is made now.
        blank = (found.lines, found.acknowledged, found.counter, found.rights, found.keys)
        is_blank = blank == ((), 0, 0, NO_RIGHTS, 0) and not found.holds
        return wrong if is_blank else [*wrong, "old rights"]
    if found.journal != course.ended.journal:
        return [*wrong, "journal lost"]
    if found.is_set_aside:
        wrong.append("a sound store was set aside")
    wrong += _wrong_lines(found, course, at, belief)
    floor = (found.floor.epoch, found.floor.serial)
    if belief is not None and floor < belief.floor:
        wrong.append(f"floor {belief.floor} lost: {floor}")
    if belief is not None and found.keys < belief.keys:
        wrong.append(f"keys of epoch {belief.keys} lost: {found.keys}")
    if belief is not None and found.acknowledged < belief.acknowledged:
        wrong.append("acknowledgement lost")
    floor_told, counters_told, holds_told = _told(found.lines, console.counters)
    if floor != floor_told:
        wrong.append(f"floor {floor} where the journal tells of {floor_told}")
    if found.counter not in counters_told:
        wrong.append(f"counter {found.counter} where the journal tells of {counters_told}")
    if found.holds != holds_told:
        wrong.append(f"orders {found.holds} where the journal tells of {holds_told}")
    if found.rights != console.rights.get(floor, NO_RIGHTS):
        wrong.append("the rights in force are not those of the floor")
    return wrong


def _belief(course: Course, at: int) -> Belief | None:
    """What the daemon believed last before the cut, at least what it found when it began."""
    beliefs = [belief for done, belief in course.life.beliefs if done <= at]
    if beliefs:
        return beliefs[-1]
    began = course.began
    if began is None:
        return None
    floor = (began.floor.epoch, began.floor.serial)
    return Belief(began.journal, len(began.lines), began.acknowledged, floor, began.keys)


def _wrong_lines(found: Found, course: Course, at: int, belief: Belief | None) -> list[str]:
    wrong: list[str] = []
    lines, whole = found.lines, course.ended.lines
    if lines != whole[: len(lines)]:
        wrong.append("events are others than those that were written")
    if belief is not None and len(lines) < belief.head:
        wrong.append(f"events lost: {len(lines)} of {belief.head}")
    try:
        read_chain(genesis(Signer().controller, found.journal), 1, lines)
    except WireError as error:
        wrong.append(f"the chain is broken: {error}")
    recorded = {
        grant_of(TapId(event["tap"]) if "tap" in event else CommandId(event["command"]))
        for event in map(json.loads, lines)
        if event["kind"] in _GRANTS
    }
    unrecorded = [
        grant for done, grant in course.life.grants if done <= at and grant not in recorded
    ]
    if unrecorded:
        wrong.append(f"{len(unrecorded)} openings without a record")
    return wrong


def _told(
    lines: tuple[bytes, ...], counters: Mapping[CommandId, int]
) -> tuple[tuple[int, int], range, dict[str, str]]:
    """What the events say that floor, counter and standing orders are: each is written with them.

    The counter of a command that was refused because the disk was slow may come later.
    """
    floor, obeyed, answered = (0, 0), 0, 0
    holds: dict[str, str] = {}
    for event in map(json.loads, lines):
        if event["kind"] == EventKind.SNAPSHOT_APPLIED:
            floor = (event["epoch"], event["serial"])
        elif "command" in event:
            answered = max(answered, counters[event["command"]])
            if event["kind"] == EventKind.COMMAND_EXECUTED:
                obeyed = answered
                hold = HOLDS.get(event["detail"])
                if hold is not None:
                    holds[event["point"]] = hold
                elif event["detail"] == Operation.LOCK:
                    holds.pop(event["point"], None)
    return floor, range(obeyed, answered + 1), holds
