"""What answers at the socket may be an older daemon, or no daemon at all: one clear line."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge.asking import RIGHTS, SELF_TEST, STATE, NoAnswer, ask_rights, ask_self_test, ask_state
from edge.errors import EdgeError
from edge.shape import EVERY, mistake
from edge.status import SOCKET_NAME
from tests.edge.test_technician import in_terminal
from tests.support.edge_daemon import EdgeDaemon

POINT = {"state": "locked", "relay": "off", "light": "off", "reader": "open", "staleness": "fresh"}
SOUND: dict[str, Any] = {
    "controller": "front",
    "software": "0",
    "points": {"front": POINT},
    "applied": {"epoch": 1, "serial": 1, "digest": None},
    "journal": {"head": 1, "acknowledged": 1, "fill_percent": 0},
    "link": "up",
    "link_trouble": None,
    "clock": {"trusted": True},
    "storage": {"commit_p99_ms": None},
    "temperature_c": None,
    "undervoltage": None,
    "faults": [],
    "last_error": None,
    "break_glass": {"openings": []},
}
STRANGE = {
    "nothing": b"",
    "no JSON": b"220 mail.example.org ready\r\n",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"1",
    "an empty object": b"{}",
    "null": b"null",
    "points alone": b'{"points":{}}',
    "points that are none": json.dumps(SOUND | {"points": {"front": 1}}).encode(),
    "a list of points": json.dumps(SOUND | {"points": []}).encode(),
    "faults that are none": json.dumps(SOUND | {"faults": [None]}).encode(),
    "an older daemon": json.dumps(
        {key: value for key, value in SOUND.items() if key != "link_trouble"}
    ).encode(),
    "a refusal that is none": b'{"refused":{}}',
    "too many digits": b'{"points":' + b"1" * 5_000 + b"}",
    "too deep": b"[" * 100_000,
    "a key that moves the cursor": json.dumps(SOUND | {"points": {"\x1b[2J\n" * 100: {}}}).encode(),
}


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Callable[[bytes], Path]]:
    """Whoever asks at the folder's socket from now on gets these bytes."""
    said = [b""]
    data_dir = tmp_path / "edge"
    data_dir.mkdir()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(data_dir / SOCKET_NAME))
    listening.listen()

    def serve() -> None:
        with suppress(OSError):  # it was shut
            while True:
                asker, _ = listening.accept()
                with asker, suppress(OSError):
                    while asker.recv(65_536):
                        pass
                    asker.sendall(said[0])

    serving = threading.Thread(target=serve)
    serving.start()

    def let_answer(content: bytes) -> Path:
        said[0] = content
        return data_dir

    yield let_answer
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    serving.join()


@pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_answer_is_one_line_whatever_was_asked(
    answer: bytes, answers: Callable[[bytes], Path]
) -> None:
    data_dir = answers(answer)
    for ask in (
        lambda: ask_state(data_dir),
        lambda: ask_rights(data_dir, "front", seconds=1),
        lambda: ask_self_test(data_dir, "front"),
    ):
        with pytest.raises(NoAnswer) as told:
            ask()
        assert str(told.value).isprintable(), "one line"
        assert "is no p2k16-edge" in str(told.value)
        assert "start" in str(told.value), "the remedy"
        assert len(str(told.value)) < 500


def test_what_an_answer_lacks_is_named(answers: Callable[[bytes], Path]) -> None:
    for key in SOUND:
        data_dir = answers(json.dumps(_without(key)).encode())
        with pytest.raises(NoAnswer, match=rf"of this release \({key} is missing\)"):
            ask_state(data_dir)


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in SOUND.items() if name != key}


def test_a_sound_answer_and_a_newer_one_are_taken(answers: Callable[[bytes], Path]) -> None:
    newer = {**SOUND, "mood": "sunny", "points": {"front": {**POINT, "cycles": 3}}}
    assert ask_state(answers(json.dumps(newer).encode())) == newer


def test_a_refusal_is_told_as_it_is(answers: Callable[[bytes], Path]) -> None:
    with pytest.raises(EdgeError, match=r"^not now\?$"):
        ask_state(answers(b'{"refused":"not now\\u0007"}'))


@pytest.mark.parametrize("answer", [b"[]", STRANGE["an older daemon"]], ids=["list", "older"])
def test_every_command_that_asks_ends_with_one_line_and_1(
    answer: bytes, answers: Callable[[bytes], Path], daemon: EdgeDaemon
) -> None:
    answers(answer)
    for arguments in (
        ("status",),
        ("status", "--json"),
        ("rights", "front"),
        ("self-test", "front", "--yes"),
    ):
        done = daemon.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), done
        [line] = done.stderr.splitlines()
        assert line.startswith("p2k16-edge: what answers at ")
    code, seen = in_terminal(daemon, "status")
    assert (code, len(seen.splitlines())) == (1, 1), seen


def test_a_shape_knows_lists_choices_and_every_key() -> None:
    assert mistake([1, 2], [int]) is None
    assert mistake([1, True], [int]) == "[2] is something else"
    assert mistake({"a": {"b": "c"}}, {EVERY: {"b": int}}) == "a.b is something else"
    assert mistake(None, (type(None), {"a": int})) is None
    assert mistake({}, (type(None), {"a": int})) == "a is missing"
    assert mistake(1.5, int | None) == "it is something else"
    for shape in (STATE, RIGHTS, SELF_TEST):
        assert mistake({}, shape) is not None
