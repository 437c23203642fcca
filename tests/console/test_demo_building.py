"""The pretended parts of the demo's building: tap log, cable, reader, data folder."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from console.demo.cable import HOST, Cable
from console.demo.card_reader import CardReader, frame
from console.demo.folder import LOCK, PREFIX, fresh_folder
from console.demo.makerspace import credential_of
from console.demo.taps import Record, TapLog, Tries
from edge.readers.frames import Frame
from edge.readers.rdm6300 import Rdm6300Parser
from tests.support.postgres import reachable_folder
from tests.support.waiting import eventually

NOW = datetime(2026, 12, 1, 18, 2, tzinfo=UTC)
INGRID = b"ingrid's card..."


def tapped(log: TapLog, *, seconds: float = 0, was_offline: bool = False) -> TapLog:
    at = NOW + timedelta(seconds=seconds)
    return log.with_tap(card="ingrid", digest=INGRID, door="front", at=at, was_offline=was_offline)


def record(number: int, *, is_granted: bool = True, seconds: float = 1) -> Record:
    reason = "allowed" if is_granted else "unknown_card"
    at = NOW + timedelta(seconds=seconds)
    return Record(number, "front", INGRID, is_granted, reason, True, at)


def test_a_tap_that_arrives_ticks_the_first_try():
    log = tapped(TapLog()).with_records([record(1)])
    assert log.tries == Tries(tapped=True)
    assert log.seen == 1


def test_a_refusal_after_a_grant_ticks_the_second_try():
    log = tapped(tapped(TapLog()), seconds=5)
    log = log.with_records([record(1), record(2, is_granted=False, seconds=6)])
    assert log.tries == Tries(tapped=True, refused=True)


def test_a_refusal_alone_does_not_tick_the_second_try():
    assert not tapped(TapLog()).with_records([record(1, is_granted=False)]).tries.refused


def test_a_tap_without_network_that_arrives_later_ticks_the_third_try():
    log = tapped(TapLog(), was_offline=True)
    assert log.tries == Tries()
    assert log.with_records([record(1, seconds=60)]).tries == Tries(survived=True)


def test_a_tap_that_a_later_one_has_overtaken_was_never_read():
    log = tapped(TapLog()).with_tap(
        card="aase", digest=b"aase", door="front", at=NOW, was_offline=False
    )
    log = log.with_records([replace(record(1), digest=b"aase")])
    assert [tap.is_over for tap in log.taps] == [True, False]


def test_an_event_of_nobody_in_the_demo_is_passed_over():
    log = tapped(TapLog()).with_records([replace(record(7), digest=b"else")])
    assert log.seen == 7
    assert log.taps[0].record is None


def test_red_is_the_answer_to_a_tap_and_green_only_after_a_moment():
    log = tapped(TapLog())
    assert log.with_light("front", "green", NOW).taps[0].light is None
    later = NOW + timedelta(seconds=0.5)
    green = log.with_light("front", "green", later)
    assert green.taps[0].light == "green"
    assert green.with_light("front", "red", later).taps[0].light == "red"
    assert log.with_light("front", "green", NOW + timedelta(seconds=9)).taps[0].light is None


def test_whoever_has_a_tool_gives_it_back_with_the_same_card():
    log = tapped(TapLog()).with_records([record(1)])
    back = log.with_tap(
        card="ingrid", digest=INGRID, door="front", at=NOW, was_offline=False, is_in_use=True
    )
    assert back.taps[-1].gives_back
    again = tapped(back, seconds=3).with_records([record(2, seconds=4)])
    assert [tap.record is not None for tap in again.taps] == [True, False, True]


def test_a_card_at_a_tool_that_another_one_has_powered_gives_nothing_back():
    log = tapped(TapLog()).with_records([record(1)])
    other = log.with_tap(
        card="aase", digest=b"aase", door="front", at=NOW, was_offline=False, is_in_use=True
    )
    assert not other.taps[-1].gives_back


def test_a_forced_door_and_a_running_tool_tick_their_tries():
    log = TapLog().with_state("locked")
    assert log.tries == Tries()
    assert log.with_state("forced").with_state("running").tries == Tries(forced=True, ran=True)


def test_the_pretended_reader_says_what_the_real_parser_reads():
    credential = credential_of("ingrid", 0)
    [found] = Rdm6300Parser().feed(frame(credential))
    assert isinstance(found, Frame)
    assert found.data == credential.data


async def test_a_card_is_repeated_while_it_is_held_and_then_there_is_silence():
    reader = CardReader()
    port = os.open(reader.path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        credential = credential_of("ingrid", 0)
        holding = asyncio.create_task(reader.hold(credential, 0.2))
        await eventually(lambda: reader.is_busy)
        await reader.hold(credential_of("aase", 0), 0.2)  # another one can't be there as well
        await holding
        assert os.read(port, 4096) in {frame(credential) * times for times in (2, 3, 4)}
    finally:
        os.close(port)
        reader.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def is_dropped(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


async def test_a_cut_cable_drops_and_refuses_and_a_repaired_one_has_the_same_port():
    async with await asyncio.start_server(echo, HOST, 0) as server:
        cable = Cable(lambda: server.sockets[0].getsockname()[1])
        await cable.repair()
        port = cable.port
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        await cable.cut()
        assert cable.is_cut
        assert await is_dropped(reader)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)
        await cable.repair()
        assert cable.port == port
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        await cable.cut()


async def test_a_folder_is_gone_afterwards_and_a_killed_demo_is_cleared_away():
    with reachable_folder() as room:
        left_behind = room / f"{PREFIX}left"
        left_behind.mkdir()
        (left_behind / LOCK).touch()
        async with fresh_folder(room) as first:
            assert not left_behind.exists()
            async with fresh_folder(room) as second:  # takes no folder away that is in use
                assert first.exists()
                assert second.exists()
        assert list(room.iterdir()) == []
