"""Orders and hours, end to end, on real processes: what an admin wants is what the door does."""

import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.building import PASSWORD, Building, built
from tests.support.waiting import eventually_sync

soon = partial(eventually_sync, seconds=60, every=0.1)


@pytest.fixture
def building(tmp_path: Path, empty_database_url: str) -> Iterator[Building]:
    with built(tmp_path, empty_database_url) as whole:
        yield whole


Page = Callable[..., str]


@pytest.fixture
def page(building: Building) -> Page:
    """Asks for a path as an admin's browser would; with fields, sends them. Gives the words."""
    visit = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def asked(path: str, **fields: str) -> str:
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with visit.open(f"{building.console.url}{path}", data, timeout=20) as answer:
                text = answer.read().decode()
        except HTTPError as error:
            text = error.read().decode()
        return " ".join(re.sub("<[^>]*>", " ", text).split())

    asked("/login", username="boss", password=PASSWORD)
    return asked


def state(building: Building) -> str:
    return str(building.controller.status()["points"]["front"]["state"])


def test_a_door_that_is_locked_down_lets_nobody_in_until_it_is_set_back(
    building: Building, page: Page
):
    said = page("/doors/front/orders", operation="lockdown")
    assert "Locked down: nobody gets in until it is set back. It took" in said
    assert state(building) == "lockdown"
    soon(lambda: "Locked down" in page("/doors/front"))
    building.controller.tap(building.KARIS_CARD)
    soon(lambda: building.accesses() == ["access_denied"])
    assert not building.controller.has_opened()
    assert "Kari was refused Locked down." in page("/doors/front")

    assert "Back to normal" in page("/doors/front/orders", operation="lock")
    soon(lambda: state(building) == "locked")
    soon(
        lambda: building.controller.has_opened() or building.controller.tap(building.KARIS_CARD),
        every=2,
    )
    assert building.sql("SELECT operation, result FROM access.command ORDER BY counter") == [
        ("lockdown", "executed"),
        ("lock", "executed"),
    ]
    soon(lambda: "Boss locked it down from the console" in page("/doors/front"))
    assert "access_granted" in building.accesses()
    soon(lambda: len(building.openings()) == building.accesses().count("access_granted"))
    assert {door for door, _, _ in building.openings()} == {"front"}


def test_a_door_stands_unlocked_for_everybody_until_it_is_set_back(building: Building, page: Page):
    assert "Unlocked for everybody for 15 min" in page(
        "/doors/front/orders", operation="unlock_until", minutes="15"
    )
    soon(building.controller.has_opened)
    for path in ("/doors/front", "/doors", "/"):
        told = r"Unlocked for everybody until (today|tomorrow) \d\d:\d\d"
        soon(lambda at=path, told=told: re.search(told, page(at)))
    soon(lambda: "It stands unlocked for everybody By an order." in page("/doors/front"))
    page("/doors/front/orders", operation="lock")
    soon(lambda: building.controller.relay_changes() == ["on", "off"])
    soon(lambda: "It is locked again" in page("/doors/front"))
    assert building.openings() == [], "nobody in particular came in"


def test_a_door_stands_open_in_its_weekly_hours_and_no_longer(building: Building, page: Page):
    now = datetime.now(UTC)
    today, tomorrow = (f"{now + timedelta(days=days):%a}".lower() for days in (0, 1))
    building.console.run(
        *("doors", "set", "front", "--open-hours"),
        f"{today} 00:00-24:00, {tomorrow} 00:00-24:00",
    )
    soon(building.controller.has_opened)
    soon(lambda: "By its hours." in page("/doors/front"))
    building.console.run("doors", "set", "front", "--open-hours", "none")
    soon(lambda: building.controller.relay_changes() == ["on", "off"])
