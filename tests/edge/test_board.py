"""What the kernel's small files say of the machine, and what is made of it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from console.controllers.said import troubles
from edge.assembly import build
from edge.board import LOOK_MS, NOWHERE, Board, Condition, Places, look
from edge.outside import real
from edge.settings import read_settings
from sync.strict_json import Fields, dump


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A machine that is well."""
    (tmp_path / "hwmon" / "hwmon0").mkdir(parents=True)
    (tmp_path / "hwmon" / "hwmon0" / "name").write_text("cpu_thermal\n")
    (tmp_path / "hwmon" / "hwmon1").mkdir()
    (tmp_path / "hwmon" / "hwmon1" / "name").write_text("rpi_volt\n")
    (tmp_path / "hwmon" / "hwmon1" / "in0_lcrit_alarm").write_text("0\n")
    found = Places(tmp_path / "temp", tmp_path / "get_throttled", tmp_path / "hwmon")
    found.temperature.write_text("47236\n")
    found.throttled.write_text("0\n")
    return found


def test_a_machine_that_is_well_has_whole_degrees_and_no_fault(places: Places) -> None:
    assert look(places) == Condition(47, False)
    assert look(places).faults() == []


def test_a_machine_that_says_nothing_of_itself_is_not_known_and_no_fault() -> None:
    assert look(NOWHERE) == Condition(None, None)
    assert look(NOWHERE).faults() == []


@pytest.mark.parametrize(
    ("bits", "is_weak"),
    [
        ("0", False),
        ("1", True),
        ("50005", True),
        ("0x50000", True),
        ("10000", True),
        ("20002", False),
        ("e0008", False),
    ],
)
def test_two_bits_tell_of_a_weak_supply(bits: str, is_weak: bool, places: Places) -> None:
    places.throttled.write_text(f"{bits}\n")
    assert look(places).undervoltage is is_weak


@pytest.mark.parametrize(("alarm", "is_weak"), [("1\n", True), ("0\n", False)])
def test_without_those_bits_the_kernels_alarm_tells(
    alarm: str, is_weak: bool, places: Places
) -> None:
    places.throttled.unlink()
    (places.sensors / "hwmon1" / "in0_lcrit_alarm").write_text(alarm)
    assert look(places).undervoltage is is_weak
    (places.sensors / "hwmon1" / "name").write_text("another_chip\n")
    assert look(places).undervoltage is None


@pytest.mark.parametrize(
    "content", ["", "warm", "4.7e4", "999999999", "-280000", "1" * 5_000, "\x00", "47236 C"]
)
def test_what_is_no_number_is_not_known(content: str, places: Places) -> None:
    places.temperature.write_text(content)
    assert look(places).temperature_c is None


def test_what_is_no_file_is_not_known_and_nobody_waits_for_it(places: Places) -> None:
    places.temperature.unlink()
    os.mkfifo(places.temperature)
    places.throttled.unlink()
    places.throttled.mkdir()
    assert look(places) == Condition(None, False)


def test_it_is_looked_at_every_ten_seconds_only(places: Places) -> None:
    now_ms = 0
    board = Board(places, lambda: now_ms)
    assert board.condition().temperature_c == 47
    places.temperature.write_text("81000")
    now_ms = LOOK_MS - 1
    assert board.condition().temperature_c == 47
    now_ms = LOOK_MS
    assert board.condition().temperature_c == 81


@pytest.mark.parametrize(("thousandths", "is_hot"), [("80499", False), ("80501", True)])
def test_more_than_eighty_degrees_are_a_fault(
    thousandths: str, is_hot: bool, places: Places
) -> None:
    places.temperature.write_text(thousandths)
    assert bool(look(places).faults()) is is_hot


async def test_the_report_has_it_and_the_console_shows_its_words(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    places.temperature.write_text("84600")
    places.throttled.write_text("50000")
    door = {
        "key": "front",
        "reader": {"driver": "rdm6300", "port": "/nowhere"},
        "relay": {"pin": 17},
    }
    document = {"data_dir": str(tmp_path / "edge"), "door": [door]}
    settings = read_settings(document, {}, source="here")
    house = build(settings, replace(real(), places=places))
    state = house.health.state()
    house.lock_up()
    assert (state["temperature_c"], state["undervoltage"]) == (85, True)
    Fields.parse(dump(state), "the wire refuses fractions")
    told = troubles({"state": state})
    [weak] = [words for words in told if words.startswith("Undervoltage: its supply is too weak")]
    assert weak.endswith("give it a stronger one, or a shorter cable"), "not cut off"
    assert "Hot: its processor has more than 80 °C; give it air" in told
