"""What an open page hears."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import ClientResponse, ClientTimeout

from tests.support.console_app import Client
from tests.support.waiting import eventually


class Stream:
    """The events of an open page, one by one."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.beats = 0

    async def next(self, name: str = "recent", *, seconds: float = 5) -> str:
        """The next fragment called `name`."""
        async with asyncio.timeout(seconds):
            while True:
                found, data = await self._block()
                if found == name:
                    return data

    async def until(self, *wanted: str, seconds: float = 20) -> str:
        """All that comes until each of these was in it."""
        heard = ""
        async with asyncio.timeout(seconds):
            while not all(each in heard for each in wanted):
                name, data = await self._block()
                heard += f"event: {name}\n{data}\n"
        return heard

    async def end(self, *, seconds: float = 5) -> None:
        """Reads on until the server ends the stream."""
        async with asyncio.timeout(seconds):
            await self.response.content.read()

    async def _block(self) -> tuple[str, str]:
        name = ""
        lines: list[str] = []
        while True:
            line = (await self.response.content.readline()).decode()
            assert line, "the stream ended"
            if line == "\n":
                self.beats += name == "beat"
                if name or lines:
                    return name, "\n".join(lines)
                continue
            if line.startswith("event: "):
                name = line[7:-1]
            elif line.startswith("data: "):
                lines.append(line[6:-1])


@asynccontextmanager
async def streaming(client: Client) -> AsyncGenerator[Stream]:
    """An open page. Streams can't be opened before the hub listens, so it is tried again."""

    async def opened() -> ClientResponse | None:
        response = await client.get("/live", timeout=ClientTimeout(total=30))
        if response.status == 200:
            return response
        assert response.status == 503
        return None

    response = await eventually(opened)
    try:
        yield Stream(response)
    finally:
        response.close()
