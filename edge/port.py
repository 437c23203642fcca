"""A serial port that is there or not: opened, read and written, and opened again after every loss.

The only importer of pyserial. What the bytes mean is decided in edge/readers/; a port that is
missing, also at the start, is a state and never an error.
"""

# pyserial ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import asyncio
import os
import termios
from collections.abc import Callable
from enum import StrEnum

import serial
import structlog

log = structlog.get_logger()

READ_BYTES_MAX = 1024
"""In one turn of the loop, so that a babbling port can't starve another door's lease."""

UNSENT_BYTES_MAX = 512
"""What may wait to be sent; more is dropped: a reader that takes nothing is gone."""

BACKOFF_SECONDS_MIN = 0.25
BACKOFF_SECONDS_MAX = 8.0


class PortState(StrEnum):
    """What a status shows of a port."""

    CLOSED = "closed"
    """Not wanted open."""

    OPEN = "open"
    LOST = "lost"
    """Missing, unplugged, or taken by another program; tried again and again."""


class Port:
    """One serial port: any path that pyserial opens, 8N1, for this process alone."""

    def __init__(
        self,
        path: str,
        *,
        baud: int,
        received: Callable[[bytes], None],
        opened: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`received` gets 1 to 1,024 bytes at a time; `opened` is called for each opening, and
        `lost` once for each loss.
        """
        self._path = path
        self._received = received
        self._opened = opened
        self._lost = lost
        self._baud = baud
        self._state = PortState.CLOSED
        self._serial: serial.Serial | None = None
        self._unsent = b""
        self._retry: asyncio.TimerHandle | None = None
        self._backoff = BACKOFF_SECONDS_MIN

    @property
    def state(self) -> PortState:
        """Open, lost, or closed."""
        return self._state

    def open(self) -> None:
        """Opens the port now, or as soon as it can be. Needs the running loop."""
        if self._state is PortState.CLOSED:
            self._open()

    def close(self) -> None:
        """Lets go of the port and doesn't try again. May be called twice."""
        self._state = PortState.CLOSED
        self._backoff = BACKOFF_SECONDS_MIN
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._release()

    def write(self, data: bytes) -> None:
        """Sends as soon as the port takes it. Without a port, or with too much unsent: drops it."""
        if self._serial is None or len(self._unsent) + len(data) > UNSENT_BYTES_MAX:
            return
        self._unsent += data
        self._send()

    def discard(self) -> None:
        """Drops what has come and was not read yet."""
        if self._serial is not None:
            try:
                self._serial.reset_input_buffer()
            except (OSError, termios.error) as error:
                self._lose(str(error))

    def _open(self) -> None:
        self._retry = None
        try:
            # inter_byte_timeout=0 sets VMIN to 1: otherwise a read of 0 bytes would mean both
            # "nothing there" and "hung up".
            opened = serial.Serial(
                self._path, self._baud, exclusive=True, inter_byte_timeout=0, timeout=0
            )
        except (OSError, ValueError, termios.error) as error:
            self._lose(str(error))
            return
        self._serial = opened
        asyncio.get_running_loop().add_reader(opened.fileno(), self._read)
        self._state = PortState.OPEN
        log.info("port.opened", port=self._path)
        self._opened()

    def _read(self) -> None:
        if self._serial is None:
            return
        try:
            data = os.read(self._serial.fileno(), READ_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("hung up")
            return
        # Only bytes prove a port: one that opens and hangs up at once is tried ever less often.
        self._backoff = BACKOFF_SECONDS_MIN
        self._received(data)

    def _send(self) -> None:
        if self._serial is None:
            return
        loop, descriptor = asyncio.get_running_loop(), self._serial.fileno()
        try:
            self._unsent = self._unsent[os.write(descriptor, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(str(error))
            return
        if self._unsent:
            loop.add_writer(descriptor, self._send)
        else:
            loop.remove_writer(descriptor)

    def _lose(self, reason: str) -> None:
        was = self._state
        self._release()
        self._state = PortState.LOST
        self._retry = asyncio.get_running_loop().call_later(self._backoff, self._open)
        self._backoff = min(2 * self._backoff, BACKOFF_SECONDS_MAX)
        if was is not PortState.LOST:
            log.warning("port.lost", port=self._path, reason=reason)
            self._lost()

    def _release(self) -> None:
        self._unsent = b""
        if self._serial is not None:
            asyncio.get_running_loop().remove_reader(self._serial.fileno())
            asyncio.get_running_loop().remove_writer(self._serial.fileno())
            self._serial.close()
            self._serial = None
