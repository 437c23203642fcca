"""How the machine itself is: whether it is too hot, and whether its supply is strong enough.

Small files of the kernel, read now and then. What isn't there, or says something odd, isn't known.
Sources: raspberrypi.com/documentation/computers/os.html, "get_throttled", for its bits;
docs.kernel.org/hwmon/raspberrypi-hwmon.html for the alarm;
docs.kernel.org/driver-api/thermal/sysfs-api.html for the temperature.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.regular_file import read_regular

LOOK_MS = 10_000
"""Between two looks: the state is made more often, and nothing here changes faster for anybody."""

HOT_CELSIUS = 80
"""A Raspberry Pi slows itself down from here on."""

POSSIBLE_CELSIUS = range(-50, 151)
UNDERVOLTAGE_BITS = 1 << 0 | 1 << 16
"""Now, or since the machine started."""

FILE_BYTES_MAX = 64
SENSORS_MAX = 32

WORDS_OF_SUPPLY = (
    "undervoltage: its supply is too weak, now or since the machine started; give it a stronger "
    "one, or a shorter cable"
)
WORDS_OF_HEAT = f"hot: its processor has more than {HOT_CELSIUS} °C; give it air"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the kernel says it. `sensors`: the folder of all its sensors."""

    temperature: Path = Path("/sys/class/thermal/thermal_zone0/temp")
    throttled: Path = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
    sensors: Path = Path("/sys/class/hwmon")


NOWHERE = Places(*(Path("/nowhere") for _ in range(3)))
"""A machine that tells nothing of itself."""


@dataclass(frozen=True, slots=True)
class Condition:
    """None: not known here."""

    temperature_c: int | None
    undervoltage: bool | None

    def faults(self) -> list[str]:
        """In words for people."""
        is_hot = self.temperature_c is not None and self.temperature_c > HOT_CELSIUS
        found = [WORDS_OF_SUPPLY] if self.undervoltage else []
        return [*found, WORDS_OF_HEAT] if is_hot else found


class Board:
    """Looks at most every ten seconds."""

    def __init__(self, places: Places, mono_ms: Callable[[], int]) -> None:
        self._places = places
        self._mono_ms = mono_ms
        self._looked: tuple[int, Condition] | None = None

    def condition(self) -> Condition:
        """How it is, or was a moment ago. Raises nothing, and waits for nothing but the kernel."""
        now_ms = self._mono_ms()
        if self._looked is None or now_ms - self._looked[0] >= LOOK_MS:
            self._looked = now_ms, look(self._places)
        return self._looked[1]


def look(places: Places) -> Condition:
    """How it is now."""
    return Condition(_temperature(places.temperature), _undervoltage(places))


def _temperature(path: Path) -> int | None:
    thousandths = _number(path, 10)
    if thousandths is None:
        return None
    celsius = round(thousandths / 1000)
    return celsius if celsius in POSSIBLE_CELSIUS else None


def _undervoltage(places: Places) -> bool | None:
    """By either of the two that a Raspberry Pi may have. The driver of the second forgets what the
    first has noted.
    """
    bits = _number(places.throttled, 16)
    known = [] if bits is None else [bool(bits & UNDERVOLTAGE_BITS)]
    known += _alarms(places.sensors)
    return any(known) if known else None


def _alarms(sensors: Path) -> Iterator[bool]:
    try:
        folders = sorted(sensors.iterdir())[:SENSORS_MAX]
    except OSError:
        return
    for folder in folders:
        alarm = _number(folder / "in0_lcrit_alarm", 10)
        if alarm is not None and _text(folder / "name") == "rpi_volt":
            yield bool(alarm)


def _number(path: Path, base: int) -> int | None:
    text = _text(path)
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    try:
        content = read_regular(path, bytes_max=FILE_BYTES_MAX)
    except OSError:
        return None
    text = content.decode("ascii", "replace").strip()
    return text if len(content) <= FILE_BYTES_MAX else None
