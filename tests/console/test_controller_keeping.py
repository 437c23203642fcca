"""Controllers on pages: enrolled, replaced, retired; the bundle is fetched once."""

from dataclasses import dataclass

import pytest

from console.controllers.queries import broker_password_hash
from console.controllers.waiting_bundles import KEPT_MAX, KEPT_SECONDS, WaitingBundles
from console.link.broker_password import verify_password
from sync.bundle import Bundle, decode_bundle
from sync.ids import ControllerId
from sync.signing import public_key
from tests.support import makerspace
from tests.support.console_app import IDENTITY, Client, Site, admin

NEW = {"name": "front-pi", "broker": "mqtts://console.example.org"}
FRONT = "/controllers/front-pi"


@dataclass
class House:
    """Ola is an admin, and so is Anne."""

    site: Site
    client: Client

    async def enrolled(self) -> Bundle:
        """A new controller, and its bundle."""
        answer = await self.client.post("/controllers/_new", data=NEW, allow_redirects=False)
        assert answer.headers["Location"] == f"{FRONT}/bundle"
        return await self.fetched()

    async def fetched(self) -> Bundle:
        return decode_bundle(await (await self.client.post(f"{FRONT}/bundle")).read())

    async def version(self) -> str:
        text = await (await self.client.get(FRONT)).text()
        return text.split('name="version" value="')[1].split('"')[0]

    async def public_key(self) -> bytes | None:
        cursor = await self.site.connection.execute("select public_key from access.controller")
        rows = await cursor.fetchall()
        assert len(rows) == 1
        return rows[0][0]


@pytest.fixture
async def house(site: Site) -> House:
    await admin(site.connection, "ola")
    await admin(site.connection, "anne")
    return House(site, await site.browser("ola"))


async def test_a_new_controller_gets_keys_and_its_bundle_is_fetched_once(house: House):
    answer = await house.client.post("/controllers/_new", data=NEW)
    text = await answer.text()
    assert answer.status == 200
    assert "p2k16-edge import front-pi.json" in text
    assert "mqtts://console.example.org:8883" in text
    file = await house.client.post(f"{FRONT}/bundle")
    assert file.headers["Content-Disposition"] == 'attachment; filename="front-pi.json"'
    assert file.headers["Cache-Control"] == "no-store"
    bundle = decode_bundle(await file.read())
    assert bundle.controller == "front-pi"
    assert bundle.site_salt == IDENTITY.site_salt
    assert bundle.root_public_key == IDENTITY.root_public_key
    assert await house.public_key() == public_key(bundle.private_key)
    stored = await broker_password_hash(house.site.connection, controller="front-pi")
    assert stored is not None
    assert verify_password(bundle.broker_password, stored)
    again = await house.client.post(f"{FRONT}/bundle")
    assert again.status == 400
    assert "was fetched already" in await again.text()
    assert "Nothing is waiting here" in await (await house.client.get(f"{FRONT}/bundle")).text()


async def test_a_bundle_is_for_whoever_made_it(house: House):
    await house.client.post("/controllers/_new", data=NEW)
    anne = await house.site.browser("anne")
    assert (await anne.post(f"{FRONT}/bundle")).status == 400
    assert (await house.fetched()).controller == "front-pi"


async def test_no_page_and_no_row_holds_a_private_key(house: House):
    await house.client.post("/controllers/_new", data=NEW)
    pages = [await (await house.client.get(path)).text() for path in (FRONT, f"{FRONT}/bundle")]
    bundle = await house.fetched()
    cursor = await house.site.connection.execute(
        "select a::text from access.audit a union all select c::text from access.controller c"
    )
    for text in (*pages, *[row[0] for row in await cursor.fetchall()]):
        assert bundle.private_key.hex() not in text
        assert bundle.broker_password not in text


async def test_a_form_sent_twice_gives_one_set_of_keys(house: House):
    for _ in range(2):
        answer = await house.client.post("/controllers/_new", data=NEW, allow_redirects=False)
        assert answer.headers["Location"] == f"{FRONT}/bundle"
    first = await house.fetched()
    assert await house.public_key() == public_key(first.private_key)
    fields = {"version": await house.version(), "broker": ""}
    for _ in range(2):
        answer = await house.client.post(
            f"{FRONT}/enrolment", data={**fields, "broker": NEW["broker"]}, allow_redirects=False
        )
        assert answer.headers["Location"] == f"{FRONT}/bundle"
    second = await house.fetched()
    assert await house.public_key() == public_key(second.private_key) != first.private_key


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "1 to 32 of a-z, 0-9 and -"),
        ({"name": "Front Pi"}, "1 to 32 of a-z, 0-9 and -"),
        ({"broker": "console.example.org"}, "An address such as mqtts://console.example.org"),
        ({"broker": "mqtt://" + "x" * 400}, "An address such as"),
    ],
    ids=["no name", "no id", "no url", "long"],
)
async def test_what_is_wrong_stands_beside_its_field(
    house: House, fields: dict[str, str], words: str
):
    answer = await house.client.post("/controllers/_new", data={**NEW, **fields})
    assert answer.status == 422
    assert words in await answer.text()
    cursor = await house.site.connection.execute("select from access.controller")
    assert cursor.rowcount == 0


async def test_a_name_that_is_taken_keeps_its_keys(house: House):
    bundle = await house.enrolled()
    answer = await house.client.post("/controllers/_new", data=NEW)
    assert answer.status == 422
    assert "There is a controller with this name already" in await answer.text()
    assert await house.public_key() == public_key(bundle.private_key)


async def test_new_keys_lock_the_old_ones_out_and_keep_the_doors(house: House):
    old = await house.enrolled()
    await makerspace.door(house.site.connection)
    text = await (await house.client.get(FRONT)).text()
    assert "Whoever has the old keys is refused from then on" in text
    assert "What it has recorded and not sent yet is on its SD card" in text
    fields = {"version": await house.version(), "broker": "mqtt://10.0.0.5"}
    await house.client.post(f"{FRONT}/enrolment", data=fields)
    new = await house.fetched()
    assert new.broker_url == "mqtt://10.0.0.5:1883"
    assert await house.public_key() == public_key(new.private_key) != public_key(old.private_key)
    stored = await broker_password_hash(house.site.connection, controller="front-pi")
    assert stored is not None
    assert not verify_password(old.broker_password, stored)


async def test_a_stale_form_gives_no_keys(house: House):
    old = await house.enrolled()
    fields = {"version": "0000", "broker": "mqtt://10.0.0.5"}
    answer = await house.client.post(f"{FRONT}/enrolment", data=fields)
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in await answer.text()
    assert await house.public_key() == public_key(old.private_key)


async def test_a_controller_with_a_door_is_not_retired(house: House):
    await house.enrolled()
    await makerspace.door(house.site.connection)
    tool = await makerspace.tool(house.site.connection, name="Laser")
    await makerspace.tool_point(house.site.connection, tool=tool, key="laser")
    assert f'action="{FRONT}/retirement"' not in await (await house.client.get(FRONT)).text()
    answer = await house.client.post(f"{FRONT}/retirement")
    assert answer.status == 422
    assert "Something hangs there: Front door, Laser." in await answer.text()
    assert await house.public_key() is not None


async def test_a_retired_controller_is_believed_nothing_until_it_is_enrolled_again(house: House):
    await house.enrolled()
    for _ in range(2):
        answer = await house.client.post(f"{FRONT}/retirement", allow_redirects=False)
        assert answer.headers["Location"] == "/controllers"
    assert await house.public_key() is None
    assert await broker_password_hash(house.site.connection, controller="front-pi") is None
    assert "Retired since" in await (await house.client.get(FRONT)).text()
    assert f'href="{FRONT}"' in await (await house.client.get("/controllers")).text()
    answer = await house.client.post("/controllers/_new", data=NEW)
    assert "A retired controller has this name" in await answer.text()
    text = await (await house.client.get("/doors/_new")).text()
    assert "front-pi" not in text
    fields = {"version": await house.version(), "broker": NEW["broker"]}
    await house.client.post(f"{FRONT}/enrolment", data=fields)
    assert await house.public_key() == public_key((await house.fetched()).private_key)
    assert "front-pi" in await (await house.client.get("/doors/_new")).text()


async def test_controllers_that_there_are_none_of_are_not_found(house: House):
    for path in ("", "/bundle"):
        assert (await house.client.get(f"/controllers/attic-pi{path}")).status == 404
    for path in ("enrolment", "retirement"):
        data = {"broker": NEW["broker"]}
        assert (await house.client.post(f"/controllers/attic-pi/{path}", data=data)).status == 404


def test_a_bundle_waits_for_a_while_and_not_beside_too_many():
    now = [0.0]
    bundles = WaitingBundles(now=lambda: now[0])

    def made(name: str) -> Bundle:
        return Bundle(
            controller=ControllerId(name),
            private_key=b"p" * 32,
            entry_key=b"e" * 32,
            site_salt=b"s" * 16,
            root_public_key=b"r" * 32,
            sealing_public_key=b"s" * 32,
            broker_url="mqtt://localhost:1883",
            broker_username=name,
            broker_password="secret",
            prefix="p2k16",
        )

    for n in range(KEPT_MAX + 1):
        bundles.put(made(f"pi-{n}"), account=7)
    assert bundles.waiting(ControllerId("pi-0"), account=7) is None
    assert bundles.waiting(ControllerId("pi-1"), account=7) == made("pi-1")
    assert bundles.take(ControllerId("pi-1"), account=8) is None
    now[0] = KEPT_SECONDS
    assert bundles.take(ControllerId("pi-1"), account=7) is None
