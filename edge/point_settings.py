"""The settings of one door or one tool: its reader, its pins, its rules.

Pins have BCM numbers. An input is a circuit from its pin to ground, which the Raspberry Pi's own
resistor pulls up. What a closed circuit means is said in edge/sensors.py and edge/workbench.py, and
drawn in firmware-config/; `inverted` is for a sensor that does it the other way round.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge.reader_settings import ReaderSettings, read_reader
from edge.tool_rules import Mode, ToolRules
from sync.ids import NAME, PointKey
from sync.settings_table import SettingsTable

BCM_PIN_MAX = 27
"""The 40-pin header has BCM 0 to 27."""

UNLOCK_SECONDS_MAX = 300
UNLOCK_SECONDS_DEFAULT = 30
HELD_SECONDS_DEFAULT = 30
DAY_SECONDS = 24 * 3600
_NAME = "1 to 32 of a-z, 0-9 and -, as on the console"


@dataclass(frozen=True, slots=True)
class InputSettings:
    """One input. `is_inverted`: its circuit is closed when it should be open."""

    pin: int
    is_inverted: bool


@dataclass(frozen=True, slots=True)
class PointSettings:
    """What doors and tools have in common. None: not there.

    `upstream_pin`: a second contactor, in front of a tool's own, that is on and off with it. So one
    that is welded leaves no power on.
    """

    key: PointKey
    reader: ReaderSettings
    relay_pin: int
    upstream_pin: int | None
    feedback: InputSettings | None
    green_pin: int | None
    red_pin: int | None
    buzzer_pin: int | None

    @property
    def relay_pins(self) -> tuple[int, ...]:
        """Those that the guard drives, together."""
        upstream = () if self.upstream_pin is None else (self.upstream_pin,)
        return self.relay_pin, *upstream


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """One `[[door]]`. `unlock_seconds_max` caps what a snapshot says."""

    point: PointSettings
    unlock_seconds_max: int
    held_seconds: int
    contact: InputSettings | None
    exit: InputSettings | None
    tamper: InputSettings | None


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """One `[[tool]]`."""

    point: PointSettings
    rules: ToolRules
    current: InputSettings | None
    stop: InputSettings | None


def read_door(row: SettingsTable) -> DoorSettings:
    """What `row` says; mistakes are noted in it."""
    relay, contact = row.table("relay"), row.table("contact")
    return DoorSettings(
        point=_point(row, relay),
        unlock_seconds_max=relay.integer(
            "unlock_seconds_max",
            least=1,
            most=UNLOCK_SECONDS_MAX,
            default=UNLOCK_SECONDS_DEFAULT,
        ),
        held_seconds=contact.integer(
            "held_seconds", least=5, most=3600, default=HELD_SECONDS_DEFAULT
        ),
        contact=_input(contact),
        exit=_input(row.table("exit")),
        tamper=_input(row.table("tamper")),
    )


def read_tool(row: SettingsTable) -> ToolSettings:
    """What `row` says; mistakes are noted in it."""
    relay, current = row.table("relay"), _input(row.table("current"))
    upstream_pin = relay.optional_integer("upstream_pin", least=0, most=BCM_PIN_MAX)
    point = _point(row, relay, upstream_pin)
    usual = ToolRules()
    mode = Mode(row.choice("mode", tuple(Mode), default=usual.mode))
    if mode is Mode.CARD_PRESENT and not point.reader.repeats:
        row.refuse(
            "mode",
            f'"{mode}" needs a reader that repeats a card while it lies there; '
            f'{point.reader.driver} doesn\'t: expected "{Mode.TAP_TOGGLE}"',
        )
    is_long_job = row.flag("long_job", default=usual.is_long_job)
    if is_long_job and current is None:
        row.refuse(
            "long_job",
            "needs current.pin: without it nobody can tell when the job is done, and the tool "
            "would stay on for session_seconds_max; expected false, or a sensor",
        )
    return ToolSettings(
        point=point,
        rules=ToolRules(
            mode=mode,
            is_long_job=is_long_job,
            has_current=current is not None,
            start_seconds=row.integer("start_seconds", least=5, most=3600, default=60),
            idle_seconds=row.integer("idle_seconds", least=5, most=DAY_SECONDS, default=300),
            session_seconds=row.integer(
                "session_seconds_max", least=60, most=DAY_SECONDS, default=4 * 3600
            ),
            has_no_volt_release=row.flag("no_volt_release", default=usual.has_no_volt_release),
        ),
        current=current,
        stop=_input(row.table("stop")),
    )


def pins_of(settings: DoorSettings | ToolSettings) -> Iterator[tuple[str, int]]:
    """Every pin that it uses, and its setting."""
    point = settings.point
    outputs = {
        "relay.pin": point.relay_pin,
        "relay.upstream_pin": point.upstream_pin,
        "light.green_pin": point.green_pin,
        "light.red_pin": point.red_pin,
        "buzzer.pin": point.buzzer_pin,
    }
    yield from ((name, pin) for name, pin in outputs.items() if pin is not None)
    yield from ((f"{name}.pin", found.pin) for name, found in inputs_of(settings).items())


def inputs_of(settings: DoorSettings | ToolSettings) -> dict[str, InputSettings]:
    """The inputs that are there, by the name of their table."""
    inputs = {"feedback": settings.point.feedback}
    if isinstance(settings, DoorSettings):
        inputs |= {"contact": settings.contact, "exit": settings.exit, "tamper": settings.tamper}
    else:
        inputs |= {"current": settings.current, "stop": settings.stop}
    return {name: found for name, found in inputs.items() if found is not None}


def _point(
    row: SettingsTable, relay: SettingsTable, upstream_pin: int | None = None
) -> PointSettings:
    light = row.table("light")
    return PointSettings(
        key=PointKey(row.text("key", pattern=NAME.pattern, words=_NAME)),
        reader=read_reader(row.table("reader")),
        relay_pin=relay.integer("pin", least=0, most=BCM_PIN_MAX),
        upstream_pin=upstream_pin,
        feedback=_input(row.table("feedback")),
        green_pin=light.optional_integer("green_pin", least=0, most=BCM_PIN_MAX),
        red_pin=light.optional_integer("red_pin", least=0, most=BCM_PIN_MAX),
        buzzer_pin=row.table("buzzer").optional_integer("pin", least=0, most=BCM_PIN_MAX),
    )


def _input(table: SettingsTable) -> InputSettings | None:
    pin = table.optional_integer("pin", least=0, most=BCM_PIN_MAX)
    if table.keys and "pin" not in table.keys:
        table.refuse("pin", f"missing; expected a whole number from 0 to {BCM_PIN_MAX}")
    is_inverted = table.flag("inverted", default=False)
    return None if pin is None else InputSettings(pin, is_inverted)
