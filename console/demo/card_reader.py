"""A pretended RDM6300 on a pseudo-terminal: the bytes are as real as the wire would carry them.

The real reader repeats a card's frame for as long as the card is held to it, and says nothing when
it is taken away. So does this one.
"""

import asyncio
import os
import tty
from contextlib import suppress

from sync.credential import Credential

REPEAT_SECONDS = 0.065
"""One frame takes 14.6 ms at 9600 baud; the reader sends about fifteen in a second."""

_STX, _ETX = b"\x02", b"\x03"


class CardReader:
    """One reader. Whoever opens `path` gets its bytes from then on, as from a serial port."""

    def __init__(self) -> None:
        self._reader_end, self._host_end = os.openpty()
        # Kept open: bytes that nobody reads are then lost, as on a wire, and no error.
        tty.setraw(self._host_end)
        os.set_blocking(self._reader_end, False)
        self.path = os.ttyname(self._host_end)
        self._is_busy = False

    @property
    def is_busy(self) -> bool:
        """Whether a card is held to it now."""
        return self._is_busy

    async def hold(self, credential: Credential, seconds: float) -> None:
        """Holds a card to the reader for so long. Does nothing while another one is there."""
        if self._is_busy:
            return
        self._is_busy = True
        clock = asyncio.get_running_loop().time
        try:
            gone_at = clock() + seconds
            while True:
                with suppress(BlockingIOError):
                    os.write(self._reader_end, frame(credential))
                if clock() + REPEAT_SECONDS > gone_at:
                    return
                await asyncio.sleep(REPEAT_SECONDS)
        finally:
            self._is_busy = False

    def close(self) -> None:
        """Unplugs it."""
        os.close(self._reader_end)
        os.close(self._host_end)


def frame(credential: Credential) -> bytes:
    """STX, ten hex digits, their XOR in two more, ETX. Source: RDM6300 datasheet."""
    checksum = 0
    for byte in credential.data:
        checksum ^= byte
    digits = f"{credential.data.hex()}{checksum:02x}".upper()
    return _STX + digits.encode("ascii") + _ETX
