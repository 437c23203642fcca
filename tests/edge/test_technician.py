"""What a technician asks at the device, of the real daemon and beside it."""

import asyncio
import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge.columns import table
from tests.edge.conftest import SIGNER
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EDGE, EdgeDaemon
from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.waiting import eventually


async def ask(daemon: EdgeDaemon, *arguments: str) -> Any:
    """What a command prints when piped."""
    done = await asyncio.to_thread(daemon.run, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("card", "reason", "is_known"),
    [(KARIS_CARD, "allowed", True), (OLAS_CARD, "unknown_card", False)],
)
async def test_rights_says_what_would_be_said_and_opens_nothing(
    card: str, reason: str, is_known: bool, linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await eventually(lambda: linked.point()["staleness"] == "fresh")
    asking = asyncio.create_task(ask(linked, "rights", "front", "--seconds", "20"))
    taps = 0
    while not asking.done():  # the first may come before the question
        linked.tap(card)
        taps += 1
        await asyncio.sleep(1.7)
    said = await asking
    await eventually(lambda: linked.status()["journal"]["head"] == len(console.all_events()))
    assert len(console.kinds("access_")) == taps - 1
    assert (said["reason"], said["known"], said["point"]) == (reason, is_known, "front")
    assert KARIS_CARD not in json.dumps(said)


async def test_rights_gives_up_when_no_card_comes(linked: EdgeDaemon) -> None:
    done = await asyncio.to_thread(linked.run, "rights", "front", "--seconds", "1")
    assert done.returncode == 1
    assert "no card was read at front" in done.stderr
    done = await asyncio.to_thread(linked.run, "rights", "cellar", "--seconds", "1")
    assert "there is no door or tool 'cellar' here; there are: front" in done.stderr


async def test_a_self_test_moves_the_relay_once_and_is_recorded(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    said = await ask(linked, "self-test", "front", "--yes")
    assert said["point"] == "front"
    assert linked.relay() == ["on", "off"]
    await console.wait_for_kind("self_tested")


async def test_a_self_test_asks_first(linked: EdgeDaemon) -> None:
    done = await asyncio.to_thread(linked.run, "self-test", "front")
    assert (done.returncode, linked.relay()) == (1, [])
    assert "add --yes" in done.stderr


async def test_the_journal_is_read_beside_the_daemon(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await console.wait_for_kind("snapshot_applied")
    done = await asyncio.to_thread(linked.run, "journal", "--last", "2")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == 2
    assert events[0]["seq"] + 1 == events[1]["seq"]
    assert linked.run("journal", "--last", "0").returncode == 2


def test_a_journal_that_is_not_there_is_told(daemon: EdgeDaemon) -> None:
    done = daemon.run("journal")
    assert done.returncode == 1
    assert "Has the daemon ever run here?" in done.stderr


def test_a_bundle_is_imported_once_and_deleted(daemon: EdgeDaemon) -> None:
    bundle = daemon.folder / "other.json"
    missing = daemon.run("import", str(bundle))
    assert (missing.returncode, "is not there" in missing.stderr) == (1, True)
    bundle.write_bytes(b"{}")
    garbled = daemon.run("import", str(bundle))
    assert (garbled.returncode, "is no bundle" in garbled.stderr) == (1, True)
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    daemon.bundle.rename(bundle)
    done = daemon.run("import", str(bundle))
    assert json.loads(done.stdout) == {"controller": SIGNER.controller}, done.stderr
    assert not bundle.exists()


def test_a_controller_that_imports_its_own_enrolment_keeps_it(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    assert daemon.run("import", str(daemon.bundle)).returncode == 0
    kept = daemon.data_dir / "controller.json"
    done = daemon.run("import", str(kept))
    assert (done.returncode, "is what this controller keeps" in done.stderr) == (1, True)
    assert kept.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_what_root_makes_belongs_to_whom_the_folder_belongs_to(daemon: EdgeDaemon) -> None:
    daemon.data_dir.mkdir()
    os.chown(daemon.data_dir, 4711, 4712)
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    assert daemon.run("import", str(daemon.bundle)).returncode == 0
    await daemon.start_and_wait()
    for name in ("controller.json", "lock"):
        made = (daemon.data_dir / name).stat()
        assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (4711, 4712, 0o600), name


async def test_a_door_works_though_the_bundle_names_no_broker(daemon: EdgeDaemon) -> None:
    daemon.keep(SIGNER.bundle("mqtt://["))
    await daemon.start_and_wait()
    assert any("can't be read: expected a host" in fault for fault in daemon.status()["faults"])


def test_outputs_off_drives_every_relay_low(daemon: EdgeDaemon) -> None:
    done = daemon.run("outputs-off")
    assert json.loads(done.stdout) == {"point": "front", "relay": "off"}


def test_outputs_off_passes_over_a_pin_that_can_not_be_had(tmp_path: Path) -> None:
    # The first Raspberry Pi's header has no BCM 12 and 13.
    daemon = EdgeDaemon(
        tmp_path, doors=("front", "back", "side"), environ={"GPIOZERO_MOCK_REVISION": "0002"}
    )
    text = daemon.config.read_text()
    daemon.config.write_text(text.replace("relay.pin = 10", "relay.pin = 13"))
    done = daemon.run("outputs-off")
    daemon.close()
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"point": "back", "relay": "off"}
    assert [line.split(" (")[0] for line in done.stderr.splitlines()] == [
        "p2k16-edge: front: pin 13",
        "side: pin 12",
    ]


async def test_commands_that_need_a_daemon_fail_at_once_without_one(daemon: EdgeDaemon) -> None:
    for arguments in (("rights", "front"), ("self-test", "front", "--yes"), ("status",)):
        done = await asyncio.to_thread(daemon.run, *arguments)
        assert done.returncode == 1
        assert "is p2k16-edge run running" in done.stderr


def in_terminal(daemon: EdgeDaemon, *arguments: str, typed: str = "") -> tuple[int, str]:
    """The exit code, and what a person would see."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [EDGE, *arguments, "--config", str(daemon.config)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=daemon.environment,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = bytearray()
    with suppress(OSError):  # the other end is closed
        while data := os.read(ours, 65_536):
            seen += data
    os.close(ours)
    return process.wait(60), seen.decode().replace("\r\n", "\n")


async def test_in_a_terminal_there_are_tables(linked: EdgeDaemon, console: ConsoleStandIn) -> None:
    await console.wait_for_kind("snapshot_applied")
    code, seen = await asyncio.to_thread(in_terminal, linked, "status")
    lines = seen.splitlines()
    assert (code, lines[0].split()) == (
        0,
        ["point", "state", "relay", "light", "reader", "level"],
    )
    assert lines[1].startswith("front  locked  off")
    assert lines[1].index("locked") == lines[0].index("state")
    code, seen = await asyncio.to_thread(in_terminal, linked, "journal", "--last", "9")
    head, *rows = seen.splitlines()
    assert (code, head.split()) == (0, ["number", "time", "(UTC)", "point", "what", "why", "more"])
    [applied] = [row for row in rows if "snapshot_applied" in row]  # a slow disk tells more
    assert applied.index("snapshot_applied") == head.index("what")
    code, seen = await asyncio.to_thread(in_terminal, linked, "check")
    assert code == 0
    assert all(line.split()[0] in {"ok", "warning"} for line in seen.splitlines())


async def test_a_self_test_moves_nothing_without_a_yes(linked: EdgeDaemon) -> None:
    for typed in ("n\n", "\n", "\x04"):  # the last one ends the input
        code, seen = await asyncio.to_thread(in_terminal, linked, "self-test", "front", typed=typed)
        assert (code, "nothing was moved" in seen) == (1, True), seen
        assert "Traceback" not in seen
    assert linked.relay() == []
    code, seen = await asyncio.to_thread(in_terminal, linked, "self-test", "front", typed="y\n")
    assert (code, "front: on after" in seen) == (0, True), seen


async def test_before_the_first_snapshot_rights_says_so(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    await daemon.start_and_wait()
    asking = asyncio.create_task(ask(daemon, "rights", "front", "--seconds", "20"))
    while not asking.done():
        daemon.tap(KARIS_CARD)
        await asyncio.sleep(1.7)
    assert (await asking)["reason"] == "no_snapshot"


async def test_the_journal_is_read_without_a_daemon_too(linked: EdgeDaemon) -> None:
    linked.stop()
    done = await asyncio.to_thread(linked.run, "journal", "--last", "1")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "required: COMMAND"),
        (("frob",), "invalid choice: 'frob'"),
        (("rights",), "required: POINT"),
        (("rights", "front", "--seconds", "121"), "a whole number from 1 to 120; got 121"),
        (("journal", "--last", "all"), "a whole number from 1 to 10000; got all"),
        (("import",), "required: BUNDLE"),
    ],
    ids=["none", "unknown", "no point", "too long", "no number", "no bundle"],
)
def test_wrong_arguments_are_told_in_a_line(
    arguments: tuple[str, ...], told: str, daemon: EdgeDaemon
) -> None:
    done = subprocess.run(
        [EDGE, *arguments], capture_output=True, text=True, check=False, env=daemon.environment
    )
    assert (done.returncode, told in done.stderr.splitlines()[-1]) == (2, True), done.stderr


def test_a_cell_moves_no_cursor_and_widens_its_column() -> None:
    drawn = table(("a", "b"), [("x\x1b[2J", None), ("1", "long\ncell")])
    assert drawn == "a      b\nx?[2J\n1      long?cell"
