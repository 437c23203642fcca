"""The wires between a virtual controller and what it is screwed to: its inputs, and its relay.

Its input pins are gpiozero's mock pins, moved through the FIFO that the daemon reads
(`P2K16_MOCK_INPUTS`). What its relay does is read from the guard's own trace, a FIFO as well, so
that a motor stops in the moment in which its contactor lets go.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from sync.errors import Malformed
from sync.strict_json import Fields

READ_BYTES = 4096
TRACE = "relay"
INPUTS = "inputs"


class Circuits:
    """The circuits of one controller's inputs, by the name of their settings. Made as at rest."""

    def __init__(self, folder: Path, pins: Mapping[str, int], *, closed: frozenset[str]) -> None:
        """`closed`: the circuits that are closed at rest."""
        self.fifo = folder / INPUTS
        self._end = _fifo(self.fifo)
        self._pins = dict(pins)
        self._is_closed = {name: name in closed for name in pins}
        self._at_start = dict(self._is_closed)

    def settings(self) -> str:
        """For a daemon that is about to be started; what was said to the one before is forgotten.

        Each circuit is wired such that a pin that is pulled up, as mock pins are at first, says
        what is so now: otherwise each start would tell of doors that close.
        """
        with suppress(BlockingIOError):
            while os.read(self._end, READ_BYTES):
                pass
        self._at_start = dict(self._is_closed)
        return "".join(
            f"{name}.pin = {pin}\n{name}.inverted = {str(self._at_start[name]).lower()}\n"
            for name, pin in self._pins.items()
        )

    def move(self, name: str, *, is_closed: bool) -> None:
        """Opens or closes a circuit."""
        self._is_closed[name] = is_closed
        level = "high" if is_closed is self._at_start[name] else "low"
        with suppress(BlockingIOError):  # a daemon that reads nothing any more
            os.write(self._end, f"{self._pins[name]} {level}\n".encode("ascii"))

    def close(self) -> None:
        """Cuts them off."""
        os.close(self._end)


class RelayWire:
    """What comes of one relay. Needs the running loop."""

    def __init__(self, folder: Path, changed: Callable[[bool], None]) -> None:
        """`changed` gets whether the relay is on."""
        self.fifo = folder / TRACE
        self._end = _fifo(self.fifo)
        self._changed = changed
        self._rest = b""
        asyncio.get_running_loop().add_reader(self._end, self._read)

    def close(self) -> None:
        """Cuts it off."""
        asyncio.get_running_loop().remove_reader(self._end)
        os.close(self._end)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            self._rest += os.read(self._end, READ_BYTES)
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            with suppress(Malformed):
                self._changed(Fields.parse(line, "trace").text("relay", "on|off") == "on")


def _fifo(path: Path) -> int:
    """Both ends in one descriptor: nobody has to wait for the other, and nothing said is lost."""
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
