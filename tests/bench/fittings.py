"""What is wired to the controller that is measured: bare doors, or everything that there is."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.notify_socket import NotifySocket
from tests.support.pn532_chip import Pn532Chip
from tests.support.serial_line import SerialLine

DOOR_PINS = 8
"""Of a door with everything; three of them and a tool fill the header's BCM 0 to 27."""


@dataclass
class Fittings:
    """`lines`: an RDM6300 each, by door. `settings`: the points, as the settings file has them."""

    lines: dict[str, SerialLine]
    settings: str
    doors: list[str]
    tools: list[str] = field(default_factory=list[str])
    environment: dict[str, str] = field(default_factory=dict[str, str])


@contextmanager
def bare_doors(count: int) -> Generator[Fittings]:
    """Doors of which each has a reader and a relay."""
    lines = {f"door-{n}": SerialLine() for n in range(count)}
    settings = "".join(
        f'[[door]]\nkey = "{key}"\n{_rdm6300(line)}relay.pin = {10 + number}\n'
        for number, (key, line) in enumerate(lines.items())
    )
    try:
        yield Fittings(lines, settings, list(lines))
    finally:
        for line in lines.values():
            line.close()


@contextmanager
def everything(folder: Path) -> Generator[Fittings]:
    """Three doors and a tool that need every pin of the header, three kinds of readers, watchdog.

    The doors' relays have auxiliary contacts that never move: one that is on is soon a fault.
    """
    first, third, saw = SerialLine(), SerialLine(), SerialLine()
    chip = Pn532Chip()
    systemd = NotifySocket(folder / "notify")  # nobody reads it: what is too much gets lost
    readers = (
        _rdm6300(first),
        f'reader.driver = "pn532"\nreader.port = "{chip.line.path}"\n',
        f'reader.driver = "line"\nreader.port = "{third.path}"\n',
    )
    settings = "".join(map(_full_door, range(len(readers)), readers))
    settings += (
        f'[[tool]]\nkey = "saw"\n{_rdm6300(saw)}'
        "relay.pin = 24\nfeedback.pin = 25\ncurrent.pin = 26\nstop.pin = 27\n"
    )
    environment = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "10000000"}
    try:
        doors = [f"door-{number}" for number in range(len(readers))]
        yield Fittings({"door-0": first}, settings, doors, ["saw"], environment)
    finally:
        systemd.close()
        chip.close()
        for line in (first, third, saw):
            line.close()


def _rdm6300(line: SerialLine) -> str:
    return f'reader.driver = "rdm6300"\nreader.port = "{line.path}"\n'


def _full_door(number: int, reader: str) -> str:
    pin = number * DOOR_PINS
    return (
        f'[[door]]\nkey = "door-{number}"\n{reader}'
        f"relay.pin = {pin}\nfeedback.pin = {pin + 1}\nlight.green_pin = {pin + 2}\n"
        f"light.red_pin = {pin + 3}\nbuzzer.pin = {pin + 4}\ncontact.pin = {pin + 5}\n"
        f"exit.pin = {pin + 6}\ntamper.pin = {pin + 7}\ntamper.inverted = true\n"
    )
