"""Finds the time zone of the space: what people mean by an hour of the day."""

from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOCALTIME = Path("/etc/localtime")
"""On most systems a link into the folder of all zones, whose path tells the name."""
TIMEZONE = Path("/etc/timezone")
"""Has the name where that is a copy."""
_ZONES = "/zoneinfo/"


def find_zone(name: str) -> tzinfo | None:
    """The zone of this name, such as `Europe/Oslo`; None: there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # also of a name that leads to a folder, or out of that of the zones


def system_zone(
    named: str | None, *, localtime: Path = LOCALTIME, timezone: Path = TIMEZONE
) -> tzinfo:
    """The operating system's zone, UTC if it can't be told. `named`: TZ of the environment."""
    if named is None:
        named = str(localtime.resolve()).partition(_ZONES)[2]
        with suppress(OSError, UnicodeDecodeError):
            named = named or timezone.read_text().strip()
    return find_zone(named.removeprefix(":")) or UTC
