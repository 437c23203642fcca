"""Break-glass cards on pages: an admin marks a card on its owner's page."""

import re

import pytest

from console.cards.break_glass import set_break_glass
from console.database import Connection, Database
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def card(site: Site) -> int:
    """Of Kari, whom Ola is an admin to."""
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    return await makerspace.card(site.connection, account=kari, label="blue fob")


async def marked(connection: Connection) -> list[int]:
    cursor = await connection.execute("select card from access.break_glass_card order by slot")
    return [row[0] for row in await cursor.fetchall()]


async def owner(connection: Connection, card: int) -> int:
    cursor = await connection.execute("select account from access.card where id = %s", [card])
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def send(client: Client, card: int, mark: str, *, htmx: bool = False) -> tuple[int, str]:
    answer = await client.post(
        f"/cards/{card}/break-glass",
        data={"mark": mark},
        headers=HTMX if htmx else None,
        allow_redirects=False,
    )
    return answer.status, " ".join((await answer.text()).split())


async def fill(connection: Connection) -> list[int]:
    """Five cards of others have the mark."""
    cards: list[int] = []
    for slot in range(1, 6):
        account = await makerspace.account(connection, name=f"Keeper {slot}")
        cards.append(await makerspace.card(connection, account=account))
        await connection.execute(
            "insert into access.break_glass_card (slot, card) values (%s, %s)", [slot, cards[-1]]
        )
    return cards


async def test_an_admin_makes_a_card_one_and_an_ordinary_one_again(site: Site, card: int) -> None:
    ola = await site.browser("ola")
    path = f"/members/{await owner(site.connection, card)}"
    page = await (await ola.get(path)).text()
    assert "Make it a break-glass card" in page
    assert "At most 5 are" in page
    assert "i-alert" not in page.split('id="cards"')[1].split("</section>")[0]
    assert (await send(ola, card, "yes"))[0] == 303
    assert await marked(site.connection) == [card]
    page = await (await ola.get(path)).text()
    assert "break-glass</span>" in page
    assert "Make it an ordinary card" in page
    doors = await (await ola.get("/log/changes")).text()
    assert "made Kari Nordmann&#39;s card blue fob a break-glass card" in doors
    status, fragment = await send(ola, card, "no", htmx=True)
    assert (status, "break-glass</span>" in fragment) == (200, False)
    assert await marked(site.connection) == []


async def test_all_of_them_are_listed_with_the_doors(site: Site, card: int) -> None:
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    ola = await site.browser("ola")
    assert "None. A card is made one" in await (await ola.get("/doors")).text()
    await send(ola, card, "yes")
    page = await (await ola.get("/doors")).text()
    listed = page.split('id="break-glass"')[1].split("</section>")[0]
    assert "1 of 5" in listed
    assert "Kari Nordmann" in listed
    assert "blue fob" in listed
    assert '<a href="/doors#break-glass">' in await (await ola.get("/cards/unknown")).text()


async def test_sent_twice_or_too_late_it_does_no_harm(site: Site, card: int) -> None:
    ola = await site.browser("ola")
    assert [(await send(ola, card, "yes"))[0] for _ in range(2)] == [303, 303]
    assert await marked(site.connection) == [card]
    assert [(await send(ola, card, "no"))[0] for _ in range(2)] == [303, 303]
    assert await marked(site.connection) == []
    await site.connection.execute("update access.card set lost_at = now()")
    assert [(await send(ola, card, "yes", htmx=htmx))[0] for htmx in (False, True)] == [422, 422]
    assert await marked(site.connection) == [], "a card that was lost meanwhile"
    assert (await send(ola, 999_999, "yes"))[0] == 404
    assert (await send(ola, card, "perhaps"))[0] == 400


async def test_of_a_card_that_was_lost_meanwhile_the_page_says_so(site: Site, card: int) -> None:
    await site.connection.execute("update access.card set lost_at = now()")
    status, page = await send(await site.browser("ola"), card, "yes", htmx=True)
    assert status == 422
    assert "This card has been reported lost meanwhile: it opens nothing." in page


async def test_a_sixth_is_refused_and_names_the_five(site: Site, card: int) -> None:
    cards = await fill(site.connection)
    ola = await site.browser("ola")
    status, page = await send(ola, card, "yes", htmx=True)
    assert status == 422
    assert "There are 5 break-glass cards already, which is all: Keeper 1, Keeper 2" in page
    assert re.search(r'<details class="confirm" open>', page), "beside its button"
    assert await marked(site.connection) == cards
    await site.connection.execute("update access.card set lost_at = now() where id = %s", cards[:1])
    assert (await send(ola, card, "yes"))[0] == 303, "a lost one makes room"
    assert await marked(site.connection) == [card, *cards[1:]]


async def test_owners_see_the_mark_and_cannot_set_it(site: Site, card: int) -> None:
    kari = await site.browser("kari")
    assert (await send(kari, card, "yes"))[0] == 403
    assert "break-glass" not in await (await kari.get("/me")).text()
    await send(await site.browser("ola"), card, "yes")
    page = await (await kari.get("/me")).text()
    assert "break-glass</span>" in page
    assert "Make it an ordinary card" not in page
    assert (await send(kari, card, "no"))[0] == 403
    assert await marked(site.connection) == [card]


async def test_the_command_and_the_page_mean_the_same(
    site: Site, card: int, database: Database
) -> None:
    ola = await site.browser("ola")
    await set_break_glass(database, username="kari", card="blue fob", is_break_glass=True)
    page = await (await ola.get(f"/members/{await owner(site.connection, card)}")).text()
    assert "Make it an ordinary card" in page
    await send(ola, card, "no")
    assert await marked(site.connection) == []
