"""The settings of one reader: `reader.driver`, `reader.port`, and what that driver needs to know.

A setting that the driver doesn't use is a mistake, like one that doesn't exist.
"""

import re
from dataclasses import dataclass

from edge.readers.drivers import DRIVERS, DriverName
from edge.readers.line import USUAL_LENGTHS, Checksum, Content, LineFormat
from edge.readers.line_pattern import PatternMistake, read_pattern
from sync.settings_table import SettingsTable

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)

ID_BYTES_MAX = 32
"""A credential of type `line` has no more. Source: sync/credential.py."""

_SUFFIXES = {"any": None, "CR": b"\r", "LF": b"\n", "CRLF": b"\r\n"}


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """`[[door]] reader.…`. `line` None: it sends no lines.

    `repeats`: it sends a card again and again while the card lies on it, so that it can be told
    when the card is taken away. `needs_two`: a card counts once it was read twice.
    """

    driver: DriverName
    port: str
    baud: int
    repeats: bool
    needs_two: bool
    line: LineFormat | None


def read_reader(table: SettingsTable) -> ReaderSettings:
    """What `table` says; mistakes are noted in it."""
    # The first name stands for a wrong one: with it, no other setting is called unknown.
    name = DriverName(table.choice("driver", tuple(DriverName)))
    driver = DRIVERS[name]
    table.belongs_to(f'the driver "{name}"')
    repeats = driver.repeats
    if name is DriverName.LINE:
        repeats = table.flag("repeats", default=False)
    return ReaderSettings(
        driver=name,
        port=table.text("port", words='a port, such as "/dev/serial0"'),
        baud=driver.baud if driver.is_baud_fixed else _baud(table, driver.baud),
        repeats=repeats,
        needs_two=repeats and table.flag("read_twice", default=False),
        line=_line(table) if name is DriverName.LINE else driver.line,
    )


def _baud(table: SettingsTable, default: int) -> int:
    baud = table.integer("baud", least=BAUDS[0], most=BAUDS[-1], default=default)
    if baud not in BAUDS:
        table.refuse("baud", f"expected one of {', '.join(map(str, BAUDS))}; got {baud}")
    return baud


def _line(table: SettingsTable) -> LineFormat:
    prefix = table.text(
        "prefix",
        default="",
        pattern=r"[\x01-\x7e]{1,16}",
        words="1 to 16 characters of ASCII",
    )
    # A suffix of letters or digits could stand within a card's number and cut it short.
    suffix = table.text(
        "suffix",
        default="any",
        pattern=r"any|CR|LF|CRLF|[^\w\x7f-\U0010ffff]{1,4}",
        words='"any", "CR", "LF", "CRLF", or 1 to 4 characters that are no letters and no digits',
    )
    pattern = _pattern(table)
    credential = table.choice("credential", ("line", "w26"), default="line")
    if credential == "w26":
        digits, lengths, order, checksum = Content.W26, USUAL_LENGTHS, "sent", Checksum.NONE
    else:
        digits = Content(table.choice("digits", (Content.HEX, Content.DECIMAL), default="hex"))
        lengths, order, checksum = USUAL_LENGTHS, "sent", Checksum.NONE
        if digits is Content.HEX:
            lengths = _lengths(table)
            order = table.choice("byte_order", ("sent", "reversed"), default="sent")
            checksum = Checksum(table.choice("checksum", tuple(Checksum), default="none"))
    return LineFormat(
        prefix=prefix.encode("ascii"),
        suffix=_SUFFIXES[suffix] if suffix in _SUFFIXES else suffix.encode("ascii"),
        pattern=pattern,
        content=digits,
        is_reversed=order == "reversed",
        checksum=checksum,
        lengths=lengths,
    )


def _pattern(table: SettingsTable) -> re.Pattern[str] | None:
    text = table.optional_text("pattern")
    if text is None:
        return None
    match read_pattern(text):
        case PatternMistake(words):
            table.refuse("pattern", words)
            return None
        case pattern:
            return pattern


def _lengths(table: SettingsTable) -> frozenset[int]:
    least = table.optional_integer("id_bytes_min", least=1, most=ID_BYTES_MAX)
    most = table.optional_integer("id_bytes_max", least=1, most=ID_BYTES_MAX)
    if least is None and most is None:
        return USUAL_LENGTHS
    least, most = least or 1, most or ID_BYTES_MAX
    if least > most:
        table.refuse("id_bytes_max", f"expected at least id_bytes_min, {least}; got {most}")
    return frozenset(range(least, most + 1))
