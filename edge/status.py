"""Asking a running daemon: a socket in its data folder, one JSON document each way.

An empty question asks how it is; the others are in edge/bench.py.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from edge.columns import table
from edge.errors import BECOME, EdgeError

SOCKET_NAME = "status.sock"
PATH_BYTES_MAX = 107
"""Source: unix(7), sun_path holds 108 bytes with the final zero."""

ANSWER_SECONDS = 2.0
ANSWER_BYTES_MAX = 1024 * 1024
QUESTION_BYTES_MAX = 1024
WAIT_SECONDS_MAX = 120
"""For a card to be held to a reader."""


class NoAnswer(EdgeError):
    """No daemon runs on this data folder, or it doesn't answer."""


def socket_path(data_dir: Path) -> Path:
    """Where the daemon of a data folder answers. Raises: EdgeError if the path is too long."""
    path = data_dir.absolute() / SOCKET_NAME
    if len(bytes(path)) > PATH_BYTES_MAX:
        raise EdgeError(
            f"data_dir is too long: {path} has {len(bytes(path))} bytes, a socket's path at most "
            f"{PATH_BYTES_MAX}"
        )
    return path


@asynccontextmanager
async def answering(
    data_dir: Path,
    answer: Callable[[Mapping[str, object]], Awaitable[Mapping[str, object]]],
) -> AsyncGenerator[None]:
    """Answers for as long as it lasts. The caller has the folder for itself (edge/claim.py).

    `answer` gets the question, `{}` if there is none. Raises: EdgeError.
    """
    path = socket_path(data_dir)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(ANSWER_SECONDS):
                question = json.loads(await reader.read(QUESTION_BYTES_MAX) or b"{}")
            if isinstance(question, dict):
                answered = await answer(cast("dict[str, object]", question))
                writer.write(json.dumps(answered).encode())
                writer.write_eof()
                await writer.drain()
        writer.close()

    path.unlink(missing_ok=True)  # left by one that was killed
    server = await asyncio.start_unix_server(talk, path)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def ask(
    data_dir: Path, question: Mapping[str, object] | None = None, *, seconds: float = 0
) -> dict[str, object]:
    """What the daemon says, to a question that takes it so many seconds to answer.

    Raises: NoAnswer, at once when there is no daemon; EdgeError, also for what it refuses.
    """
    path = socket_path(data_dir)
    answer = bytearray()
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_SECONDS + seconds)
            asking.connect(str(path))
            asking.sendall(json.dumps(question or {}).encode())
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
    try:
        answered = cast("dict[str, object]", json.loads(answer))
    except ValueError as error:
        raise NoAnswer(f"what answers at {path} is no p2k16-edge") from error
    if "refused" in answered:
        raise EdgeError(str(answered["refused"]))
    return answered


def _time_of(one: Mapping[str, object]) -> str:
    """When something happened, in UTC; with a question mark by a clock that may run late."""
    at = datetime.fromtimestamp(cast("int", one["time_ms"]) / 1000, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}{'' if one['clock'] == 'trusted' else '?'}"


def in_words(state: Mapping[str, object]) -> str:
    """The answer for people: a table of the points, then everything else that matters."""
    points = cast("Mapping[str, Mapping[str, object]]", state["points"])
    rows = [
        (key, *(point[part] for part in ("state", "relay", "light", "reader", "staleness")))
        for key, point in points.items()
    ]
    applied = cast("Mapping[str, object]", state["applied"])
    journal = cast("Mapping[str, object]", state["journal"])
    clock = cast("Mapping[str, object]", state["clock"])
    slow_ms = cast("Mapping[str, object]", state["storage"])["commit_p99_ms"]
    lines = [
        table(("point", "state", "relay", "light", "reader", "level"), rows),
        f"controller {state['controller'] or 'not enrolled'}, software {state['software']}",
        f"rights {applied['epoch']}.{applied['serial']}, link {state['link']}, "
        f"clock {'trusted' if clock['trusted'] else 'not trusted'}",
        f"journal {journal['head']} events, {journal['acknowledged']} at the console, "
        f"{journal['fill_percent']} % full",
        "storage not used yet"
        if slow_ms is None
        else f"storage takes 99 of 100 commits within {slow_ms} ms",
    ]
    faults = [str(fault) for fault in cast("Sequence[object]", state["faults"])]
    if state["link_trouble"] is not None:
        faults = list(dict.fromkeys([*faults, f"link: {state['link_trouble']}"]))
    lines += [f"! {fault}" for fault in faults]
    opened = cast("Mapping[str, Sequence[Mapping[str, object]]]", state["break_glass"])
    lines += [
        f"! break-glass: {one['point']} at {_time_of(one)} by card {str(one['entry'])[:8]}: "
        f"{one['reason']}, not recorded yet"
        for one in opened["openings"]
    ]
    refused = cast("Mapping[str, object] | None", state["last_error"])
    if refused is not None:
        lines.append(f"! refused {refused['kind']}: {refused['name']}: {refused['text']}")
    return "\n".join(lines)
