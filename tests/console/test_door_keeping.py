"""Doors on pages: added, changed, retired, brought back; each shown before it is saved."""

from dataclasses import dataclass

import pytest

from console.rights import queries as rights
from sync.ids import PointKey
from sync.rights import Assurance
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member, see_and_save

HTMX = {"HX-Request": "true"}
NEW = {
    "key": "back",
    "name": "Back door",
    "driver": "controller",
    "controller": "front-pi",
    "topic": "",
    "open_seconds": "7",
    "open_hours": "tue 18:00-22:00",
    "soft_hours": "12",
    "hard_days": "3",
    "min_assurance": "0",
    "circle-2": "on",
}


@dataclass
class House:
    """A front door for the circle `door`; Kari, who pays, is in it; Ola is an admin."""

    site: Site
    client: Client

    async def keys(self) -> set[str]:
        """Of the doors that count."""
        return {door.key for door in await rights.doors(self.site.connection)}

    async def change(self, **fields: str) -> dict[str, str]:
        """The form of the front door, with some fields changed."""
        text = await (await self.client.get("/doors/front/change")).text()
        version = text.split('name="version" value="')[1].split('"')[0]
        return {
            "version": version,
            "name": "Front door",
            "driver": "controller",
            "controller": "front-pi",
            "topic": "",
            "open_seconds": "5",
            "open_hours": "",
            "soft_hours": "24",
            "hard_days": "7",
            "min_assurance": "0",
            **fields,
        }


@pytest.fixture
async def house(site: Site) -> House:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=kari)
    await makerspace.circle_member(site.connection, account=kari)
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    return House(site, await site.browser("ola"))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_a_new_door_shows_who_gets_it_and_is_then_made(house: House, headers: dict[str, str]):
    preview = await house.client.post("/doors/_new", data=NEW, headers=headers)
    assert "<strong>Kari Nordmann</strong>: Back door" in await preview.text()
    assert await house.keys() == {"front"}
    answer = await see_and_save(house.client, "/doors/_new", data=NEW, headers=headers)
    assert answer.headers["HX-Redirect" if headers else "Location"] == "/doors/back"
    (door,) = await rights.doors(house.site.connection, key=PointKey("back"))
    assert door.controller == "front-pi"
    assert door.open_seconds == 7
    assert door.circles == {2}
    assert door.demands.soft_seconds == 12 * 3600
    assert door.demands.hard_seconds == 3 * 86400
    assert [(hours.weekday, hours.opens_minute) for hours in door.open_hours] == [(2, 1080)]
    assert (await house.client.get("/doors/back")).status == 200


async def test_a_door_sent_twice_is_made_once(house: House):
    for _ in range(2):
        answer = await see_and_save(house.client, "/doors/_new", data=NEW)
        assert answer.headers["Location"] == "/doors/back"
    assert await house.keys() == {"front", "back"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("key", "Back!", "1 to 32 of a-z, 0-9 and -"),
        ("key", "front", "“Front door” has this key already"),
        ("name", "", "1 to 100 characters"),
        ("name", "x" * 101, "1 to 100 characters"),
        ("open_seconds", "301", "1 to 300"),
        ("open_seconds", "½", "A whole number"),
        ("driver", "magic", "One of controller, dlock, mqtt"),
        ("driver", "mqtt", "A door that is moved by MQTT needs one"),
        ("controller", "", "A door that a controller moves needs one"),
        ("controller", "attic-pi", "Choose a controller that is in use"),
        ("open_hours", "tue 18", "isn&#39;t like “tue 18:00-22:00”"),
        ("soft_hours", "0", "1 to 2160"),
        ("soft_hours", "100", "The soft limit, 100 hours, would be above the hard one, 72 hours"),
        ("hard_days", "", "A whole number"),
        ("min_assurance", "3", "0 to 2"),
        ("circle-2", "", ""),
        ("circle-999", "on", "Choose the circles whose paying members may open it"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    house: House, field: str, value: str, words: str
):
    answer = await house.client.post("/doors/_new", data={**NEW, field: value}, headers=HTMX)
    text = await answer.text()
    if not words:
        assert answer.status == 200
        return
    assert answer.status == 422
    assert words.replace("paying ", "") in text
    if field != "name":
        assert 'value="Back door"' in text
    assert await house.keys() == {"front"}


async def test_without_a_circle_nothing_is_made(house: House):
    fields = {name: value for name, value in NEW.items() if name != "circle-2"}
    answer = await house.client.post("/doors/_new", data=fields)
    assert answer.status == 422
    assert "Choose the circles whose members may open it" in await answer.text()


async def test_a_change_that_takes_nothing_away_is_saved_at_once(house: House):
    fields = await house.change(name="Main door", open_seconds="9", hard_days="8")
    for _ in range(2):
        answer = await house.client.post("/doors/front/change", data=fields, allow_redirects=False)
        assert answer.status == 303
    text = await (await house.client.get("/doors/front")).text()
    assert "Main door" in text
    assert "<dd>9 s</dd>" in text


async def test_hours_in_which_everybody_gets_in_are_shown_before_they_are_saved(house: House):
    fields = await house.change(open_hours="sat 12:00-16:00")
    text = await (await house.client.post("/doors/front/change", data=fields)).text()
    assert "<strong>Front door</strong>: stands unlocked sat 12:00-16:00" in text
    (door,) = await rights.doors(house.site.connection)
    assert not door.open_hours
    answer = await see_and_save(house.client, "/doors/front/change", data=fields)
    assert answer.headers["Location"] == "/doors/front"
    assert "sat 12:00-16:00" in await (await house.client.get("/doors/front")).text()
    fields = await house.change(open_hours="")
    text = await (await house.client.post("/doors/front/change", data=fields)).text()
    assert "stands unlocked no more at any hour" in text


async def test_a_change_that_keeps_somebody_out_is_shown_first(house: House):
    fields = await house.change(min_assurance="2", requires_fresh="on")
    text = await (await house.client.post("/doors/front/change", data=fields)).text()
    assert "Can no longer use" in text
    assert "<strong>Kari Nordmann</strong>: Front door" in text
    answer = await see_and_save(house.client, "/doors/front/change", data=fields)
    assert answer.headers["Location"] == "/doors/front"
    (door,) = await rights.doors(house.site.connection)
    assert door.demands.min_assurance is Assurance.MUTUAL_AUTHENTICATION
    assert door.demands.requires_fresh


async def test_a_door_moves_from_a_controller_to_the_old_hardware(house: House):
    # What only a controller needs is out of sight by then, and left as it was typed.
    fields = await house.change(driver="mqtt", topic="front", soft_hours="2", open_hours="soon")
    answer = await see_and_save(house.client, "/doors/front/change", data=fields)
    assert answer.headers["Location"] == "/doors/front"
    (door,) = await rights.doors(house.site.connection)
    assert door.controller is None
    assert door.open_hours == ()
    assert door.demands.soft_seconds == 24 * 3600
    assert 'value="front"' in await (await house.client.get("/doors/front/change")).text()

    fields = await house.change(topic="front")
    answer = await see_and_save(house.client, "/doors/front/change", data=fields)
    (door,) = await rights.doors(house.site.connection)
    assert door.controller == "front-pi"


async def test_a_stale_form_is_refused_and_shows_what_holds_now(house: House):
    fields = await house.change(open_seconds="9")
    await house.site.connection.execute("update access.door set name = 'Red door'")
    answer = await house.client.post("/doors/front/change", data=fields)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="Red door"' in text
    (door,) = await rights.doors(house.site.connection)
    assert door.open_seconds == 5


async def test_a_retired_door_opens_for_nobody_and_keeps_its_key(house: House):
    preview = await (await house.client.post("/doors/front/retirement")).text()
    assert "<strong>Kari Nordmann</strong>: Front door" in preview
    assert "It can be brought back" in preview
    assert await house.keys() == {"front"}
    for _ in range(2):
        answer = await see_and_save(house.client, "/doors/front/retirement")
        assert answer.headers["Location"] == "/doors"
    assert await house.keys() == set()
    for path in ("/doors/front", "/doors/front/change", "/doors/front/circles"):
        assert (await house.client.get(path)).status == 404
    kari = await house.site.browser("kari")
    assert (await kari.post("/doors/front/openings")).status == 404
    assert "Front door" not in await (await kari.get("/")).text()
    answer = await house.client.post("/doors/_new", data={**NEW, "key": "front"})
    assert answer.status == 422
    assert "“Front door”, which is retired, has this key" in await answer.text()


async def test_a_retired_door_comes_back_as_it_was(house: House):
    await see_and_save(house.client, "/doors/front/retirement")
    assert "/doors/front/return" in await (await house.client.get("/doors")).text()
    preview = await (await house.client.post("/doors/front/return")).text()
    assert "Can use from now on" in preview
    assert "<strong>Kari Nordmann</strong>: Front door" in preview
    for _ in range(2):
        answer = await see_and_save(house.client, "/doors/front/return")
        assert answer.headers["Location"] == "/doors/front"
    (door,) = await rights.doors(house.site.connection)
    assert door.circles == {2}


async def test_what_was_done_is_written_down(house: House):
    await see_and_save(house.client, "/doors/_new", data=NEW)
    await see_and_save(house.client, "/doors/back/retirement")
    cursor = await house.site.connection.execute(
        "select operation, doing from access.audit where place = 'access.door' order by id"
    )
    rows = await cursor.fetchall()
    assert rows[0] == ("added", "POST /doors/_new")
    assert rows[-1] == ("changed", "POST /doors/{door}/retirement")


async def test_doors_that_there_are_none_of_are_not_found(house: House):
    for path in ("change", "retirement", "return"):
        assert (await house.client.post(f"/doors/attic/{path}", data={})).status == 404
