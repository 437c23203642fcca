"""How a running daemon answers: a socket in its data folder, one JSON document each way. And its
status in words.

An empty question asks how it is; the others are in edge/bench.py. edge/asking.py asks.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

from edge.columns import plain, table, time_of
from edge.errors import EdgeError

SOCKET_NAME = "status.sock"
PATH_BYTES_MAX = 107
"""Source: unix(7), sun_path holds 108 bytes with the final zero."""

ANSWER_SECONDS = 2.0
QUESTION_BYTES_MAX = 1024
WAIT_SECONDS_MAX = 120
"""For a card to be held to a reader."""


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
        with suppress(OSError, TimeoutError, ValueError, RecursionError):
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


def _time_of(one: Mapping[str, Any]) -> str:
    """When something happened; with a question mark by a clock that may run late."""
    return f"{time_of(one['time_ms'])}{'' if one['clock'] == 'trusted' else '?'}"


def in_words(state: Mapping[str, Any]) -> str:
    """The answer for people: a table of the points, then everything else that matters."""
    rows = [
        (key, *(point[part] for part in ("state", "relay", "light", "reader", "staleness")))
        for key, point in state["points"].items()
    ]
    applied, journal = state["applied"], state["journal"]
    slow_ms = state["storage"]["commit_p99_ms"]
    lines = [
        f"controller {state['controller'] or 'not enrolled'}, software {state['software']}",
        f"rights {applied['epoch']}.{applied['serial']}, link {state['link']}, "
        f"clock {'trusted' if state['clock']['trusted'] else 'not trusted'}",
        f"journal {journal['head']} events, {journal['acknowledged']} at the console, "
        f"{journal['fill_percent']} % full",
        "storage not used yet"
        if slow_ms is None
        else f"storage takes 99 of 100 commits within {slow_ms} ms",
        _machine(state["temperature_c"], state["undervoltage"]),
        *(f"! {trouble}" for trouble in _troubles(state)),
    ]
    drawn = table(("point", "state", "relay", "light", "reader", "level"), rows)
    return "\n".join([drawn, *map(plain, lines)])


def _machine(temperature_c: int | None, undervoltage: bool | None) -> str:
    heat = "temperature not known" if temperature_c is None else f"{temperature_c} °C"
    supply = {True: "too weak", False: "strong enough", None: "not known"}[undervoltage]
    return f"machine {heat}, supply {supply}"


def _troubles(state: Mapping[str, Any]) -> list[str]:
    troubles: list[str] = list(state["faults"])
    link = f"link: {state['link_trouble']}"
    if state["link_trouble"] is not None and link not in troubles:
        troubles.append(link)
    troubles += [
        f"break-glass: {one['point']} at {_time_of(one)} by card {str(one['entry'])[:8]}: "
        f"{one['reason']}, not recorded yet"
        for one in state["break_glass"]["openings"]
    ]
    refused = state["last_error"]
    if refused is not None:
        troubles.append(f"refused {refused['kind']}: {refused['name']}: {refused['text']}")
    return troubles
