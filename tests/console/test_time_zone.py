"""Which time zone the space is in: what the settings say, else what the operating system says."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from console.settings import read_settings
from console.time_zone import system_zone
from sync.settings_table import SettingsError


def zone_of(site: dict[str, object], **environ: str) -> str:
    return str(read_settings({"site": site}, environ, source="test").site.time_zone)


def test_the_settings_name_it():
    assert zone_of({"time_zone": "Europe/Oslo"}, TZ="Asia/Tokyo") == "Europe/Oslo"
    assert zone_of({}, P2K16_SITE_TIME_ZONE="Europe/Oslo") == "Europe/Oslo"


def test_else_the_environment_does():
    assert zone_of({}, TZ="Europe/Oslo") == "Europe/Oslo"
    assert zone_of({}, TZ=":Europe/Oslo") == "Europe/Oslo"
    assert zone_of({}, TZ="") == "UTC"


@pytest.mark.parametrize("name", ["Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd"])
def test_a_zone_that_is_none_is_a_mistake(name: str):
    with pytest.raises(SettingsError, match=r"site\.time_zone"):
        zone_of({"time_zone": name})


def test_else_the_path_of_the_systems_zone_tells_it(tmp_path: Path):
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    oslo = tmp_path / "zoneinfo" / "Europe" / "Oslo"
    oslo.touch()
    link, name = tmp_path / "localtime", tmp_path / "timezone"
    link.symlink_to(oslo)
    assert system_zone(None, localtime=link, timezone=name) == ZoneInfo("Europe/Oslo")
    link.unlink()
    link.touch()
    name.write_text("Asia/Tokyo\n")
    assert system_zone(None, localtime=link, timezone=name) == ZoneInfo("Asia/Tokyo")
    name.unlink()
    assert system_zone(None, localtime=link, timezone=name) is UTC
