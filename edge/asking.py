"""Asking a running daemon: the one place that reads its answers.

What answers may be an older daemon, or something else altogether: an answer in which something is
missing is none.
"""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from edge.columns import plain
from edge.errors import BECOME, EdgeError
from edge.shape import EVERY, Shape, mistake
from edge.status import ANSWER_SECONDS, socket_path

ANSWER_BYTES_MAX = 1024 * 1024
SELF_TEST_SECONDS = 5.0
"""Longer than a relay may take both ways (edge/bench.py)."""

MISTAKE_CHARACTERS_MAX = 100

STATE: Shape = {
    "controller": str | None,
    "software": str,
    "points": {EVERY: dict.fromkeys(("state", "relay", "light", "reader", "staleness"), str)},
    "applied": {"epoch": int, "serial": int, "digest": str | None},
    "journal": {"head": int, "acknowledged": int, "fill_percent": int},
    "link": str,
    "link_trouble": str | None,
    "clock": {"trusted": bool},
    "temperature_c": int | None,
    "undervoltage": bool | None,
    "storage": {"commit_p99_ms": int | None},
    "faults": [str],
    "last_error": (type(None), {"kind": str, "name": str, "text": str}),
    "break_glass": {
        "openings": [
            {
                "point": str,
                "entry": str | None,
                "time_ms": int,
                "clock": str,
                "reason": str,
            }
        ]
    },
}
RIGHTS: Shape = {
    "card": str,
    "known": bool,
    "reason": str,
    "not_after_ms": int | None,
    "now": str,
    "hands_back": bool,
}
REFUSED: Shape = {"refused": str}
SELF_TEST: Shape = {"on_after_ms": int, "off_after_ms": int}


class NoAnswer(EdgeError):
    """No daemon of this release runs on this data folder, or it doesn't answer."""


def ask_state(data_dir: Path) -> dict[str, Any]:
    """How it is, as edge/health.py has it. Raises: NoAnswer, at once when there is no daemon."""
    return _ask(data_dir, {}, STATE)


def ask_rights(data_dir: Path, point: str, *, seconds: int) -> dict[str, Any]:
    """What it would say to the next card within so many seconds. Raises: NoAnswer, EdgeError."""
    question = {"ask": "rights", "point": point, "seconds": seconds}
    return _ask(data_dir, question, RIGHTS, seconds=seconds)


def ask_self_test(data_dir: Path, point: str) -> dict[str, Any]:
    """Has it move a relay, and tells how long that took. Raises: NoAnswer, EdgeError."""
    question = {"ask": "self-test", "point": point}
    return _ask(data_dir, question, SELF_TEST, seconds=SELF_TEST_SECONDS)


def _ask(
    data_dir: Path, question: Mapping[str, object], shape: Shape, *, seconds: float = 0
) -> dict[str, Any]:
    """`seconds`: how long it may take to find its answer. Raises: EdgeError for what it refuses."""
    path = socket_path(data_dir)
    answered = _read(path, _exchange(path, json.dumps(question).encode(), seconds))
    if mistake(answered, REFUSED) is None:
        raise EdgeError(plain(cast("dict[str, str]", answered)["refused"]))
    wrong = mistake(answered, shape)
    if wrong is not None:
        raise NoAnswer(
            f"what answers at {path} is no p2k16-edge of this release "
            f"({plain(wrong)[:MISTAKE_CHARACTERS_MAX]}): restart the daemon"
        )
    return cast("dict[str, Any]", answered)


def _exchange(path: Path, question: bytes, seconds: float) -> bytes:
    answer = bytearray()
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_SECONDS + seconds)
            asking.connect(str(path))
            asking.sendall(question)
            asking.shutdown(socket.SHUT_WR)
            while len(answer) < ANSWER_BYTES_MAX and (data := asking.recv(65536)):
                answer += data
    except PermissionError as error:
        raise NoAnswer(f"{path}: {error.strerror}. To ask, {BECOME}") from error
    except OSError as error:
        raise NoAnswer(
            f"no daemon answers at {path} ({error.strerror or error}): is p2k16-edge run running, "
            "with this data_dir? Start it, or name its settings with --config"
        ) from error
    return bytes(answer)


def _read(path: Path, answer: bytes) -> object:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(
            f"what answers at {path} is no p2k16-edge: stop it, and start the daemon"
        ) from error
