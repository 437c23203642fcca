"""A card reader on a pseudo-terminal: real bytes on a path that any program can open."""

import os
import select
import shutil
import tempfile
import tty
from pathlib import Path
from typing import Literal

STX, ETX, LINE_END = b"\x02", b"\x03", b"\r\n"

Make = Literal["rdm6300", "id12la"]


def frame(card_hex: str, make: Make = "rdm6300") -> bytes:
    """What a reader sends for a card: `0102345678`, 5 bytes as 10 hex digits."""
    data = bytes.fromhex(card_hex)
    assert len(data) == 5, card_hex
    checksum = 0
    for byte in data:
        checksum ^= byte
    digits = f"{card_hex.upper()}{checksum:02X}".encode()
    return STX + digits + (LINE_END if make == "id12la" else b"") + ETX


class SerialLine:
    """A reader that is plugged in at `path`, which stays the same when it is plugged in again.

    Whoever opens the path discards what was sent before, as with a real port.
    """

    def __init__(self, make: Make = "rdm6300") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="reader-"))
        self.path = self._folder / "reader"
        self._make: Make = make
        self._reader_fd: int | None = None
        self.plug_in()

    @property
    def is_plugged_in(self) -> bool:
        return self._reader_fd is not None

    def plug_in(self) -> None:
        """A new pseudo-terminal at the same path."""
        assert self._reader_fd is None, "it is plugged in"
        self._reader_fd, host_fd = os.openpty()
        tty.setraw(host_fd)
        device = os.ttyname(host_fd)
        os.close(host_fd)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.symlink_to(device)
        fresh.replace(self.path)

    def unplug(self) -> None:
        """Hangs up: whoever has the port open loses it, and the path leads nowhere."""
        assert self._reader_fd is not None, "it is not plugged in"
        self.path.unlink()
        os.close(self._reader_fd)
        self._reader_fd = None

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        assert self._reader_fd is not None, "it is not plugged in"
        written = 0
        while written < len(data):
            written += os.write(self._reader_fd, data[written:])

    def receive(self, *, seconds: float) -> bytes:
        """What the other end sent; b"" if that was nothing for so long."""
        assert self._reader_fd is not None, "it is not plugged in"
        readable, _, _ = select.select([self._reader_fd], [], [], seconds)
        try:
            return os.read(self._reader_fd, 4096) if readable else b""
        except OSError:  # nobody has the other end open
            return b""

    def present(self, card_hex: str) -> None:
        """Holds a card to the reader for the time of one frame."""
        self.send(frame(card_hex, self._make))

    def close(self) -> None:
        """Unplugs it for good."""
        if self._reader_fd is not None:
            self.unplug()
        shutil.rmtree(self._folder, ignore_errors=True)
