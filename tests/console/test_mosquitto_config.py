"""The files for Mosquitto, checked with a real Mosquitto."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.errors import ConsoleError
from console.link.mosquitto import BrokerFiles, acl_file, password_file, write_broker_config
from sync.ids import ControllerId
from tests.support.brokers import (
    CONTROLLERS,
    PASSWORD,
    PASSWORD_HASH,
    Mosquitto,
    StartMosquitto,
    end_mosquitto,
    free_port,
    require_program,
)
from tests.support.raw_mqtt import RawMqtt, Will
from tests.support.waiting import eventually, eventually_sync

FRONT, BACK = "p2k16/v1/front", "p2k16/v1/back"
URL = f"mqtt://console:{PASSWORD}@127.0.0.1"


def write(out: Path, *names: str, url: str | None = URL) -> BrokerFiles:
    return write_broker_config(
        out,
        prefix="p2k16",
        url=url,
        controllers={ControllerId(name): PASSWORD_HASH for name in names},
    )


async def log_in(broker: Mosquitto, name: str, *, will: Will | None = None) -> RawMqtt:
    client = await RawMqtt.open(broker.port)
    code = await client.connect(client_id=name, user=name, password=PASSWORD, will=will)
    assert code == 0
    return client


async def may_log_in(broker: Mosquitto, name: str | None, password: str | None) -> bool:
    client = await RawMqtt.open(broker.port)
    return await client.connect(client_id=name or "x", user=name, password=password) == 0


async def test_the_console_and_the_enrolled_controllers_log_in_and_nobody_else(
    mosquitto: Mosquitto,
) -> None:
    for name in ("console", *CONTROLLERS):
        assert await may_log_in(mosquitto, name, PASSWORD)
        assert not await may_log_in(mosquitto, name, "wrong")
    assert not await may_log_in(mosquitto, "side", PASSWORD)
    assert not await may_log_in(mosquitto, None, None)


async def test_messages_go_up_to_the_console_and_down_to_the_one_they_are_for(
    mosquitto: Mosquitto,
) -> None:
    console, front, back = [await log_in(mosquitto, name) for name in ("console", "front", "back")]
    await console.subscribe("p2k16/v1/+/up/#")
    for client in (front, back):
        await client.subscribe(f"{FRONT}/down/#", f"{BACK}/down/#", "#", "p2k16/v1/+/down/#")
    await console.publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    await front.publish(f"{FRONT}/up/events", b"a batch")
    await eventually(lambda: _heard(console))
    await eventually(lambda: _heard(front))
    await back.ping()
    assert [m.payload for m in console.heard] == [b"a batch"]
    # Overlapping subscriptions: Mosquitto may send one message once for each.
    assert {(m.topic, m.payload) for m in front.heard} == {(f"{FRONT}/down/snapshot", b"rights")}
    assert back.heard == []


async def _heard(client: RawMqtt) -> bool:
    await client.ping()
    return bool(client.heard)


async def test_what_a_controller_sends_outside_its_up_branch_goes_nowhere(
    mosquitto: Mosquitto,
) -> None:
    console, front, back = [await log_in(mosquitto, name) for name in ("console", "front", "back")]
    await console.subscribe("p2k16/v1/+/up/#")
    await front.subscribe(f"{FRONT}/down/#")
    for topic in (f"{FRONT}/up/events", f"{FRONT}/down/command", f"{BACK}/up/unheard-of"):
        await back.publish(topic, b"forged", retain=True)
    for client in (console, front):
        await client.ping()
        assert client.heard == []


async def test_a_will_for_somebody_elses_topic_isnt_published(mosquitto: Mosquitto) -> None:
    front = await log_in(mosquitto, "front")
    await front.subscribe(f"{FRONT}/down/#")
    (await log_in(mosquitto, "back", will=Will(f"{FRONT}/down/command", b"forged"))).drop()
    await eventually(lambda: "Client back closed its connection" in mosquitto.log)
    await front.ping()
    assert front.heard == []


async def test_a_controller_enrolled_later_gets_in_after_a_reload(
    start_mosquitto: StartMosquitto, tmp_path: Path
) -> None:
    files = write(tmp_path / "out", "front")
    broker = start_mosquitto(files.passwords, files.acl)
    front = await log_in(broker, "front")
    assert not await may_log_in(broker, "back", PASSWORD)
    write(tmp_path / "out", "front", "back")
    os.kill(broker.pid, signal.SIGHUP)
    await eventually(lambda: may_log_in(broker, "back", PASSWORD))
    assert await front.is_alive()
    back = await log_in(broker, "back")
    console = await log_in(broker, "console")
    await back.subscribe(f"{BACK}/down/#")
    await console.publish(f"{BACK}/down/beacon", b"tick")
    await eventually(lambda: _heard(back))


async def test_a_controller_that_is_gone_is_kept_out_after_a_reload(
    start_mosquitto: StartMosquitto, tmp_path: Path
) -> None:
    files = write(tmp_path / "out", "front", "back")
    broker = start_mosquitto(files.passwords, files.acl)
    write(tmp_path / "out", "front")
    os.kill(broker.pid, signal.SIGHUP)

    async def kept_out() -> bool:
        return not await may_log_in(broker, "back", PASSWORD)

    await eventually(kept_out)


async def test_with_the_example_nobody_takes_a_controllers_place(
    start_mosquitto: StartMosquitto, tmp_path: Path
) -> None:
    files = write(tmp_path / "out", "front", "back")
    assert "use_username_as_clientid true" in files.example.read_text()
    broker = start_mosquitto(files.passwords, files.acl)
    broker.stop_now()
    broker.extra = "use_username_as_clientid true\n"
    broker.start_now()
    front = await log_in(broker, "front")
    thief = await RawMqtt.open(broker.port)
    assert await thief.connect(client_id="front", user="back", password=PASSWORD) == 0
    assert await front.is_alive()


async def test_the_example_is_a_configuration_that_mosquitto_accepts(tmp_path: Path) -> None:
    program = require_program("mosquitto")
    files = write(tmp_path / "out", "front")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = [require_program("openssl"), "req", "-x509", "-nodes", "-newkey", "rsa:2048"]
    command += ["-subj", "/CN=x", "-days", "1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    text = files.example.read_text()
    text = text.replace("/etc/mosquitto/certs/fullchain.pem", str(certificate))
    text = text.replace("/etc/mosquitto/certs/privkey.pem", str(key))
    text = text.replace("listener 1883 127.0.0.1", f"listener {free_port()} 127.0.0.1")
    text = text.replace("listener 8883", f"listener {free_port()} 127.0.0.1")
    if os.geteuid() == 0:
        text += "user root\n"
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(text)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-c", str(configuration)], stderr=output)
    try:
        eventually_sync(lambda: "running" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        assert "error" not in log.read_text().lower()
    finally:
        end_mosquitto(process)


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="p2k16-mosquitto-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can become `mosquitto`")
async def test_mosquitto_as_its_own_user_reads_what_root_wrote(
    reachable_folder: Path,
) -> None:
    program, out = require_program("mosquitto"), reachable_folder / "p2k16"
    files = write(out, "front")
    for path, mode in ((out, 0o750), (files.passwords, 0o640), (files.acl, 0o640)):
        assert (path.owner(), path.group()) == ("root", "mosquitto")
        assert stat.S_IMODE(path.stat().st_mode) == mode
    broker = Mosquitto(program, reachable_folder, files.passwords, files.acl)
    broker.as_root = False
    broker.start_now()
    try:
        assert await may_log_in(broker, "front", PASSWORD)
        write(out, "front", "back")
        os.kill(broker.pid, signal.SIGHUP)
        await eventually(lambda: may_log_in(broker, "back", PASSWORD))
    finally:
        broker.stop_now()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")
def test_a_folder_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    require_program("mosquitto")  # and so its group
    tmp_path.chmod(0o755)
    files = write(tmp_path, "front")
    assert (tmp_path.group(), stat.S_IMODE(tmp_path.stat().st_mode)) == ("root", 0o755)
    assert files.acl.group() == "mosquitto"
    shutil.chown(tmp_path, group="nogroup")
    tmp_path.chmod(0o2750)
    assert write(tmp_path, "front").acl.group() == "nogroup", "the folder says which group"
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o2750


def test_only_owner_and_group_may_read_and_no_temporary_file_stays(tmp_path: Path) -> None:
    write(tmp_path / "new" / "folder", "front")
    files = write(tmp_path / "new" / "folder", "front", "back")
    assert files.controllers == 2
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"passwords", "acl", "mosquitto.conf.example"}
    for path in (files.passwords, files.acl, files.example):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert PASSWORD not in "".join(p.read_text() for p in (tmp_path / "new" / "folder").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")
def test_a_chown_done_once_survives_the_next_run(tmp_path: Path) -> None:
    files = write(tmp_path, "front")
    shutil.chown(files.passwords, group="nogroup")
    write(tmp_path, "front")
    assert files.passwords.group() == "nogroup"


def test_a_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    files = write(tmp_path, "front")
    old = files.passwords.read_text(), files.acl.read_text()
    with pytest.raises(ConsoleError, match="back has no password hash"):
        write_broker_config(
            tmp_path,
            prefix="p2k16",
            url=URL,
            controllers={ControllerId("back"): "\nroot:$7$1$AA==$AA=="},
        )
    assert (files.passwords.read_text(), files.acl.read_text()) == old


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "url isn't set"),
        ("mqtt://127.0.0.1", "no user and password"),
        ("mqtt://console@127.0.0.1", "no user and password"),
        ("mqtt://front:secret@127.0.0.1", "controller's name"),
        ("mqtt://two%0Alines:secret@127.0.0.1", "user name"),
        ("mqtt://with%3Acolon:secret@127.0.0.1", "user name"),
        ("http://console:secret@127.0.0.1", "mqtt://"),
    ],
)
def test_a_url_that_gives_no_login_for_the_console_is_explained(
    tmp_path: Path, url: str | None, message: str
) -> None:
    with pytest.raises(ConsoleError, match=message) as refusal:
        write(tmp_path / "out", "front", url=url)
    assert "secret" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_the_acl_has_a_section_for_each_user_and_no_pattern() -> None:
    text = acl_file("p2k16", "console", frozenset({ControllerId("front"), ControllerId("back")}))
    assert [line for line in text.splitlines() if line.startswith("user ")] == [
        "user console",
        "user back",
        "user front",
    ]
    assert "pattern" not in text
    assert "%" not in text
    assert text.index("user ") < text.index("topic ")


def test_a_prefix_with_a_line_end_adds_no_line_to_the_acl() -> None:
    with pytest.raises(ConsoleError, match="legacy"):
        acl_file("p2k16", "console", frozenset(), old_prefixes=("a\nuser eve\ntopic #",))


def test_a_password_file_has_one_line_for_each_user() -> None:
    text = password_file({"front": PASSWORD_HASH, "back": PASSWORD_HASH})
    assert text == f"back:{PASSWORD_HASH}\nfront:{PASSWORD_HASH}\n"
