"""One search: by anything, for each what she may see, and never a card's number in a log."""

import re
from dataclasses import dataclass

import pytest

from sync.credential import parse_credential, site_digest
from tests.support import makerspace
from tests.support.console_app import SALT, Client, Site, admin, member

NUMBER = "0102345678"
HTMX = {"HX-Request": "true"}


@dataclass
class House:
    """Kari has a card, a phone and an e-mail address; there is one of everything else."""

    site: Site
    kari: int

    async def found(self, client: Client, text: str) -> set[str]:
        """The paths to which it leads."""
        answer = await client.get("/search", params={"q": text}, headers=HTMX)
        assert answer.status == 200
        return set(re.findall(r'href="(/[^"]*)"', await answer.text()))

    async def straight(self, client: Client, text: str) -> str | None:
        answer = await client.get("/search", params={"q": text}, allow_redirects=False)
        return answer.headers.get("Location")


@pytest.fixture
async def house(site: Site) -> House:
    connection = site.connection
    await admin(connection, "ola")
    await member(connection, "lise", name="Lise Lab")
    kari = await member(connection, "kari", name="Kari Nordmann")
    await connection.execute(
        "update account set email = 'kn@mail.example', phone = '+47 912 73 645' where id = %s",
        [kari],
    )
    digest = site_digest(parse_credential(f"em4100:{NUMBER}"), SALT)
    await makerspace.card(connection, account=kari, site_digest=digest, label="blue fob")
    await makerspace.controller(connection)
    await makerspace.door(connection)
    laser = await makerspace.tool(connection, name="Laser")
    await makerspace.tool_point(connection, tool=laser, key="laser")
    await makerspace.company(connection, name="Acme AS")
    return House(site, kari)


async def test_an_admin_finds_everything_by_anything(house: House):
    ola = await house.site.browser("ola")
    person = f"/members/{house.kari}"
    for text in (
        "nordm",
        "KARI",
        "kn@mail",
        "91273645",
        "912 73",
        "blue",
        NUMBER,
        f"em4100:{NUMBER}",
    ):
        assert person in await house.found(ola, text), text
    assert "/doors/front" in await house.found(ola, "front d")
    assert "/controllers/front-pi" in await house.found(ola, "front-pi")
    assert any(path.startswith("/tools/") for path in await house.found(ola, "las"))
    assert "/circles/2" in await house.found(ola, "door")
    text = await (await ola.get("/search?q=acme")).text()
    assert "Acme AS" in text


async def test_a_member_finds_names_and_her_own_cards_only(house: House):
    lise = await house.site.browser("lise")
    assert await house.found(lise, "nordm") == {f"/members/{house.kari}"}
    for text in ("kn@mail", "91273645", "blue", NUMBER, f"em4100:{NUMBER}", "front-pi"):
        assert await house.found(lise, text) == set(), text
        assert await house.straight(lise, text) is None
    assert await house.found(lise, "front door") == {"/"}, "where she opens it"
    kari = await house.site.browser("kari")
    assert await house.found(kari, "blue") == {"/me"}


async def test_a_card_number_and_a_user_name_lead_straight_there(house: House):
    ola = await house.site.browser("ola")
    person = f"/members/{house.kari}"
    assert await house.straight(ola, NUMBER) == person
    assert await house.straight(ola, f"em4100:{NUMBER}") == person
    assert await house.straight(ola, "Kari") == person
    assert await house.straight(ola, "kar") is None
    await makerspace.tool(house.site.connection, name="Kari")
    assert await house.straight(ola, "kari") is None


async def test_what_is_retired_is_not_found(house: House):
    ola = await house.site.browser("ola")
    await house.site.connection.execute("update access.door set retired_at = now()")
    assert await house.found(ola, "front door") == set()


async def test_of_each_group_eight_are_shown(house: House):
    for n in range(9):
        await member(house.site.connection, f"twin{n}", name=f"Twin {n}")
        await makerspace.circle(house.site.connection, name=f"Twins {n}")
    ola = await house.site.browser("ola")
    paths = await house.found(ola, "twin")
    assert len([path for path in paths if path.startswith("/members/")]) == 8
    assert {"/members?q=twin", "/circles"} <= paths


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "%",
        "_",
        "\\",
        "'",
        "\u0301",
        "'; --",
        "x" * 5000,
        "\u202e",
        "é\u0301q",
        "((",
        "em4100:",
        "0" * 20,
    ],
    ids=ascii,
)
async def test_whatever_is_typed_is_answered(house: House, text: str):
    ola = await house.site.browser("ola")
    for headers in ({}, HTMX):
        answer = await ola.get("/search", params={"q": text}, headers=headers)
        assert answer.status == 200
    assert await house.found(ola, text) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Anne Sørensen", "sorensen"),
        ("Anne Sørensen", "SØREN ann"),
        ("Anne Sørensen", "SO\u0308rensen"),
        ("Aino Mäkelä", "makela aino"),
        ("Ægir Þórsson", "aegir thorsson"),
        ("Nguyễn Văn An", "nguyen van"),
        ("Đặng Łukasz", "dang luk"),
        ("Aoife O'Connor", "oconnor"),
        ("Aoife O'Connor", "o\u2019connor"),
        ("Aoife O\u00b4Connor", "o'conn"),
    ],
)
async def test_a_name_is_found_without_its_accents_and_in_any_order_of_its_words(
    house: House, name: str, text: str
):
    person = await member(house.site.connection, "someone", name=name)
    ola = await house.site.browser("ola")
    assert await house.found(ola, text) == {f"/members/{person}"}
    page = await (await ola.get("/members", params={"q": text})).text()
    assert f'href="/members/{person}"' in page
    assert "Kari Nordmann" not in page


@pytest.mark.parametrize(
    "name",
    ["50%", "a_b", "back\\slash", "Straße", "\ufb01re", "東京", "ΩΜΈΓΑ", "Ǆ", "ÞÆØÅ", "Ivan İ"],
)
async def test_whatever_somebody_is_called_she_is_found_by_it(house: House, name: str):
    for asked in (name, name.upper(), f"x {name}"):
        cursor = await house.site.connection.execute(
            "select access.folded(%(name)s) like all (access.patterns(%(asked)s)),"
            " access.folded('Y') like all (access.patterns(%(asked)s))",
            {"name": f"X {name}", "asked": asked},
        )
        assert await cursor.fetchone() == (True, False), asked


async def test_names_are_text_and_not_markup(house: House):
    await member(house.site.connection, "bold", name="<b>Bold</b>")
    ola = await house.site.browser("ola")
    text = await (await ola.get("/search", params={"q": "bold"}, headers=HTMX)).text()
    assert "&lt;b&gt;Bold&lt;/b&gt;" in text


async def test_what_was_typed_is_in_no_log(house: House, capfd: pytest.CaptureFixture[str]):
    ola = await house.site.browser("ola")
    await ola.get("/search", params={"q": NUMBER}, headers=HTMX)
    await ola.get("/search", params={"q": NUMBER})
    said = "".join(capfd.readouterr())
    assert "route=/search" in said
    assert NUMBER not in said


async def test_the_field_stands_on_every_page_and_works_without_a_script(house: House):
    lise = await house.site.browser("lise")
    text = await (await lise.get("/tools")).text()
    assert 'action="/search" method="get"' in text
    assert 'value="las"' in await (await lise.get("/search?q=las")).text()


async def test_without_a_log_in_nothing_is_found(house: House):
    nobody = await house.site.browser()
    answer = await nobody.get("/search?q=kari", allow_redirects=False)
    assert answer.headers["Location"].startswith("/login")
