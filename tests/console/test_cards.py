"""Cards: assigned, labelled, lost, and found without an owner."""

import re
import secrets

import pytest

from console.cards.assignment import Assigned, ReadCard, assign, read_typed
from console.cards.card import clean_label
from console.cards.commands import assign_card
from console.database import Connection, Database
from console.errors import BadRequest
from sync.credential import parse_credential, site_digest
from tests.support import makerspace
from tests.support.console_app import SALT, Site, admin, member
from tests.support.recorded import event

HTMX = {"HX-Request": "true"}
NUMBER = "0A00B26E7B"
CREDENTIAL = f"em4100:{NUMBER}"
DIGEST = site_digest(parse_credential(CREDENTIAL), SALT)


async def cards(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute(
        "select account, label, lost_at is not null, site_digest from access.card order by id"
    )
    return await cursor.fetchall()


async def test_an_admin_assigns_a_card_by_its_number(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    client = await site.browser("ola")
    answer = await client.post(
        f"/members/{kari}/cards", data={"credential": CREDENTIAL, "label": " blue   fob\n"}
    )
    assert answer.status == 200
    assert "blue fob" in await answer.text()
    assert await cards(site.connection) == [(kari, "blue fob", False, DIGEST)]


async def test_a_card_that_somebody_has_names_her_and_stays_hers(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    anne = await member(site.connection, "anne")
    await makerspace.card(site.connection, account=kari, site_digest=DIGEST)
    client = await site.browser("ola")
    for person, words in ((anne, "mark it lost there first"), (kari, "already")):
        answer = await client.post(
            f"/members/{person}/cards",
            data={"credential": CREDENTIAL, "label": "mine"},
            headers=HTMX,
        )
        text = await answer.text()
        assert answer.status == 422
        assert "Kari Nordmann&#39;s" in text
        assert words in text
        assert 'value="mine"' in text, "what was typed is kept"
        assert NUMBER not in text, "but never a card's number"
    assert len(await cards(site.connection)) == 1


@pytest.mark.parametrize(
    "typed",
    ["", NUMBER, "em4100:", "em4100:01", "em4100:01023456789", "fob:0102345678", "em4100:é"],
)
async def test_what_is_no_number_says_what_was_expected(site: Site, typed: str) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    kari = await member(site.connection, "kari")
    answer = await client.post(f"/members/{kari}/cards", data={"credential": typed})
    text = await answer.text()
    assert answer.status == 422
    assert "Not a card&#39;s number" in text
    assert not typed or f'value="{typed}"' not in text
    assert await cards(site.connection) == []


async def test_the_random_number_of_a_phone_is_nobodys(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    client = await site.browser("ola")
    answer = await client.post(
        f"/members/{kari}/cards", data={"credential": "iso14443a:08A1B2C3"}, headers=HTMX
    )
    text = await answer.text()
    assert answer.status == 422
    assert "phones and passports" in text
    assert "A1B2C3" not in text
    assert await cards(site.connection) == []


async def test_a_lost_card_can_be_given_to_somebody_else(site: Site) -> None:
    await admin(site.connection, "ola")
    kari, anne = await member(site.connection, "kari"), await member(site.connection, "anne")
    card = await makerspace.card(site.connection, account=kari, site_digest=DIGEST)
    client = await site.browser("ola")
    answer = await client.post(f"/cards/{card}/loss", headers=HTMX)
    assert answer.status == 200
    assert "lost since" in await answer.text()
    await client.post(f"/members/{anne}/cards", data={"credential": CREDENTIAL})
    assert await cards(site.connection) == [(kari, "", True, DIGEST), (anne, "", False, DIGEST)]


async def test_the_card_of_a_deleted_account_can_be_given_to_somebody(
    site: Site,
) -> None:
    await admin(site.connection, "ola")
    gone = await makerspace.account(site.connection)
    await makerspace.card(site.connection, account=gone, site_digest=DIGEST)
    await site.connection.execute("delete from account where id = %s", [gone])
    anne = await member(site.connection, "anne")
    client = await site.browser("ola")
    answer = await client.post(f"/members/{anne}/cards", data={"credential": CREDENTIAL})
    assert answer.status == 200
    assert (await cards(site.connection))[-1] == (anne, "", False, DIGEST)


async def test_the_owner_labels_her_card_and_marks_it_lost(site: Site) -> None:
    kari = await member(site.connection, "kari")
    card = await makerspace.card(site.connection, account=kari)
    client = await site.browser("kari")
    page = await (await client.get("/me")).text()
    assert "Mark as lost" in page
    assert "Doors stop taking this card within a second" in page
    assert "Assign a card by its number" not in page
    version = re.search(r'name="version" value="(\w+)"', page)
    assert version is not None
    for _ in range(2):  # what is so already is no mistake
        answer = await client.post(
            f"/cards/{card}/label",
            data={"label": "green <fob>", "version": version[1]},
            allow_redirects=False,
        )
        assert answer.status == 303
    assert "green &lt;fob&gt;" in await (await client.get("/me")).text()
    answer = await client.post(f"/cards/{card}/loss", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/me/cards")
    cursor = await site.connection.execute("select lost_by, lost_at from access.card")
    first = await cursor.fetchone()
    assert first is not None
    assert first[0] == kari
    await client.post(f"/cards/{card}/loss")
    cursor = await site.connection.execute("select lost_by, lost_at from access.card")
    assert await cursor.fetchone() == first, "a second press changes nothing"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
async def test_a_label_that_somebody_else_gave_meanwhile_is_not_overwritten(
    site: Site, headers: dict[str, str]
) -> None:
    kari = await member(site.connection, "kari")
    card = await makerspace.card(site.connection, account=kari, label="blue fob")
    client = await site.browser("kari")
    page = await (await client.get("/me")).text()
    version = re.search(r'name="version" value="(\w+)"', page)
    assert version is not None
    await site.connection.execute("update access.card set label = 'red fob'")
    for sent in ({"version": version[1]}, {}):
        answer = await client.post(
            f"/cards/{card}/label", data={"label": "green fob", **sent}, headers=headers
        )
        text = await answer.text()
        assert answer.status == 422
        assert "Somebody changed this meanwhile" in text
        assert 'value="red fob"' in text
    assert (await cards(site.connection))[0][1] == "red fob"


async def test_somebody_elses_card_is_as_if_it_did_not_exist(site: Site) -> None:
    kari = await member(site.connection, "kari")
    await member(site.connection, "anne")
    card = await makerspace.card(site.connection, account=kari, label="blue fob")
    client = await site.browser("anne")
    for path in (f"/cards/{card}/loss", f"/cards/{card}/label", "/cards/999999999999999999/loss"):
        assert (await client.post(path, data={"label": "x"})).status == 404
    assert (await cards(site.connection))[0][1:3] == ("blue fob", False)
    assert "blue fob" not in await (await client.get(f"/members/{kari}")).text()
    answer = await client.post(f"/members/{kari}/cards", data={"credential": CREDENTIAL})
    assert answer.status == 403


async def test_an_unknown_card_is_assigned_by_typing_a_name(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    digest = secrets.token_bytes(16)
    await event(site.connection, kind="access_denied", seconds_ago=500, site_digest=digest)
    latest = await event(site.connection, kind="access_denied", seconds_ago=40, site_digest=digest)
    client = await site.browser("ola")
    page = await (await client.get("/cards/unknown")).text()
    assert "Seen at Front door" in page
    assert "40 s ago" in page
    assert "2 taps" in page
    assert page.count("Whose is it?") == 1
    assert digest.hex() not in page
    answer = await client.post(
        f"/cards/unknown/{latest}/assignment",
        data={"username": "kari nordmann", "label": "new"},
        headers=HTMX,
    )
    text = await answer.text()
    assert answer.status == 200
    assert "Kari Nordmann" in text
    assert "Whose is it?" not in text
    assert await cards(site.connection) == [(kari, "new", False, digest)]


async def test_a_mistyped_name_keeps_the_unknown_card_and_what_was_typed(site: Site) -> None:
    await admin(site.connection, "ola")
    await makerspace.controller(site.connection)
    tap = await event(site.connection, kind="access_denied", site_digest=secrets.token_bytes(16))
    client = await site.browser("ola")
    answer = await client.post(
        f"/cards/unknown/{tap}/assignment", data={"username": "krai", "label": "new"}
    )
    text = await answer.text()
    assert answer.status == 422
    assert "Nobody is called “krai”" in text
    assert 'value="krai"' in text
    assert 'value="new"' in text
    assert await cards(site.connection) == []


async def test_only_taps_of_cards_that_nobody_has_are_offered(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.controller(site.connection)
    owned, lost = secrets.token_bytes(16), secrets.token_bytes(16)
    await makerspace.card(site.connection, account=kari, site_digest=owned)
    await makerspace.card(site.connection, account=kari, site_digest=lost, lost=True)
    taken = await event(site.connection, kind="access_denied", site_digest=owned)
    known = await event(site.connection, kind="access_granted", account=kari)
    found = await event(site.connection, kind="access_denied", site_digest=lost)
    client = await site.browser("ola")
    page = await (await client.get("/cards/unknown")).text()
    assert page.count("Whose is it?") == 1
    assert f"/cards/unknown/{found}/" in page
    assert "was Kari Nordmann's" in page
    for tap, words in (
        (taken, "Kari Nordmann&#39;s"),
        (known, "not one of an unknown card"),
        (10**17, "not one of an unknown card"),
    ):
        answer = await client.post(f"/cards/unknown/{tap}/assignment", data={"username": "ola"})
        assert answer.status == 422
        assert words in await answer.text()
    assert len(await cards(site.connection)) == 2


async def test_two_admins_at_once_give_a_card_to_one_person(database: Database) -> None:
    async with database.writing() as conn:
        kari = await makerspace.account(conn, username="kari")
        anne = await makerspace.account(conn, username="anne")
    card = ReadCard("em4100", DIGEST)
    async with database.writing() as first:
        done = await assign(first, card, account_id=kari, label="", actor_id=None)
    async with database.writing() as second:
        refused = await assign(second, card, account_id=anne, label="", actor_id=None)
    assert isinstance(done, Assigned)
    assert not isinstance(refused, Assigned)
    assert refused.username == "kari"


async def test_the_command_assigns_a_card(database: Database, connection: Connection) -> None:
    kari = await makerspace.account(connection, username="Kari", name="Anne")
    await assign_card(database, SALT, username="kari", credential_text=CREDENTIAL, label="blue fob")
    assert await cards(connection) == [(kari, "blue fob", False, DIGEST)]
    cursor = await connection.execute("select created_by from access.card")
    assert await cursor.fetchone() == (makerspace.SYSTEM,)
    for username, credential, words in (
        ("kari", CREDENTIAL, "is Kari's already"),
        ("Anne", "em4100:0A00B26E7C", "No such account: Anne"),
        ("nobody", "em4100:0A00B26E7C", "No such account: nobody"),
        ("system", "em4100:0A00B26E7C", "No such account: system"),
        ("kari", NUMBER, "TYPE:HEX"),
        ("kari", "iso14443a:08A1B2C3", "phones and passports"),
    ):
        with pytest.raises(BadRequest, match=words) as caught:
            await assign_card(
                database, SALT, username=username, credential_text=credential, label=""
            )
        assert NUMBER[:-1] not in str(caught.value)


async def test_what_was_read_never_shows_in_a_log() -> None:
    read = await read_typed(CREDENTIAL, site_salt=SALT)
    assert isinstance(read, ReadCard)
    assert repr(read) == "ReadCard(em4100)"


@pytest.mark.parametrize(
    ("typed", "label"),
    [("  a \t b\n", "a b"), ("\u202edrac", "drac"), ("blå", "blå")],
)
def test_a_label_is_one_line(typed: str, label: str) -> None:
    assert clean_label(typed) == label


async def test_a_label_that_is_too_long_is_refused_beside_what_was_typed(site: Site) -> None:
    kari, long = await member(site.connection, "kari"), "x" * 101
    await admin(site.connection, "ola")
    await makerspace.controller(site.connection)
    card = await makerspace.card(site.connection, account=kari, label="fob")
    seen = await event(site.connection, kind="access_denied", site_digest=b"\x01" * 32)
    browser = await site.browser("ola")
    number = {"credential": CREDENTIAL, "username": "kari", "label": long}
    for path in (
        f"/cards/unknown/{seen}/assignment",
        f"/members/{kari}/cards",
        f"/cards/{card}/label",
    ):
        answer = await browser.post(path, data=number)
        words = await answer.text()
        assert (answer.status, "Label: At most 100 characters." in words) == (422, True), path
        assert long in words, path
    labels = await site.connection.execute("select label from access.card")
    assert await labels.fetchall() == [("fob",)]
