"""`make demo`: it starts, it is real, and it leaves nothing behind."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.brokers import require_program
from tests.support.demo import RunningDemo, processes_of
from tests.support.waiting import eventually_sync

HOUSE = Path(__file__).parents[2]
USER = "p2k16-visitor"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    running = RunningDemo(tmp_path / "demo.log")
    try:
        yield running
    finally:
        running.end()


def is_gone(folder: Path) -> bool:
    return not folder.exists() and not processes_of(folder)


def visit(demo: RunningDemo) -> None:
    """A tap through the demo's own page opens the door and shows on the console."""
    assert demo.status("/healthz") == 200
    assert "Log in" in demo.get("/")
    demo.log_in("anne")
    assert "Mehmet Yılmaz" not in first_line(demo)
    demo.tap("mehmet", "front")
    demo.shows('front-relay="on"')
    demo.shows('front-light="green"')
    eventually_sync(lambda: "Mehmet Yılmaz" in first_line(demo))
    eventually_sync(lambda: "Mehmet Yılmaz: let in" in demo.get("/demo"))
    demo.shows('front-relay="off"')


def first_line(demo: RunningDemo) -> str:
    """The newest line of the list on the console's first page."""
    page = demo.get("/")
    return page[page.index('class="log"') :].partition("</li>")[0]


def test_it_starts_shows_a_tap_and_leaves_nothing_behind(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    folder = demo.data_folder()
    assert len(processes_of(folder)) >= 7, "three daemons, three guards, PostgreSQL"
    for word in ("anne", "ingrid", demo.address(), demo.address("/demo"), "1. ", "5. "):
        assert word in demo.said()
    visit(demo)
    demo.press(signal.SIGINT)
    assert demo.wait() == 0
    assert is_gone(folder)
    assert not [line for line in demo.said().splitlines() if "Traceback" in line]


def test_what_is_cut_off_decides_by_itself_and_loses_nothing(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    demo.log_in("anne")
    demo.post("/demo/controllers/front-pi/cable", is_cut="yes")
    demo.shows('front-link="down"')
    demo.tap("aase", "front")
    demo.shows('front-relay="on"')
    demo.shows('front-relay="off"')
    demo.tap("siobhan", "front")
    demo.shows('front-light="red"')
    assert "Åse Lindqvist" not in first_line(demo)
    demo.post("/demo/controllers/front-pi/reboots")
    demo.post("/demo/controllers/front-pi/cable", is_cut="no")
    demo.shows('front-link="up"', seconds=40)
    eventually_sync(lambda: "Siobhán O&#39;Connor" in first_line(demo), seconds=60)
    demo.post("/demo/broker", runs="no")
    demo.shows('workshop-link="down"')
    assert demo.status("/healthz") == 503
    demo.post("/demo/broker", runs="yes")
    eventually_sync(lambda: demo.status("/healthz") == 200, seconds=40)
    demo.press(signal.SIGTERM)
    assert demo.wait() == 0


def shows_state(demo: RunningDemo, words: str) -> None:
    """Some door or tool is in that state, by its controller's own word."""
    eventually_sync(lambda: f"</svg>{words}</span>" in demo.get("/demo"), seconds=30)


def test_a_door_is_forced_and_held_open_and_whoever_was_let_in_alarms_nobody(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    demo.post("/demo/doors/front/leaf", move="force")
    demo.shows('front-leaf="open"')
    shows_state(demo, "Forced open")
    demo.post("/demo/doors/front/leaf", move="close")
    eventually_sync(lambda: "Forced open" not in demo.get("/demo"))
    demo.tap("ingrid", "front")
    demo.shows('front-relay="on"')
    demo.post("/demo/doors/front/leaf", move="open")
    shows_state(demo, "Open")
    demo.shows('front-relay="off"')  # it locks behind her
    shows_state(demo, "Held open")
    demo.post("/demo/doors/workshop/leaf", move="leave")
    shows_state(demo, "Open")
    demo.log_in("anne")
    eventually_sync(lambda: "Held open" in demo.get("/doors"), seconds=30)


def test_a_saw_has_power_for_whoever_may_use_it_until_its_emergency_stop(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    tap_when_free(demo, "ingrid")
    demo.shows('saw-light="red"')
    tap_when_free(demo, "aase")
    demo.shows('saw-relay="on"')
    shows_state(demo, "Ready to be started")
    demo.post("/demo/tools/saw/motor", runs="yes")
    demo.shows('saw-motor="running"')
    shows_state(demo, "Running")
    tap_when_free(demo, "oyvind")
    eventually_sync(lambda: "Øyvind Dahl: refused" in demo.get("/demo"))
    demo.post("/demo/tools/saw/motor", runs="no")
    shows_state(demo, "On, and idle")
    demo.post("/demo/tools/saw/motor", runs="yes")
    shows_state(demo, "Running")
    demo.post("/demo/tools/saw/stop", is_stopped="yes")
    demo.shows('saw-relay="off"')
    demo.shows('saw-motor="off"')
    shows_state(demo, "Emergency stop pressed")
    demo.post("/demo/controllers/saw-pi/reboots")
    demo.shows('saw-link="up"', seconds=40)
    shows_state(demo, "Emergency stop pressed")
    demo.post("/demo/tools/saw/stop", is_stopped="no")
    shows_state(demo, "Off")
    tap_when_free(demo, "oyvind")
    demo.shows('saw-relay="on"')
    tap_when_free(demo, "oyvind")
    demo.shows('saw-relay="off"')
    assert "Øyvind Dahl: has finished" in demo.get("/demo")


def tap_when_free(demo: RunningDemo, card: str) -> None:
    """At the saw, as soon as no other card lies there, and this one was away for long enough."""
    eventually_sync(lambda: is_taken(demo, card))


def is_taken(demo: RunningDemo, card: str) -> bool:
    try:
        demo.tap(card, "saw")
    except HTTPError:
        return False
    return True


def test_what_can_t_be_moved_says_why(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    for path, fields, why in (
        ("/demo/doors/front/leaf", {"move": "open"}, "locked"),
        ("/demo/doors/front/leaf", {"move": "melt"}, "opened, forced or closed"),
        ("/demo/doors/saw/leaf", {"move": "open"}, "no door"),
        ("/demo/tools/front/motor", {"runs": "yes"}, "no tool"),
        ("/demo/tools/saw/motor", {"runs": "yes"}, "no power"),
        ("/demo/tools/cellar/stop", {"is_stopped": "yes"}, "no such door or tool"),
    ):
        with pytest.raises(HTTPError) as refused:
            demo.post(path, **fields)
        assert refused.value.code == 400
        assert why in refused.value.read().decode()


def test_ctrl_c_during_the_start_leaves_nothing_behind(demo: RunningDemo):
    demo.start()
    eventually_sync(lambda: "Making a makerspace" in demo.said(), seconds=60)
    folder = demo.data_folder()
    eventually_sync(lambda: processes_of(folder), seconds=30)
    demo.press(signal.SIGINT)
    assert demo.wait() == 0
    assert is_gone(folder)


def test_a_second_ctrl_c_ends_it_at_once(demo: RunningDemo):
    demo.start()
    demo.wait_until_ready()
    folder = demo.data_folder()
    demo.press(signal.SIGINT)
    eventually_sync(lambda: "Ctrl-C again" in demo.said(), every=0.001)
    demo.press(signal.SIGINT)
    assert demo.wait() in {0, 130}, "0: the first one was quicker"
    eventually_sync(lambda: is_gone(folder))


def test_a_killed_demo_takes_its_controllers_along_and_the_next_one_clears_away(
    demo: RunningDemo, tmp_path: Path
):
    demo.start()
    demo.wait_until_ready()
    folder = demo.data_folder()
    demo.press(signal.SIGKILL)
    demo.wait()
    eventually_sync(
        lambda: not [words for words in processes_of(folder) if "edge" in words], seconds=60
    )
    following = RunningDemo(tmp_path / "following.log")
    following.start()
    try:
        following.wait_until_ready()
        assert is_gone(folder)
    finally:
        following.end()


def test_a_taken_port_is_told_and_nothing_is_made(demo: RunningDemo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo.port = taken.getsockname()[1]
        demo.start()
        assert demo.wait() == 1
    assert f"127.0.0.1:{demo.port} is taken" in demo.said()
    assert "--listen" in demo.said()
    assert "Traceback" not in demo.said()


@pytest.fixture
def visitor() -> Iterator[pwd.struct_passwd]:
    """An ordinary user with a home of his own, for the time of the test."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can make another user; this run is an ordinary user's")
    useradd, userdel = require_program("useradd"), require_program("userdel")
    subprocess.run([userdel, "--remove", USER], check=False, capture_output=True)
    subprocess.run([useradd, "--create-home", "--shell", "/bin/sh", USER], check=True)
    try:
        yield pwd.getpwnam(USER)
    finally:
        subprocess.run([userdel, "--force", "--remove", USER], check=True, capture_output=True)


def test_make_demo_works_in_an_ordinary_users_own_clone(visitor: pwd.struct_passwd, tmp_path: Path):
    clone = Path(visitor.pw_dir) / "p2k16"
    copy_what_is_committed_or_would_be(clone)
    subprocess.run(["chown", "-R", f"{USER}:", clone], check=True)
    own = {"HOME": visitor.pw_dir, "USER": USER, "LOGNAME": USER, "PATH": "/usr/bin:/bin"}
    needed = ("PIP_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "NODE_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(needed)}
    demo = RunningDemo(
        tmp_path / "demo.log",
        ["make", "demo", "PYTHON=/usr/bin/python3"],
        folder=clone,
        environment={**kept, **own},
        identity={"user": visitor.pw_uid, "group": visitor.pw_gid, "extra_groups": []},
    )
    demo.start()
    try:
        demo.wait_until_ready(seconds=300)
        folder = demo.data_folder()
        assert folder.stat().st_uid == visitor.pw_uid
        visit(demo)
        demo.press(signal.SIGINT)
        demo.wait()
        eventually_sync(lambda: is_gone(folder), seconds=60)
    finally:
        demo.end()


def copy_what_is_committed_or_would_be(clone: Path) -> None:
    """A clone that holds the working tree's state, so that the test tests what lies here."""
    subprocess.run(["git", "clone", "--quiet", HOUSE, clone], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        source = HOUSE / name
        if name and source.is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, clone / name)
