"""What a controller's Raspberry Pi is told: it fits the manual, and what reads it can read it."""

import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.tidy.test_house import HOUSE

FIRMWARE = HOUSE / "firmware-config"
MANUAL = (HOUSE / "docs" / "operating.md").read_text()
RELAY_PINS = set(map(int, re.findall(r"^relay\.(?:upstream_)?pin = (\d+)", MANUAL, re.MULTILINE)))
DRAWINGS = sorted(FIRMWARE.glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def config() -> list[str]:
    lines = (FIRMWARE / "config.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_relay_pins_of_the_manual_are_driven_low_from_the_start() -> None:
    assert RELAY_PINS
    driven = {int(pin) for line in config() for pin in re.findall(r"^gpio=(\d+)=op,dl$", line)}
    assert driven == RELAY_PINS


def test_relay_pins_are_pulled_down_at_power_up() -> None:
    assert all(9 <= pin <= 27 and pin not in {14, 15} for pin in RELAY_PINS)


def test_a_pin_falls_when_its_program_dies_on_every_model() -> None:
    section = "all"
    for line in config():
        if line.startswith("["):
            section = line.strip("[]")
        if line == "dtparam=strict_gpiod":
            assert section == "all"
            return
    raise AssertionError("dtparam=strict_gpiod is missing")


def test_every_line_of_the_firmware_configuration_has_its_reason_and_source() -> None:
    for paragraph in (FIRMWARE / "config.txt").read_text().split("\n\n")[1:]:
        if not re.match(r"# -+ |# ---", paragraph):
            assert "Source: " in paragraph, paragraph


def rules() -> Iterator[list[str]]:
    for line in (FIRMWARE / "70-p2k16-readers.rules").read_text().splitlines():
        if line and not line.startswith("#"):
            yield [word.strip() for word in line.split(",")]


WORD = re.compile(
    r'(?:SUBSYSTEM|KERNEL|ATTRS\{\w+\}|ENV\{\w+\}|SYMLINK|GROUP|MODE|GOTO|LABEL)(?:==|!=|\+=|=)"[^"]+"'
)


def test_every_word_of_the_udev_rules_is_one() -> None:
    for words in rules():
        for word in words:
            assert WORD.fullmatch(word), word


def test_every_reader_that_udev_knows_gets_a_name_and_is_for_the_daemon_only() -> None:
    named = [words for words in rules() if any(word.startswith("SYMLINK") for word in words)]
    assert len(named) >= 6
    for words in named:
        assert any(word.startswith('SYMLINK+="p2k16-reader-') for word in words), words
        assert {'GROUP="dialout"', 'MODE="0660"'} <= set(words), words
        assert any(word.startswith(("KERNEL==", "ATTRS{idVendor}==")) for word in words), words
    names = [word for words in named for word in words if word.startswith("SYMLINK")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["watchdog.conf", "journald.conf"])
def test_a_drop_in_has_one_section_and_known_values(name: str) -> None:
    parser = ConfigParser(interpolation=None)
    parser.read_string((FIRMWARE / name).read_text())
    assert parser.sections() == ["Manager" if name == "watchdog.conf" else "Journal"]
    for value in parser[parser.sections()[0]].values():
        assert re.fullmatch(r"\d+(s|min|M)?|volatile", value), value


def test_the_hardware_watchdog_counts_by_itself() -> None:
    parser = ConfigParser(interpolation=None)
    parser.read(FIRMWARE / "watchdog.conf")
    assert int(parser["Manager"]["RuntimeWatchdogSec"]) < 15


def test_only_the_data_partition_is_written() -> None:
    lines = (FIRMWARE / "fstab").read_text().splitlines()
    mounts = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    assert all(len(mount) == 6 for mount in mounts)
    written = [place for _, place, _, options, _, _ in mounts if "ro" not in options.split(",")]
    unit = (HOUSE / "systemd" / "p2k16-edge.service").read_text()
    assert written == ["/var/lib/p2k16-edge"]
    assert "WorkingDirectory=/var/lib/p2k16-edge\n" in unit


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_says_in_words_what_it_shows_and_is_read_in_the_dark(drawing: Path) -> None:
    picture = ET.parse(drawing).getroot()  # noqa: S314 (our own file)
    for part in ("title", "desc"):
        found = picture.find(f"{SVG}{part}")
        assert found is not None
        assert found.text
    assert "prefers-color-scheme: dark" in drawing.read_text()
    ids = {element.get("id") for element in picture.iter()}
    used = {element.get("href", "")[1:] for element in picture.iter(f"{SVG}use")}
    assert used <= ids
    width, height = map(float, (picture.get("viewBox") or "").split()[2:])
    for text in picture.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x", "-1")) <= width
        assert 0 <= float(text.get("y", "-1")) <= height


def test_there_is_a_drawing_for_strike_magnet_lock_and_contactor() -> None:
    names = [drawing.stem for drawing in DRAWINGS]
    assert names == ["wiring-contactor", "wiring-maglock", "wiring-strike"]


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_has_the_pins_of_the_manuals_example(drawing: Path) -> None:
    drawn = set(map(int, re.findall(r"BCM (\d+)", drawing.read_text())))
    example = MANUAL[MANUAL.index("[[door]]\n") : MANUAL.index("session_seconds_max = ")]
    door, tool = example.split("[[tool]]")
    pins = set(map(int, re.findall(r"pin = (\d+)", tool if "contactor" in drawing.stem else door)))
    assert drawn
    assert drawn <= pins


def test_the_index_names_every_file() -> None:
    index = (FIRMWARE / "README.md").read_text() + (FIRMWARE / "wiring.md").read_text()
    for path in FIRMWARE.iterdir():
        assert path.name == "README.md" or f"]({path.name})" in index, path.name
