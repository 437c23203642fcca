"""A controller's settings: one TOML file, overridden by `P2K16_…` environment variables.

The only place of the controller that reads the environment. docs/operating.md explains every key.
"""

import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.readers.drivers import DRIVERS
from sync.ids import NAME, PointKey
from sync.settings_table import SettingsError, SettingsTable

DEFAULT_FILE = Path("/etc/p2k16/edge.toml")
"""Read when no `--config` is given."""

BCM_PIN_MAX = 27
"""The 40-pin header has BCM 0 to 27."""

UNLOCK_SECONDS_MAX = 300
UNLOCK_SECONDS_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: `ca_file` None means the system's certificate authorities."""

    allow_plaintext: bool
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """One `[[door]]`. Pins are BCM numbers; a light of None is not there.

    `unlock_seconds_max` caps what a snapshot says.
    """

    key: PointKey
    reader_driver: str
    reader_port: str
    relay_pin: int
    unlock_seconds_max: int
    green_pin: int | None
    red_pin: int | None


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """All of it. `bundle` None: nothing to take over. `guard_trace` None: no trace is written.

    `notify_socket` None: systemd didn't start us, or waits for no word. `watchdog_seconds`: after
    how long a silence it kills us; None: it doesn't.
    """

    data_dir: Path
    bundle: Path | None
    mqtt: MqttSettings
    doors: tuple[DoorSettings, ...]
    guard_trace: Path | None
    notify_socket: str | None
    watchdog_seconds: float | None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> EdgeSettings:
    """Reads `path`, or the default file. Raises: SettingsError with every mistake at once."""
    path = path or DEFAULT_FILE
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), [f"not TOML: {error}"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [f"can't be read: {error}"]) from error
    return read_settings(document, environ, source=str(path))


def read_settings(
    document: Mapping[str, object], environ: Mapping[str, str], *, source: str
) -> EdgeSettings:
    """The settings in a parsed document. Raises: SettingsError with every mistake at once."""
    table = SettingsTable(document, environ)
    mqtt = table.table("mqtt")
    rows = table.tables("door")
    trace = environ.get("P2K16_GUARD_TRACE")
    settings = EdgeSettings(
        data_dir=table.path("data_dir", default=_default_data_dir(environ)),
        bundle=table.optional_path("bundle"),
        mqtt=MqttSettings(
            allow_plaintext=mqtt.flag("allow_plaintext", default=False),
            ca_file=mqtt.optional_path("ca_file"),
        ),
        doors=tuple(map(_door, rows)),
        guard_trace=Path(trace) if trace else None,
        notify_socket=environ.get("NOTIFY_SOCKET") or None,
        watchdog_seconds=_watchdog_seconds(environ),
    )
    wrong = {mistake.partition(":")[0] for mistake in table.mistakes()}
    if not rows and "door" not in wrong:
        table.refuse("door", "missing; expected at least one [[door]]")
    _refuse_repeated(rows, settings.doors, wrong)
    mistakes = table.mistakes()
    if mistakes:
        raise SettingsError(source, mistakes)
    return settings


def _door(row: SettingsTable) -> DoorSettings:
    reader, relay, light = row.table("reader"), row.table("relay"), row.table("light")
    return DoorSettings(
        key=PointKey(row.text("key", pattern=NAME.pattern)),
        reader_driver=reader.choice("driver", tuple(DRIVERS)),
        reader_port=reader.text("port"),
        relay_pin=relay.integer("pin", least=0, most=BCM_PIN_MAX),
        unlock_seconds_max=relay.integer(
            "unlock_seconds_max",
            least=1,
            most=UNLOCK_SECONDS_MAX,
            default=UNLOCK_SECONDS_DEFAULT,
        ),
        green_pin=light.optional_integer("green_pin", least=0, most=BCM_PIN_MAX),
        red_pin=light.optional_integer("red_pin", least=0, most=BCM_PIN_MAX),
    )


def _refuse_repeated(
    rows: list[SettingsTable], doors: tuple[DoorSettings, ...], wrong: set[str]
) -> None:
    """Two doors can't share a key, a port or a pin. `wrong`: settings that mean nothing anyhow."""
    uses = [
        (number, name, value)
        for number, door in enumerate(doors, start=1)
        for name, value in _own(door).items()
        if value is not None and f"door[{number}].{name}" not in wrong
    ]
    times = Counter(value for _, _, value in uses)
    for number, name, value in uses:
        if times[value] > 1:
            rows[number - 1].refuse(name, f"{value} stands {times[value]} times; expected another")


def _own(door: DoorSettings) -> dict[str, str | None]:
    """What no other door, and no other output of this one, may have."""
    return {
        "key": f'the key "{door.key}"',
        "reader.port": f'the port "{door.reader_port}"',
        "relay.pin": f"pin {door.relay_pin}",
        "light.green_pin": None if door.green_pin is None else f"pin {door.green_pin}",
        "light.red_pin": None if door.red_pin is None else f"pin {door.red_pin}",
    }


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """Source: sd_watchdog_enabled(3): microseconds, and meant for one process only."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/p2k16-edge")
    data_home = environ.get("XDG_DATA_HOME") or f"{environ.get('HOME', '.')}/.local/share"
    return Path(data_home) / "p2k16-edge"
