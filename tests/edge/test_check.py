"""`p2k16-edge check`: all findings at once, each failure with its remedy."""

import asyncio
import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from edge.check import check
from edge.check_folder import check_folder
from edge.mounts import file_system
from edge.provision import provision
from edge.settings import load_settings
from edge.soundness import owner_of
from edge.store import STORE_NAME
from sync.ids import ControllerId
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import Signer

OWNER_OF_FRONT = owner_of(SIGNER.bundle("mqtt://127.0.0.1:1"))
SETS_ASIDE = "start the daemon: it sets a store aside that it can't use, and begins a new one"


def findings(daemon: EdgeDaemon) -> tuple[int, dict[str, str]]:
    """The exit code, and what was found about what."""
    done = daemon.run("check")
    assert "Traceback" not in done.stderr, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for finding in found:
        assert (finding["verdict"] == "ok") is (finding["remedy"] is None), finding
        assert finding["ok"] is (finding["verdict"] != "failed"), finding
    # What the tests' own folder lies on is a matter of the machine.
    return done.returncode, {one["what"]: one["verdict"] for one in found if one["what"] != "disk"}


def lines(daemon: EdgeDaemon, what: str) -> list[dict[str, Any]]:
    """What was found about one thing."""
    found = [json.loads(line) for line in daemon.run("check").stdout.splitlines()]
    return [one for one in found if one["what"] == what]


async def test_a_controller_that_could_run_is_ok(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    code, found = findings(daemon)
    assert found == dict.fromkeys(
        (
            *("settings", "data_dir", "keys", "store", "clock", "reader front", "relay front"),
            *("enrolment", "broker"),
        ),
        "ok",
    )
    assert code == 0
    assert daemon.bundle.exists(), "a check takes nothing over"


def test_everything_that_is_wrong_is_told_at_once(daemon: EdgeDaemon) -> None:
    daemon.lines["front"].unplug()
    code, found = findings(daemon)
    assert code == 1
    assert found["reader front"] == "failed"
    assert (found["enrolment"], found["broker"]) == ("failed", "failed")
    assert (found["relay front"], found["clock"]) == ("ok", "ok")
    daemon.lines["front"].plug_in()


def test_a_broker_that_is_not_there_is_told(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    code, found = findings(daemon)
    assert (code, found["broker"], found["enrolment"]) == (1, "failed", "ok")
    daemon.enrol(SIGNER.bundle("mqtt://192.0.2.1:1883"))
    done = daemon.run("check")
    assert "allow_plaintext = true" in done.stdout


async def test_beside_a_running_daemon_pins_and_session_are_left_alone(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    connects = len(console.hellos)
    code, found = findings(linked)
    assert (code, found["pins"], found["broker"]) == (0, "ok", "ok")
    assert linked.status()["link"] == "up"
    assert len(console.hellos) == connects


def test_a_check_leaves_nothing_behind(daemon: EdgeDaemon) -> None:
    assert findings(daemon)[1]["data_dir"] == "ok"
    assert not daemon.data_dir.exists()
    daemon.data_dir.mkdir()
    assert findings(daemon)[1]["data_dir"] == "ok"
    assert list(daemon.data_dir.iterdir()) == []


def test_a_folder_below_what_is_no_folder_is_told(daemon: EdgeDaemon) -> None:
    (daemon.folder / "plain").write_text("a file")
    text = daemon.config.read_text().replace(str(daemon.data_dir), f"{daemon.folder}/plain/edge")
    daemon.config.write_text(text)
    code, found = findings(daemon)
    assert (code, found["data_dir"]) == (1, "failed")


def test_a_folder_that_can_not_be_made_is_told(daemon: EdgeDaemon) -> None:
    daemon.data_dir.write_text("in the way")
    code, found = findings(daemon)
    assert (code, found["data_dir"]) == (1, "failed")
    assert {"clock", "reader front", "relay front", "enrolment", "broker"} <= found.keys()


def test_a_broker_that_refuses_the_password_is_told_with_the_remedy(
    daemon: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password="another"))
    [found] = lines(daemon, "broker")
    assert found["verdict"] == "failed"
    assert found["remedy"].startswith("its password was refused: enrol anew, or run")


def test_certificates_that_are_not_there_are_told(daemon: EdgeDaemon) -> None:
    daemon.config.write_text(
        daemon.config.read_text().replace(
            "[[door]]", '[mqtt]\nca_file = "/nowhere/ca.crt"\n[[door]]', 1
        )
    )
    daemon.enrol(SIGNER.bundle("mqtts://127.0.0.1:1"))
    [found] = lines(daemon, "broker")
    assert "/nowhere/ca.crt holds no certificates" in found["text"]
    assert found["remedy"] == "correct mqtt.ca_file"


@pytest.mark.parametrize("url", ["mqtts://127.0.0.1:99999", "mqtt://[", "mqtt://[]:1"])
def test_an_address_of_the_broker_that_is_none_is_told(url: str, daemon: EdgeDaemon) -> None:
    daemon.keep(SIGNER.bundle(url))
    [found] = lines(daemon, "broker")
    assert "expected a host, and a port from 1 to 65535" in found["text"]
    assert found["remedy"] == "Enrol again with --broker"
    daemon.enrol(SIGNER.bundle(url))
    [found] = lines(daemon, "enrolment")
    assert "expected a host, and a port from 1 to 65535" in found["text"]
    done = daemon.run("import", str(daemon.bundle))
    assert done.returncode == 1
    assert "Enrol again with --broker" in done.stderr
    assert daemon.bundle.exists()


def test_a_damaged_bundle_and_one_for_another_controller_are_told(daemon: EdgeDaemon) -> None:
    daemon.bundle.write_bytes(b'{"version": 1}')
    [found] = lines(daemon, "enrolment")
    assert found["text"].endswith("is no bundle: bundle: broker is missing")
    assert found["remedy"].startswith("Copy it again as p2k16-console controllers enrol wrote it")
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    assert daemon.run("import", str(daemon.bundle)).returncode == 0
    daemon.enrol(Signer(controller=ControllerId("back")).bundle("mqtt://127.0.0.1:1"))
    [found] = lines(daemon, "enrolment")
    assert "is for controller back, but this is front" in found["text"]
    assert found["remedy"] == "Remove it, or give this machine another data_dir"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data_dir = /var\n", "not TOML: "),
        ("[[door]]\nkey = 7\n", "door[1].key: expected 1 to 32 of a-z, 0-9 and -"),
        ('datadir = "x"\n', "datadir: there is no such setting; did you mean data_dir?"),
    ],
    ids=["not TOML", "wrong", "unknown"],
)
def test_settings_that_are_wrong_are_findings_like_all_others(
    text: str, told: str, daemon: EdgeDaemon
) -> None:
    daemon.config.write_text(text)
    done = daemon.run("check")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert {one["what"] for one in found} == {"settings"}
    assert any(one["text"].startswith(told) for one in found)
    assert {one["remedy"] for one in found} == {f"correct it in {daemon.config}"}


def test_a_clock_that_was_never_set_is_told(daemon: EdgeDaemon) -> None:
    settings = load_settings(daemon.config, daemon.environment)
    found = {one.what: one for one in check(settings, "here", wall_seconds=lambda: 3_600.0)}
    assert found["clock"].is_failure
    assert "never set: 1970-01-01 01:00 UTC" in str(found["clock"])


def test_stores_that_were_set_aside_and_keys_that_others_can_read_are_warnings(
    daemon: EdgeDaemon,
) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    daemon.run("import", str(daemon.bundle))
    (daemon.data_dir / "edge.sqlite.damaged-1").write_bytes(bytes(2_000_000))
    (daemon.data_dir / "controller.json").chmod(0o644)
    _, found = findings(daemon)
    assert (found["set aside"], found["keys"]) == ("warning", "warning")
    [told] = lines(daemon, "set aside")
    assert told["text"] == "edge.sqlite.damaged-1: 2.0 MB"
    assert stat.S_IMODE((daemon.data_dir / "controller.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("damage", [b"no database at all", b"SQLite format 3\0" + bytes(4_080)])
def test_a_damaged_store_is_told_and_left_alone(damage: bytes, daemon: EdgeDaemon) -> None:
    daemon.data_dir.mkdir()
    (daemon.data_dir / "edge.sqlite").write_bytes(damage)
    _, found = findings(daemon)
    assert found["store"] == "failed"
    assert (daemon.data_dir / "edge.sqlite").read_bytes() == damage


@pytest.mark.parametrize(
    ("statement", "told", "remedy"),
    [
        ("SELECT 1", "no rights yet, 0 events", None),
        ("DROP TABLE hold", "there is no table hold", SETS_ASIDE),
        ("DROP TABLE event", "there is no table event", SETS_ASIDE),
        ("DELETE FROM state", "the table state has no row", SETS_ASIDE),
        ("UPDATE state SET owner = 'back 00'", "belongs to another controller", SETS_ASIDE),
        ("PRAGMA user_version = 99", "written by a newer p2k16-edge", "update this one"),
    ],
    ids=["sound", "no orders", "no events", "no state", "another's", "newer"],
)
def test_a_store_that_the_daemon_would_not_use_is_told_with_what_becomes_of_it(
    statement: str, told: str, remedy: str | None, daemon: EdgeDaemon
) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    assert daemon.run("import", str(daemon.bundle)).returncode == 0
    provision(daemon.data_dir, OWNER_OF_FRONT)
    with closing(sqlite3.connect(daemon.data_dir / STORE_NAME, isolation_level=None)) as store:
        store.execute(statement)
    _, found = findings(daemon)
    [line] = lines(daemon, "store")
    assert found["store"] == ("ok" if remedy is None else "failed")
    assert told in line["text"]
    assert line["remedy"] == remedy


async def test_what_is_in_the_store_is_told_beside_a_running_daemon(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await console.wait_for_kind("snapshot_applied")
    [found] = await asyncio.to_thread(lines, linked, "store")
    assert found["text"].startswith("rights 1.1, ")
    assert found["text"].endswith(" events")
    [found] = await asyncio.to_thread(lines, linked, "broker")
    assert found["text"] == "the running daemon is linked to it"


MOUNTS = """\
22 1 0:20 / / ro,relatime shared:1 - overlay overlayroot rw,lowerdir=/media/root-ro
23 22 179:3 / /var/lib/p2k16-edge rw,noatime shared:2 - ext4 /dev/mmcblk0p3 rw
24 22 0:22 / /tmp rw - tmpfs tmpfs rw
25 24 0:23 / /tmp rw - ext4 /dev/sda1 rw
26 22 0:24 / /srv/with\\040space rw master:1 shared:3 - btrfs /dev/sdb rw
odd line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/pi/edge", "overlay"),
        ("/var/lib/p2k16-edge", "ext4"),
        ("/var/lib/p2k16-edge/below", "ext4"),
        ("/var/lib/p2k16-edge2", "overlay"),
        ("/tmp/edge", "ext4"),
        ("/srv/with space/edge", "btrfs"),
    ],
)
def test_what_a_folder_lies_on_is_told_by_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(PurePath(path), MOUNTS) == kind
    assert file_system(PurePath(path), "") is None


def test_a_folder_that_a_power_cut_empties_is_a_warning() -> None:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or not os.access(shared_memory, os.W_OK):
        pytest.skip("NOT TESTED: this machine has no file system in memory")
    with TemporaryDirectory(dir=shared_memory) as folder:
        found = {one.what: one for one in check_folder(Path(folder))}
    told = found["disk"]
    assert (told.is_warning, told.is_failure) == (True, False)
    assert "lies on tmpfs: rights and journal may be gone after a power cut" in told.text
    assert told.remedy is not None
    assert "data partition" in told.remedy
