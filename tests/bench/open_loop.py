"""Open loop: everybody asks at her own times, whatever the answers take.

An answer's time counts from when the request was due, so that a queue shows.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from tests.bench.figures import show, spread_ms

USERS = 100
EVERY_SECONDS = 2.0
LASTS_SECONDS = 30.0

Request = Callable[[int], Mapping[str, Any]]
"""What `ClientSession.request` takes, for the user with a number, from 1."""


async def open_loop(
    title: str,
    requests: Sequence[tuple[str, Request]],
) -> None:
    """Each user takes the `requests`, which have names, in turn."""
    took: dict[str, list[float]] = {name: [] for name, _ in requests}
    failed: list[str] = []
    async with ClientSession(
        timeout=ClientTimeout(total=30),
        connector=TCPConnector(limit=0),
        cookie_jar=DummyCookieJar(),
    ) as session:

        async def one(number: int) -> None:
            loop = asyncio.get_running_loop()
            due = loop.time() + EVERY_SECONDS * number / USERS
            ends = loop.time() + LASTS_SECONDS
            turn = number
            while due < ends:
                await asyncio.sleep(max(0.0, due - loop.time()))
                name, request = requests[turn % len(requests)]
                status = await answered(session, request(number + 1))
                took[name].append(loop.time() - due)
                if status != 200:
                    failed.append(f"{status} {name}")
                due, turn = due + EVERY_SECONDS, turn + 1

        await asyncio.gather(*(one(number) for number in range(USERS)))
    everything = [seconds for each in took.values() for seconds in each]
    for name, seconds in [*took.items(), ("all of it", everything)]:
        spread_ms(
            f"{title}: {USERS} people asking every 2 s: {name}",
            seconds,
            p95_ms=round(sorted(seconds)[int(len(seconds) * 0.95)] * 1000, 1),
            goal_p95_ms=100,
        )
    show(f"{title}: {USERS} people asking every 2 s: refused", n=len(failed), which=failed[:3])


async def answered(session: ClientSession, request: Mapping[str, Any]) -> int:
    """The status of one answer, read to its end."""
    async with session.request(**request) as answer:
        await answer.read()
        return answer.status
