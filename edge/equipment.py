"""Doors and tools, built from their settings: each with its lights, its buzzer and its sensors."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge.cues import Lights
from edge.doorway import Doorway
from edge.outside import Outside
from edge.point_settings import DoorSettings, InputSettings, PointSettings, ToolSettings, inputs_of
from edge.post import Post
from edge.settings import EdgeSettings
from edge.unlocks import HoldsRelays
from edge.workbench import Workbench
from sync.events import Occurrence


class Equipment:
    """Builds posts that are locked."""

    def __init__(
        self,
        settings: EdgeSettings,
        outside: Outside,
        relays: HoldsRelays,
        *,
        changed: Callable[[], None],
        tell: Callable[[Occurrence], None],
    ) -> None:
        """`changed` and `tell`: for each post."""
        self._outside = outside
        self._relays = relays
        self._changed = changed
        self._tell = tell
        self._folder: Path = settings.data_dir / "lights"

    def door(self, settings: DoorSettings) -> Post:
        """Raises: PinError."""
        door = Doorway(
            settings.point.key,
            self._relays,
            self._lights(settings.point),
            changed=self._changed,
            tell=self._tell,
            held_seconds=settings.held_seconds,
        )
        sensors = door.sensors
        self._wire(
            settings,
            {
                "feedback": door.felt,
                "contact": sensors.contact,
                "exit": sensors.exit,
                "tamper": sensors.tamper,
            },
        )
        return door

    def tool(self, settings: ToolSettings) -> Post:
        """Raises: PinError."""
        tool = Workbench(
            settings.point.key,
            self._relays,
            self._lights(settings.point),
            settings.rules,
            changed=self._changed,
            tell=self._tell,
        )
        self._wire(settings, {"feedback": tool.felt, "current": tool.current, "stop": tool.stop})
        return tool

    def _lights(self, point: PointSettings) -> Lights:
        green, red, buzzer = (
            None
            if number is None
            else self._outside.output(number, f"{name} of {point.key}", self._folder)
            for name, number in (
                ("green light", point.green_pin),
                ("red light", point.red_pin),
                ("buzzer", point.buzzer_pin),
            )
        )
        return Lights(green=green, red=red, buzzer=buzzer)

    def _wire(
        self,
        settings: DoorSettings | ToolSettings,
        circuits: dict[str, Callable[[bool], None]],
    ) -> None:
        for name, found in inputs_of(settings).items():
            purpose = f"{name} of {settings.point.key}"
            hears = partial(_tell_circuit, found, circuits[name])
            self._outside.input(found.pin, purpose, self._folder, hears)


def _tell_circuit(
    settings: InputSettings, circuit: Callable[[bool], None], is_closed: bool
) -> None:
    circuit(is_closed is not settings.is_inverted)
