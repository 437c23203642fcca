"""Without network, broker or console: members get in, and nothing is lost."""

import asyncio
import signal
import time
from dataclasses import replace

from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn, console_at
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import DAY_MS, KARIS_CARD, OLAS_CARD, now_ms
from tests.support.waiting import eventually


async def tap_and_wait(daemon: EdgeDaemon, card: str, *, grants: int) -> None:
    daemon.tap(card)
    await eventually(lambda: daemon.relay().count("on") == grants)
    await eventually(lambda: daemon.relay().count("off") == grants)


async def test_with_the_broker_gone_taps_go_on_and_arrive_once_in_order_with_their_time(
    linked: EdgeDaemon, console: ConsoleStandIn, mosquitto: Mosquitto
) -> None:
    await eventually(lambda: linked.status()["clock"]["trusted"])
    before = len(await console.wait_for_kind("snapshot_applied")) and len(console.all_events())
    earlier, hash_before = list(console.all_events()), dict(console.hashes)
    mosquitto.stop_now()
    await eventually(lambda: linked.status()["link"] == "down", seconds=30)
    began = now_ms()
    for number in range(1, 4):
        linked.tap(OLAS_CARD)
        await tap_and_wait(linked, KARIS_CARD, grants=number)
        await asyncio.sleep(0.6)
    ended = now_ms()
    mosquitto.start_now()
    await eventually(lambda: linked.status()["link"] == "up", seconds=30)
    async with console_at(mosquitto.port, SIGNER, password=PASSWORD) as again:
        again.events[console.journal], again.hashes = earlier, hash_before
        await eventually(
            lambda: again.kinds("access_") == ["access_denied", "access_granted"] * 3, seconds=60
        )
        events = again.all_events()
    assert [event.stamp.seq for event in events] == list(range(1, len(events) + 1))
    taps = [event for event in events[before:] if event.kind.startswith("access_")]
    assert all(began - 2_000 <= event.stamp.time_ms <= ended + 2_000 for event in taps)
    assert [event.stamp.time_ms for event in taps] == sorted(e.stamp.time_ms for e in taps)


async def test_no_broker_at_the_start_is_retried_and_told_once(
    daemon: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    mosquitto.stop_now()
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    await daemon.start_and_wait()
    daemon.tap(KARIS_CARD)
    await eventually(lambda: daemon.log_lines("tap.answered"))
    assert daemon.log_lines("tap.answered")[0]["reason"] == "no_snapshot"
    await asyncio.sleep(2)
    assert len(daemon.log_lines("link.lost")) == 1
    mosquitto.start_now()
    async with console_at(mosquitto.port, SIGNER, password=PASSWORD) as console:
        await console.send_keys()
        await console.send_snapshot(1)
        await console.wait_until_applied(1, seconds=60)
        denied, *_ = await console.wait_for_kind("access_denied")
        assert denied.reason == "no_snapshot"


async def test_a_controller_that_reboots_offline_without_a_trusted_clock_lets_members_in(
    linked: EdgeDaemon, console: ConsoleStandIn, mosquitto: Mosquitto
) -> None:
    paid_up = {SIGNER.entry(KARIS_CARD): SIGNER.right(not_after_ms=now_ms() + DAY_MS)}
    await console.send_snapshot(2, paid_up)
    await console.wait_until_applied(2)
    await eventually(lambda: linked.status()["clock"]["trusted"])
    known_ms = linked.status()["clock"]["time_ms"]
    mosquitto.stop_now()
    linked.stop()
    await linked.start_and_wait()
    state = linked.status()
    assert state["clock"]["trusted"] is False
    assert known_ms <= state["clock"]["time_ms"] <= now_ms() + 1_000
    await tap_and_wait(linked, KARIS_CARD, grants=1)


async def test_after_a_kill_the_clock_goes_on_from_the_last_event(
    linked: EdgeDaemon, console: ConsoleStandIn, mosquitto: Mosquitto
) -> None:
    await eventually(lambda: linked.status()["clock"]["trusted"])
    linked.tap(OLAS_CARD)
    [event] = await console.wait_for_kind("access_denied")
    mosquitto.stop_now()
    linked.stop(signal.SIGKILL)
    await linked.start_and_wait()
    assert linked.status()["clock"]["time_ms"] >= event.stamp.time_ms


async def test_a_right_that_ends_is_refused_offline_too(
    linked: EdgeDaemon, console: ConsoleStandIn, mosquitto: Mosquitto
) -> None:
    await eventually(lambda: linked.status()["clock"]["trusted"])
    ends = now_ms() + 1_500
    await console.send_snapshot(2, {SIGNER.entry(KARIS_CARD): SIGNER.right(not_after_ms=ends)})
    await console.wait_until_applied(2)
    mosquitto.stop_now()
    await tap_and_wait(linked, KARIS_CARD, grants=1)
    await eventually(lambda: now_ms() > ends + 1_600)
    linked.tap(KARIS_CARD)
    await eventually(lambda: len(linked.log_lines("tap.answered")) == 2)
    assert linked.log_lines("tap.answered")[1]["reason"] == "expired"


async def test_events_are_sent_again_until_they_are_acknowledged(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await eventually(lambda: linked.status()["journal"]["acknowledged"] >= 2)
    console.acknowledges = False
    linked.tap(OLAS_CARD)
    await console.wait_for_kind("access_denied")
    batches, began = console.batches, time.monotonic()
    await eventually(lambda: console.batches > batches, seconds=30)
    assert time.monotonic() - began > 3, "after 5 s, not in a flood"
    console.acknowledges = True
    head = linked.status()["journal"]["head"]
    await eventually(lambda: linked.status()["journal"]["acknowledged"] == head, seconds=60)


async def test_a_controller_that_hears_of_newer_rights_asks_for_them(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    console.newest_serial = 9
    await eventually(lambda: console.requests >= 1, seconds=60)


async def test_a_nonce_is_renewed_every_ten_seconds_and_reports_come_as_often(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await asyncio.sleep(0.5)
    began = time.monotonic()
    first = console.nonce
    await eventually(lambda: console.nonce != first, seconds=30)
    assert time.monotonic() - began < 11
    monos = [report.mono_ms for report in console.reports]
    assert monos == sorted(monos)


async def test_a_wild_console_clock_is_told_and_never_turns_the_clock_back(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await eventually(lambda: linked.status()["clock"]["trusted"])
    console.beacon_time_ms = now_ms() - DAY_MS
    before = linked.status()["clock"]["time_ms"]
    await console.open_door(1)  # brings a new nonce
    [stepped, *_] = await console.wait_for_kind("clock_stepped")
    assert stepped.detail == "the console's clock is behind this controller's"
    assert linked.status()["clock"]["time_ms"] >= before


async def test_plaintext_to_another_host_leaves_the_doors_working_and_says_why(
    linked: EdgeDaemon,
) -> None:
    linked.stop()
    linked.enrol(replace(SIGNER.bundle("mqtt://192.0.2.1:1883"), broker_password=PASSWORD))
    await linked.start_and_wait()
    state = linked.status()
    assert state["link"] == "down"
    assert any("allow_plaintext" in fault for fault in state["faults"])
    await tap_and_wait(linked, KARIS_CARD, grants=1)


async def test_a_broker_that_answers_nothing_delays_neither_taps_nor_the_end(
    linked: EdgeDaemon,
) -> None:
    linked.stop()
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    linked.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{port}", password=PASSWORD))
    await linked.start_and_wait()
    await tap_and_wait(linked, KARIS_CARD, grants=1)
    began = time.monotonic()
    assert linked.stop() == 0
    assert time.monotonic() - began < 3
    server.close()


async def test_presence_is_a_hint_that_the_broker_gives_when_a_controller_dies(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    assert console.presence[-1] == "online"
    linked.stop(signal.SIGKILL)
    await eventually(lambda: console.presence[-1] == "offline")


async def test_a_power_cut_soon_after_the_first_rights_came_shuts_nobody_out(
    linked: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    linked.stop(signal.SIGKILL)
    mosquitto.stop_now()
    await linked.start_and_wait()
    assert linked.point()["staleness"] == "aging"
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
