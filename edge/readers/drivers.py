"""The reader drivers that the settings may name, and what is known of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from edge.readers.line import Checksum, Content, LineFormat, LineParser
from edge.readers.pn532 import Pn532Reader
from edge.readers.rdm6300 import Rdm6300Parser
from edge.readers.reader import OneWay, Reader


class DriverName(StrEnum):
    """`reader.driver`."""

    LINE = "line"
    """Lines of a format that stands in the settings."""

    RDM6300 = "rdm6300"
    ID12LA = "id12la"
    ID20LA = "id20la"
    TWN3 = "twn3"
    TWN4 = "twn4"
    INDITAG = "inditag"
    W26 = "w26"
    """A bridge between a Wiegand reader and a serial line."""

    PN532 = "pn532"


@dataclass(frozen=True, slots=True)
class Driver:
    """A kind of reader. `line` None: it sends no lines.

    `baud`: unless the settings say otherwise. `repeats`: it sends a card again and again while the
    card lies on it. `is_baud_fixed`: the device knows no other speed.
    """

    baud: int = 9600
    repeats: bool = False
    is_baud_fixed: bool = False
    line: LineFormat | None = None


DRIVERS: Mapping[DriverName, Driver] = MappingProxyType(
    {
        DriverName.LINE: Driver(line=LineFormat()),
        DriverName.RDM6300: Driver(repeats=True, is_baud_fixed=True),
        DriverName.ID12LA: Driver(is_baud_fixed=True),
        DriverName.ID20LA: Driver(is_baud_fixed=True),
        # Source: Elatec TWN3 manual, "Transparent" output and "IndiTag" output.
        DriverName.TWN3: Driver(line=LineFormat(content=Content.COUNTED)),
        # Plain hexadecimal. On RS-232 its version comes first at power-up, and fits no card's form.
        DriverName.TWN4: Driver(line=LineFormat()),
        DriverName.INDITAG: Driver(
            line=LineFormat(
                prefix=b":", suffix=b"\r\n", checksum=Checksum.SUM2C, lengths=frozenset({5})
            )
        ),
        DriverName.W26: Driver(
            line=LineFormat(
                pattern=re.compile(r"(?:W26:|26,)(?P<id>[0-9A-F]{6,7}|[01]{26})"),
                content=Content.W26,
            )
        ),
        DriverName.PN532: Driver(baud=115200, repeats=True),
    }
)


def build_reader(name: DriverName, line: LineFormat | None) -> Reader:
    """A new reader. `line`: the format of one that sends lines."""
    if line is not None:
        return OneWay(LineParser(line))
    if name is DriverName.PN532:
        return Pn532Reader()
    return OneWay(Rdm6300Parser())
