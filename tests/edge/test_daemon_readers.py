"""The real daemon with other readers than the first one, and with readers in trouble."""

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.credential import Credential, CredentialType, entry, site_digest
from sync.ids import Entry
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EdgeDaemon
from tests.support.pn532_chip import CLASSIC, DESFIRE, Card, Pn532Chip
from tests.support.signer import KARIS_CARD
from tests.support.waiting import eventually

PHONE = Card(bytes.fromhex("08 A1 B2 C3"))


@pytest.fixture
def chip() -> Iterator[Pn532Chip]:
    powered = Pn532Chip()
    yield powered
    powered.close()


def start_with(daemon: EdgeDaemon, mosquitto: Mosquitto, reader: str, port: Path) -> None:
    """Enrolled, with another reader at its front door."""
    lines = daemon.config.read_text().splitlines()
    driver = lines.index('reader.driver = "rdm6300"')
    lines[driver : driver + 2] = [reader, f'reader.port = "{port}"']
    daemon.config.write_text("\n".join(lines))
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    daemon.start()


def name_of(kind: CredentialType, data: bytes) -> Entry:
    return entry(SIGNER.entry_key, site_digest(Credential(kind, data), SIGNER.site_salt))


async def until_open(daemon: EdgeDaemon, attempt: Callable[[], object]) -> None:
    """Again and again: a disk that is busy with something else may deny one attempt."""

    def has_opened() -> bool:
        if not daemon.relay():
            attempt()
        return bool(daemon.relay())

    await eventually(has_opened, seconds=30, every=2)


async def test_a_pn532_opens_for_its_card_and_for_no_phone(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn, chip: Pn532Chip
) -> None:
    start_with(daemon, mosquitto, 'reader.driver = "pn532"', chip.line.path)
    hers = name_of(CredentialType.ISO14443A, DESFIRE.uid)
    await console.send_snapshot(2, {hers: SIGNER.right()})
    await console.wait_until_applied(2)
    held_and_taken_away = itertools.cycle([(DESFIRE,), ()])
    await until_open(daemon, lambda: chip.hold(*next(held_and_taken_away)))
    assert {event.entry for event in await console.wait_for_kind("access_granted")} == {hers}
    chip.hold(PHONE)
    denied = (await console.wait_for_kind("access_denied"))[0]
    assert (denied.reason, denied.credential, denied.sealed) == ("random_uid", "iso14443a", None)
    chip.hold(CLASSIC)
    await eventually(lambda: "unknown_card" in {event.reason for event in console.all_events()})


async def test_a_pn532_that_falls_silent_is_told_with_its_fault_and_commands_still_open(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn, chip: Pn532Chip
) -> None:
    start_with(daemon, mosquitto, 'reader.driver = "pn532"', chip.line.path)
    await console.wait_until_applied(1)
    await eventually(lambda: 0x4A in chip.asked)
    chip.is_mute = True
    await eventually(lambda: daemon.point().get("reader") == "silent")
    assert "reader_lost: front: it doesn't answer" in daemon.status()["faults"]
    told = (await console.wait_for_kind("reader_fault"))[0]
    assert (told.point, told.detail) == ("front", "it doesn't answer")
    counters = itertools.count(1)
    ordered: list[asyncio.Task[bytes]] = []
    await until_open(
        daemon,
        lambda: ordered.append(asyncio.create_task(console.open_door(next(counters)))),
    )
    await asyncio.gather(*ordered)


async def test_a_babbling_reader_is_a_fault_with_a_count_and_its_cards_still_open(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.lines["front"].send(b"\x02\x03" * 77)
    await eventually(lambda: any("reader_fault: front" in f for f in linked.status()["faults"]))
    told = (await console.wait_for_kind("reader_fault"))[0]
    assert told.point == "front"
    assert re.fullmatch(r"\d+ bad frames", told.detail or "")
    await until_open(linked, lambda: linked.tap(KARIS_CARD))


async def test_lines_of_the_settings_form_open(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    reader = 'reader.driver = "line"\nreader.prefix = ":"\nreader.suffix = "CRLF"\n'
    reader += 'reader.checksum = "sum2c"'
    line = daemon.lines["front"]
    start_with(daemon, mosquitto, reader, line.path)
    hers = name_of(CredentialType.LINE, bytes.fromhex("1122334455"))
    await console.send_snapshot(2, {hers: SIGNER.right()})
    await console.wait_until_applied(2)
    await until_open(daemon, lambda: line.send(b"READER V1.2\r\n:112233445501\r\n"))
