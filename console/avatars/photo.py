"""Has a photo made into a square, by a program of its own: one at a time.

The program has limits of memory and time (`square.py`), no environment, and is killed if it takes
longer; whatever becomes of it, the console goes on.
"""

import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from console.avatars.square import NO_PHOTO, SQUARE_BYTES_MAX, TOO_LARGE
from console.errors import Busy
from console.words import Text

log = structlog.get_logger()

CONVERTING_SECONDS = 10
PLACES = 5
"""For people who send a photo, or wait for it; each holds 5 MB."""
JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Square:
    """A JPEG of 128 pixels each way."""

    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoPhoto:
    """Why there is none."""

    words: Text


class Converter:
    """Converts one photo at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._places = set[int]()

    @contextmanager
    def place(self, account_id: int) -> Generator[None]:
        """Somebody's, from before her photo is read until it is converted. Raises: Busy."""
        if len(self._places) >= PLACES or account_id in self._places:
            raise Busy(Text("Several photos are being converted. Try again in a minute."))
        self._places.add(account_id)
        try:
            yield
        finally:
            self._places.remove(account_id)

    async def square(self, photo: bytes) -> Square | NoPhoto:
        """The square of the photo."""
        async with self._turn:
            return await _converted(photo)


CONVERTER = web.AppKey("converter", Converter)


async def _converted(photo: bytes) -> Square | NoPhoto:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "console.avatars.square"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    jpeg = b""
    try:
        async with asyncio.timeout(CONVERTING_SECONDS):
            jpeg, _ = await program.communicate(photo)
    except TimeoutError:
        log.warning("photo.took_too_long")
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    match program.returncode:
        case 0 if jpeg.startswith(JPEG) and len(jpeg) <= SQUARE_BYTES_MAX:
            return Square(jpeg)
        case code if code == TOO_LARGE:
            return NoPhoto(
                Text("This photo has too many pixels: 40 million at most. Take a smaller one.")
            )
        case code:
            if code != NO_PHOTO:
                log.warning("photo.not_converted", status=code)
            return NoPhoto(Text("This is no photo that can be read. Take a JPEG, PNG or WebP."))
