"""Settings: every mistake at once, each with its key and what was expected."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge.point_settings import DoorSettings, InputSettings, PointSettings
from edge.reader_settings import ReaderSettings
from edge.readers.drivers import DriverName
from edge.settings import EdgeSettings, load_settings, read_settings
from edge.tool_rules import Mode, ToolRules
from sync.ids import PointKey
from sync.settings_table import SettingsError

DOOR: dict[str, object] = {
    "key": "front",
    "reader": {"driver": "rdm6300", "port": "/dev/serial0"},
    "relay": {"pin": 17},
}
LEAST: dict[str, object] = {"data_dir": "/d", "door": [DOOR]}


def read(document: Mapping[str, object], environ: Mapping[str, str] | None = None) -> EdgeSettings:
    return read_settings(document, environ or {}, source="test.toml")


def mistakes(document: Mapping[str, object]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(document)
    return caught.value.mistakes


def test_the_least_settings_and_their_defaults() -> None:
    settings = read(LEAST)
    assert settings.data_dir == Path("/d")
    assert settings.bundle is None
    assert not settings.mqtt.allow_plaintext
    assert settings.mqtt.ca_file is None
    assert settings.guard_trace is None
    assert (settings.notify_socket, settings.watchdog_seconds) == (None, None)
    assert settings.doors == (
        DoorSettings(
            PointSettings(
                key=PointKey("front"),
                reader=ReaderSettings(
                    DriverName.RDM6300,
                    "/dev/serial0",
                    9600,
                    repeats=True,
                    needs_two=False,
                    line=None,
                ),
                relay_pin=17,
                upstream_pin=None,
                feedback=None,
                green_pin=None,
                red_pin=None,
                buzzer_pin=None,
            ),
            unlock_seconds_max=30,
            held_seconds=30,
            contact=None,
            exit=None,
            tamper=None,
        ),
    )


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(
        'data_dir = "/var/lib/p2k16-edge"\nbundle = "/boot/p2k16.json"\n'
        '[mqtt]\nallow_plaintext = true\nca_file = "/etc/ca.crt"\n'
        '[[door]]\nkey = "back"\nreader.driver = "id12la"\nreader.port = "/dev/ttyUSB0"\n'
        "relay.pin = 27\nrelay.unlock_seconds_max = 300\nlight.green_pin = 0\nlight.red_pin = 1\n"
        "buzzer.pin = 2\nfeedback.pin = 3\ncontact.pin = 4\ncontact.held_seconds = 60\n"
        "exit.pin = 5\ntamper.pin = 6\ntamper.inverted = true\n"
        '[[tool]]\nkey = "laser"\nreader.driver = "pn532"\nreader.port = "/dev/ttyUSB1"\n'
        "relay.pin = 7\nrelay.upstream_pin = 10\ncurrent.pin = 8\nstop.pin = 9\n"
        'mode = "card-present"\nlong_job = true\n'
        "start_seconds = 30\nidle_seconds = 120\nsession_seconds_max = 3600\n"
        "no_volt_release = true\n"
    )
    environ = {"P2K16_GUARD_TRACE": "/tmp/trace", "P2K16_MOCK_INPUTS": "/tmp/fifo"}
    settings = load_settings(file, environ)
    assert settings.mock_inputs == Path("/tmp/fifo")
    assert settings.bundle == Path("/boot/p2k16.json")
    assert settings.mqtt.allow_plaintext
    assert settings.mqtt.ca_file == Path("/etc/ca.crt")
    assert settings.guard_trace == Path("/tmp/trace")
    [door] = settings.doors
    point = door.point
    assert (point.reader.driver, point.relay_pin, door.unlock_seconds_max) == ("id12la", 27, 300)
    assert (point.green_pin, point.red_pin, point.buzzer_pin) == (0, 1, 2)
    assert (point.feedback, door.contact, door.held_seconds) == (input_at(3), input_at(4), 60)
    assert (door.exit, door.tamper) == (input_at(5), InputSettings(6, is_inverted=True))
    [tool] = settings.tools
    assert tool.rules == ToolRules(Mode.CARD_PRESENT, True, True, 30, 120, 3600, True)
    assert (tool.current, tool.stop) == (input_at(8), input_at(9))
    assert (door.point.relay_pins, tool.point.relay_pins) == ((27,), (7, 10))


def input_at(pin: int) -> InputSettings:
    return InputSettings(pin, is_inverted=False)


def test_a_tool_alone_is_enough_and_without_a_sensor_counts_as_running() -> None:
    [tool] = read({"data_dir": "/d", "tool": [DOOR]}).tools
    assert tool.rules == ToolRules()
    assert not tool.rules.has_current


def test_a_card_that_is_read_once_can_not_be_told_to_lie_there() -> None:
    reader = {"driver": "id12la", "port": "/dev/serial0"}
    found = mistakes({"tool": [{**DOOR, "reader": reader, "mode": "card-present"}]})
    assert found == [
        'tool[1].mode: "card-present" needs a reader that repeats a card while it lies there; '
        'id12la doesn\'t: expected "tap-toggle"'
    ]


def test_a_long_job_needs_a_sensor_that_tells_its_end() -> None:
    found = mistakes({"tool": [{**DOOR, "long_job": True}]})
    assert [mistake.partition(":")[0] for mistake in found] == ["tool[1].long_job"]


def test_an_upstream_contactor_is_for_tools_and_has_a_pin_of_its_own() -> None:
    relay = {"pin": 17, "upstream_pin": 17}
    assert mistakes({"tool": [{**DOOR, "relay": relay}]})[0].startswith("tool[1].relay.pin: ")
    found = mistakes({"door": [{**DOOR, "relay": {"pin": 17, "upstream_pin": 18}}]})
    assert [mistake.partition(":")[0] for mistake in found] == ["door[1].relay.upstream_pin"]


def test_a_door_and_a_tool_share_neither_key_nor_port_nor_pin() -> None:
    tool = {**DOOR, "relay": {"pin": 5}, "stop": {"pin": 17}}
    found = mistakes({"door": [DOOR], "tool": [tool]})
    assert sorted(mistake.partition(":")[0] for mistake in found) == [
        "door[1].key",
        "door[1].reader.port",
        "door[1].relay.pin",
        "tool[1].key",
        "tool[1].reader.port",
        "tool[1].stop.pin",
    ]


def test_the_environment_overrides_scalars() -> None:
    environ = {"P2K16_DATA_DIR": "/e", "P2K16_MQTT_ALLOW_PLAINTEXT": "true"}
    settings = read(LEAST, environ)
    assert settings.data_dir == Path("/e")
    assert settings.mqtt.allow_plaintext


def test_systemd_says_where_to_tell_and_how_often() -> None:
    environ = {"NOTIFY_SOCKET": "@notify", "WATCHDOG_USEC": "10000000"}
    settings = read(LEAST, environ)
    assert (settings.notify_socket, settings.watchdog_seconds) == ("@notify", 10.0)
    assert read(LEAST, {**environ, "WATCHDOG_PID": str(os.getpid())}).watchdog_seconds == 10.0


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": ""},
    ],
)
def test_a_watchdog_that_is_somebody_elses_or_none_has_no_limit(environ: dict[str, str]) -> None:
    assert read(LEAST, environ).watchdog_seconds is None


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(
        {
            "dat_dir": "/d",
            "mqtt": {"allow_plaintext": "yes"},
            "door": [
                {
                    "key": "Front Door",
                    "reader": {"driver": "rfid", "port": ""},
                    "relay": {"pin": 28, "unlock_seconds_max": 301},
                    "light": {"green_pin": -1},
                },
                {},
            ],
        }
    )
    keys = [mistake.partition(":")[0] for mistake in found]
    assert sorted(keys) == [
        "dat_dir",
        "door[1].key",
        "door[1].light.green_pin",
        "door[1].reader.driver",
        "door[1].reader.port",
        "door[1].relay.pin",
        "door[1].relay.unlock_seconds_max",
        "door[2].key",
        "door[2].reader.driver",
        "door[2].reader.port",
        "door[2].relay.pin",
        "mqtt.allow_plaintext",
    ]
    assert any('expected one of "line", "rdm6300", "id12la"' in mistake for mistake in found)
    assert any("a whole number from 0 to 27" in mistake for mistake in found)


def test_two_doors_share_neither_key_nor_port_nor_pin() -> None:
    other = {**DOOR, "relay": {"pin": 5}, "light": {"green_pin": 17, "red_pin": 5}}
    found = mistakes({"door": [DOOR, other]})
    assert 'door[1].key: the key "front" is also that of door[2].key; expected another' in found
    assert sorted(mistake.partition(":")[0] for mistake in found) == [
        "door[1].key",
        "door[1].reader.port",
        "door[1].relay.pin",
        "door[2].key",
        "door[2].light.green_pin",
        "door[2].light.red_pin",
        "door[2].reader.port",
        "door[2].relay.pin",
    ]


@pytest.mark.parametrize("doors", [{}, {"door": []}])
def test_there_is_at_least_one_door(doors: dict[str, object]) -> None:
    assert mistakes(doors) == ["door: missing; expected at least one [[door]] or [[tool]]"]
    [mistake] = mistakes({"door": 5})
    assert mistake.startswith("door: expected [[door]], in two pairs of brackets")


def test_a_file_that_is_missing_or_no_toml_is_a_mistake_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(file, {})
    file.write_text("data_dir = /d")
    with pytest.raises(SettingsError, match=r"(?s)edge\.toml.*not TOML"):
        load_settings(file, {})
