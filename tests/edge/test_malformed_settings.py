"""What a newcomer reads when a settings file is wrong: the field, and what was expected."""

from pathlib import Path

import pytest

from edge.settings import load_settings
from sync.settings_table import SettingsError

TOP = 'data_dir = "/var/lib/p2k16-edge"\n'
DOOR = (
    '[[door]]\nkey = "front"\nreader.driver = "rdm6300"\nreader.port = "/dev/serial0"\n'
    "relay.pin = 17\n"
)
LEAST = TOP + DOOR
TOOL = TOP + DOOR.replace("door", "tool")
LINE = LEAST.replace("rdm6300", "line")
BACK = DOOR.replace("front", "back").replace("serial0", "ttyUSB0").replace("17", "18")

D, R = "door[1]", "door[1].reader"
PINS = "expected a whole number from 0 to 27"
KEY = "expected 1 to 32 of a-z, 0-9 and -, as on the console"
PATH = 'expected a path, such as "/var/lib/x"; nobody expands a ~'
PATTERN = "expected characters, [classes], alternatives, and groups that are not repeated"
UNKNOWN = "there is no such setting"
NONE = "door: missing; expected at least one [[door]] or [[tool]]"

MISTAKES: list[tuple[str, list[str]]] = [
    ("", [NONE]),
    (TOP, [NONE]),
    ("data_dir = /var\n", ["not TOML: "]),
    (TOP + TOP + DOOR, ["not TOML: "]),
    (LEAST.replace("[[door]]", "[door]"), ["door: expected [[door]], in two pairs of brackets"]),
    (LEAST.replace("[[door]]", "[[doors]]"), [NONE, f"doors: {UNKNOWN}; did you mean door?"]),
    (f'datadir = "x"\n{LEAST}', [f"datadir: {UNKNOWN}; did you mean data_dir? known here: bundle"]),
    (DOOR + TOP, [f"{D}.data_dir: {UNKNOWN} here; expected above the first line in [brackets]"]),
    (f'[http]\nlisten = "x"\n{DOOR}', [f"http: {UNKNOWN}; known here: bundle, data_dir"]),
    (f'[mqtt]\nurl = "mqtt://x"\n{DOOR}', [f"mqtt.url: {UNKNOWN}; known here: allow_plaintext"]),
    (LEAST + "relaypin = 4\n", [f"{D}.relaypin: {UNKNOWN}; did you mean relay?"]),
    (LEAST + "reader.speed = 9600\n", [f'{R}.speed: {UNKNOWN} with the driver "rdm6300"']),
    (LEAST + "reader.baud = 9600\n", [f'{R}.baud: {UNKNOWN} with the driver "rdm6300"']),
    (LEAST + 'mode = "tap-toggle"\n', [f"{D}.mode: {UNKNOWN}"]),
    (TOOL + "contact.pin = 5\n", [f"tool[1].contact: {UNKNOWN}"]),
    (LEAST.replace('key = "front"\n', ""), [f"{D}.key: missing; {KEY}"]),
    (LEAST.replace("front", "Front Door"), [f'{D}.key: {KEY}; got "Front Door"']),
    (LEAST.replace('"front"', "7"), [f"{D}.key: {KEY}; got 7"]),
    (LEAST.replace('"front"', "2026-01-01"), [f"{D}.key: {KEY}; got a date"]),
    (LEAST.replace("rdm6300", "RDM-6300"), [f'{R}.driver: expected one of "line", "rdm6300"']),
    (
        LEAST.replace('reader.port = "/dev/serial0"\n', ""),
        [f'{R}.port: missing; expected a port, such as "/dev/serial0"'],
    ),
    (LEAST.replace('"/dev/serial0"', '""'), [f'{R}.port: expected a port, such as "/dev/serial0"']),
    (LEAST.replace("relay.pin = 17\n", ""), [f"{D}.relay.pin: missing; {PINS}"]),
    (LEAST.replace("17", "40"), [f"{D}.relay.pin: {PINS}; got 40"]),
    (LEAST.replace("17", '"GPIO17"'), [f'{D}.relay.pin: {PINS}; got "GPIO17"']),
    (LEAST.replace("17", "17.0"), [f"{D}.relay.pin: {PINS}; got 17.0"]),
    (LEAST.replace("17", "true"), [f"{D}.relay.pin: {PINS}; got true"]),
    (
        LEAST.replace("relay.pin", "relay"),
        [f"{D}.relay: expected a table, as in relay.… = …; got 17", f"{D}.relay.pin: missing"],
    ),
    (
        LEAST + "light.green_pin = 17\n",
        [
            f"{D}.relay.pin: pin 17 is also that of {D}.light.green_pin; expected another",
            f"{D}.light.green_pin: pin 17 is also that of {D}.relay.pin; expected another",
        ],
    ),
    (
        LEAST + BACK.replace("18", "17"),
        [
            f"{D}.relay.pin: pin 17 is also that of door[2].relay.pin; expected another",
            "door[2].relay.pin: pin 17 is also that of",
        ],
    ),
    (
        LEAST + BACK.replace("ttyUSB0", "serial0"),
        [
            f'{R}.port: the port "/dev/serial0" is also that of door[2].reader.port',
            "door[2].reader.port: the port",
        ],
    ),
    (
        LEAST + BACK.replace("back", "front"),
        [f'{D}.key: the key "front" is also that of door[2].key', "door[2].key: the key"],
    ),
    (
        LEAST + "relay.unlock_seconds_max = 0\n",
        [f"{D}.relay.unlock_seconds_max: expected a whole number from 1 to 300; got 0"],
    ),
    (LEAST + "contact.held_seconds = 60\n", [f"{D}.contact.pin: missing; {PINS}"]),
    (LEAST + "tamper.inverted = true\n", [f"{D}.tamper.pin: missing; {PINS}"]),
    (LINE + "reader.baud = 12345\n", [f"{R}.baud: expected one of 1200, 2400"]),
    (
        LINE + 'reader.prefix = "å"\n',
        [f'{R}.prefix: expected 1 to 16 characters of ASCII; got "å"'],
    ),
    (
        LINE + 'reader.suffix = "END"\n',
        [f'{R}.suffix: expected "any", "CR", "LF", "CRLF", or 1 to'],
    ),
    (LINE + 'reader.pattern = "ID=(["\n', [f"{R}.pattern: at '[': {PATTERN}"]),
    (LINE + 'reader.pattern = "(ab)*"\n', [f"{R}.pattern: at '*': {PATTERN}"]),
    (
        LINE + "reader.id_bytes_min = 8\nreader.id_bytes_max = 4\n",
        [f"{R}.id_bytes_max: expected at least id_bytes_min, 8; got 4"],
    ),
    (
        TOOL + 'mode = "toggle"\n',
        ['tool[1].mode: expected one of "card-present", "tap-toggle"; got'],
    ),
    (TOOL + 'long_job = "ja"\n', ['tool[1].long_job: expected true or false; got "ja"']),
    (
        TOOL + "idle_seconds = 0\n",
        ["tool[1].idle_seconds: expected a whole number from 5 to 86400; got 0"],
    ),
    (
        f'[mqtt]\nallow_plaintext = "yes"\n{DOOR}',
        ['mqtt.allow_plaintext: expected true or false; got "yes"'],
    ),
    (f"mqtt = []\n{DOOR}", ["mqtt: expected a table, as in mqtt.… = …; got an array"]),
    (f"[mqtt]\nca_file = 7\n{DOOR}", [f"mqtt.ca_file: {PATH}; got 7"]),
    (LEAST.replace("/var/lib/p2k16-edge", "~/edge"), [f'data_dir: {PATH}; got "~/edge"']),
    (f'bundle = ""\n{LEAST}', [f'bundle: {PATH}; got ""']),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=range(len(MISTAKES)))
def test_each_mistake_is_one_line_that_names_the_field_and_what_was_expected(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    told = caught.value.mistakes
    assert len(told) == len(expected), told
    for line, start in zip(told, expected, strict=True):
        assert line.startswith(start), line
        assert "\n" not in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (LEAST.encode() + b"# \xe5\n", "byte {} is no UTF-8; save it as UTF-8"),
        (None, "No such file or directory; write it as docs/operating.md has it"),
    ],
    ids=["not UTF-8", "not there"],
)
def test_a_file_that_can_not_be_read_says_what_to_do(
    content: bytes | None, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "edge.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    [told] = caught.value.mistakes
    assert expected.format(len(LEAST) + 2) in told


def test_an_editor_of_another_system_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    assert load_settings(file, {}).doors


def test_what_is_no_toml_says_where_and_what_to_look_for(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(TOP + "bundle = /var\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    [told] = caught.value.mistakes
    assert "line 2" in told
    assert told.endswith('texts stand in quotes, as in key = "front", and each key once')


def test_a_mistake_in_the_environment_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(LEAST)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"P2K16_MQTT_ALLOW_PLAINTEXT": "ja"})
    assert caught.value.mistakes == [
        'mqtt.allow_plaintext: expected true or false; got "ja", from P2K16_MQTT_ALLOW_PLAINTEXT'
    ]


ODD_NUMBERS = {
    "too deep": ("a = " + "[" * 3_000 + "]" * 3_000, "can't be read"),
    "too long a number": ("a = " + "1" * 5_000, "can't be read"),
    "a huge number": (
        LEAST.replace("17", "0x" + "f" * 5_000),
        f"{D}.relay.pin: {PINS}; got a number",
    ),
    "too long": ("#" * 2_000_000, "can't be read: it has more than 1048576 bytes"),
}


@pytest.mark.parametrize(("text", "told"), ODD_NUMBERS.values(), ids=ODD_NUMBERS.keys())
def test_what_no_person_writes_is_a_mistake_like_any_other(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    [mistake] = caught.value.mistakes
    assert mistake.startswith(told)
