"""A reader's settings: what each driver may be told, and every mistake at once."""

from typing import cast

import pytest

from edge.reader_settings import ReaderSettings, read_reader
from edge.readers.drivers import DriverName, build_reader
from edge.readers.frames import Frame
from edge.readers.line import USUAL_LENGTHS, Checksum, Content, LineFormat
from sync.credential import CredentialType
from sync.settings_table import SettingsTable


def read(**values: object) -> tuple[ReaderSettings, list[str]]:
    row = SettingsTable({"reader": {"port": "/dev/ttyUSB0", **values}}, {})
    settings = read_reader(row.table("reader"))
    return settings, row.mistakes()


def mistakes(**values: object) -> list[str]:
    return read(**values)[1]


def keys(found: list[str]) -> list[str]:
    return sorted(mistake.partition(":")[0].removeprefix("reader.") for mistake in found)


@pytest.mark.parametrize(
    ("driver", "baud", "repeats"),
    [
        ("rdm6300", 9600, True),
        ("id12la", 9600, False),
        ("id20la", 9600, False),
        ("twn3", 9600, False),
        ("twn4", 9600, False),
        ("inditag", 9600, False),
        ("w26", 9600, False),
        ("line", 9600, False),
        ("pn532", 115200, True),
    ],
)
def test_driver_and_port_are_enough(driver: str, baud: int, repeats: bool):
    settings, found = read(driver=driver)
    assert found == []
    assert (settings.driver, settings.port) == (driver, "/dev/ttyUSB0")
    assert (settings.baud, settings.repeats, settings.needs_two) == (baud, repeats, False)
    assert build_reader(settings.driver, settings.line).feed(b"", 0.0) == []


def test_every_driver_is_known():
    assert mistakes(driver="rfid") == [
        "reader.driver: expected one of "
        + ", ".join(f'"{name}"' for name in DriverName)
        + '; got "rfid"'
    ]
    # Nothing is said of settings that the driver which was meant may well have.
    assert keys(mistakes(driver="rfid", prefix=":", repeats=True, baud=9600)) == ["driver"]


def test_everything_that_a_line_can_be_told():
    settings, found = read(
        driver="line",
        baud=19200,
        prefix="\x02",
        suffix="\x03",
        pattern="(?P<id>[0-9A-F]+)",
        digits="hex",
        byte_order="reversed",
        checksum="xor",
        id_bytes_min=5,
        id_bytes_max=5,
        credential="line",
        repeats=True,
        read_twice=True,
    )
    assert found == []
    assert (settings.baud, settings.repeats, settings.needs_two) == (19200, True, True)
    assert settings.line is not None
    assert settings.line.lengths == {5}
    assert settings.line.checksum is Checksum.XOR
    [card] = build_reader(DriverName.LINE, settings.line).feed(b"\x02010203040501\x03", 0.0)
    assert card == Frame(CredentialType.LINE, bytes.fromhex("0504030201"))


@pytest.mark.parametrize(
    ("word", "suffix"),
    [
        ("CR", b"\r"),
        ("LF", b"\n"),
        ("CRLF", b"\r\n"),
        ("any", None),
        (";\r", b";\r"),
        ("\x03", b"\x03"),
    ],
)
def test_a_suffix_is_a_word_or_the_characters(word: str, suffix: bytes | None):
    settings, found = read(driver="line", suffix=word)
    assert found == []
    assert settings.line == LineFormat(suffix=suffix)


def test_a_number_is_hexadecimal_or_decimal_or_a_wiegand_card():
    for values, content in (
        ({}, Content.HEX),
        ({"digits": "decimal"}, Content.DECIMAL),
        ({"credential": "w26"}, Content.W26),
    ):
        settings, found = read(driver="line", **values)
        assert found == []
        assert settings.line is not None
        assert settings.line.content is content


@pytest.mark.parametrize(
    ("least", "most", "lengths"),
    [(None, None, USUAL_LENGTHS), (4, None, range(4, 33)), (None, 4, range(1, 5)), (4, 5, {4, 5})],
)
def test_the_bytes_of_a_number_may_be_limited(
    least: int | None, most: int | None, lengths: range | frozenset[int]
):
    limits = {"id_bytes_min": least, "id_bytes_max": most}
    given = cast("dict[str, object]", {key: n for key, n in limits.items() if n is not None})
    settings, found = read(driver="line", **given)
    assert found == []
    assert settings.line is not None
    assert settings.line.lengths == frozenset(lengths)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"driver": "rdm6300", "baud": 9600}, ["baud"]),
        ({"driver": "rdm6300", "prefix": ":", "repeats": False}, ["prefix", "repeats"]),
        ({"driver": "id12la", "read_twice": True}, ["read_twice"]),
        ({"driver": "twn4", "suffix": "CR", "checksum": "xor"}, ["checksum", "suffix"]),
        ({"driver": "pn532", "pattern": ".*"}, ["pattern"]),
        ({"driver": "line", "read_twice": True}, ["read_twice"]),
        ({"driver": "line", "digits": "decimal", "checksum": "xor"}, ["checksum"]),
        ({"driver": "line", "credential": "w26", "digits": "hex"}, ["digits"]),
    ],
)
def test_a_setting_that_the_driver_does_not_use_is_a_mistake(
    values: dict[str, object], wrong: list[str]
):
    found = mistakes(**values)
    assert keys(found) == wrong
    assert all("there is no such setting" in mistake for mistake in found)


def test_all_mistakes_are_told_at_once_each_with_what_was_expected():
    found = mistakes(
        driver="line",
        port="",
        baud=1000,
        prefix="é",
        suffix="0D",
        pattern="(a+)+",
        digits="octal",
        credential="card",
        checksum="crc",
        byte_order="other",
        id_bytes_min=0,
        id_bytes_max=33,
        repeats="yes",
    )
    assert keys(found) == [
        "baud", "byte_order", "checksum", "credential", "digits", "id_bytes_max", "id_bytes_min",
        "pattern", "port", "prefix", "repeats", "suffix",
    ]  # fmt: skip
    assert all("expected" in mistake for mistake in found)


def test_limits_that_leave_nothing_and_odd_speeds_are_mistakes():
    assert mistakes(driver="line", id_bytes_min=6, id_bytes_max=5) == [
        "reader.id_bytes_max: expected at least id_bytes_min, 6; got 5"
    ]
    [mistake] = mistakes(driver="pn532", baud=100000)
    assert mistake.startswith("reader.baud: expected one of 1200, 2400")


@pytest.mark.parametrize("suffix", ["0", "A\r", "_", "é", "toolong", ""])
def test_a_suffix_that_could_stand_within_a_number_is_refused(suffix: str):
    assert keys(mistakes(driver="line", suffix=suffix)) == ["suffix"]
