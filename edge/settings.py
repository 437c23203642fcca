"""A controller's settings: one TOML file, overridden by `P2K16_…` environment variables.

The only place of the controller that reads the environment. docs/operating.md explains every key.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.point_settings import (
    DoorSettings,
    PointSettings,
    ToolSettings,
    pins_of,
    read_door,
    read_tool,
)
from edge.regular_file import read_regular
from sync.settings_table import SettingsError, SettingsTable

DEFAULT_FILE = Path("/etc/p2k16/edge.toml")
"""Read when no `--config` is given."""

FILE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: `ca_file` None means the system's certificate authorities."""

    allow_plaintext: bool
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """All of it. `bundle` None: nothing to take over. `guard_trace` None: no trace is written.

    `mock_inputs`: a FIFO that moves gpiozero's mock pins, for trying things out (edge/pins.py).
    `notify_socket` None: systemd didn't start us, or waits for no word. `watchdog_seconds`: after
    how long a silence it kills us; None: it doesn't.
    """

    data_dir: Path
    bundle: Path | None
    mqtt: MqttSettings
    doors: tuple[DoorSettings, ...]
    tools: tuple[ToolSettings, ...]
    guard_trace: Path | None
    mock_inputs: Path | None
    notify_socket: str | None
    watchdog_seconds: float | None

    @property
    def points(self) -> tuple[PointSettings, ...]:
        """What doors and tools have in common, of all of them."""
        return tuple(settings.point for settings in (*self.doors, *self.tools))


def load_settings(path: Path | None, environ: Mapping[str, str]) -> EdgeSettings:
    """Reads `path`, or the default file. Raises: SettingsError with every mistake at once."""
    path = path or DEFAULT_FILE
    try:
        document = tomllib.loads(_read(path).decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        hint = 'look at that line: texts stand in quotes, as in key = "front", and each key once'
        raise SettingsError(str(path), [f"not TOML: {error}; {hint}"]) from error
    except UnicodeDecodeError as error:
        hint = f"byte {error.start} is no UTF-8; save it as UTF-8"
        raise SettingsError(str(path), [f"can't be read: {hint}"]) from error
    except (ValueError, RecursionError) as error:
        hint = "a number with too many digits, or too many brackets in one another"
        raise SettingsError(str(path), [f"can't be read: {hint}"]) from error
    except OSError as error:
        hint = "write it as docs/operating.md has it, or name another with --config"
        raise SettingsError(str(path), [f"can't be read: {error.strerror}; {hint}"]) from error
    return read_settings(document, environ, source=str(path))


def _read(path: Path) -> bytes:
    """Raises: OSError, SettingsError."""
    content = read_regular(path, bytes_max=FILE_BYTES_MAX)
    if len(content) > FILE_BYTES_MAX:
        mistake = f"can't be read: it has more than {FILE_BYTES_MAX} bytes"
        raise SettingsError(str(path), [mistake])
    return content


def read_settings(
    document: Mapping[str, object], environ: Mapping[str, str], *, source: str
) -> EdgeSettings:
    """The settings in a parsed document. Raises: SettingsError with every mistake at once."""
    table = SettingsTable(document, environ)
    mqtt = table.table("mqtt")
    doors, tools = table.tables("door"), table.tables("tool")
    trace, mock = environ.get("P2K16_GUARD_TRACE"), environ.get("P2K16_MOCK_INPUTS")
    settings = EdgeSettings(
        data_dir=table.path("data_dir", default=_default_data_dir(environ)),
        bundle=table.optional_path("bundle"),
        mqtt=MqttSettings(
            allow_plaintext=mqtt.flag("allow_plaintext", default=False),
            ca_file=mqtt.optional_path("ca_file"),
        ),
        doors=tuple(map(read_door, doors)),
        tools=tuple(map(read_tool, tools)),
        guard_trace=Path(trace) if trace else None,
        mock_inputs=Path(mock) if mock else None,
        notify_socket=environ.get("NOTIFY_SOCKET") or None,
        watchdog_seconds=_watchdog_seconds(environ),
    )
    wrong = {mistake.partition(":")[0] for mistake in table.mistakes()}
    if not (doors or tools) and not {"door", "tool"} & wrong:
        table.refuse("door", "missing; expected at least one [[door]] or [[tool]]")
    _refuse_repeated([*doors, *tools], [*settings.doors, *settings.tools], wrong)
    mistakes = table.mistakes()
    if mistakes:
        raise SettingsError(source, mistakes)
    return settings


def _refuse_repeated(
    rows: list[SettingsTable], points: Sequence[DoorSettings | ToolSettings], wrong: set[str]
) -> None:
    """Two points can't share a key, a port or a pin. `wrong`: settings that mean nothing anyhow."""
    uses = [
        (row, name, value)
        for row, point in zip(rows, points, strict=True)
        for name, value in _own(point)
        if row.name_of(name) not in wrong
    ]
    places: dict[str, list[str]] = {}
    for row, name, value in uses:
        places.setdefault(value, []).append(row.name_of(name))
    for row, name, value in uses:
        others = [place for place in places[value] if place != row.name_of(name)]
        if others:
            row.refuse(name, f"{value} is also that of {', '.join(others)}; expected another")


def _own(settings: DoorSettings | ToolSettings) -> Iterator[tuple[str, str]]:
    """What no other point, and nothing else of this one, may have."""
    yield "key", f'the key "{settings.point.key}"'
    yield "reader.port", f'the port "{settings.point.reader.port}"'
    yield from ((name, f"pin {pin}") for name, pin in pins_of(settings))


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
