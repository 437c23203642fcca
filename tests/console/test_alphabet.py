"""The order of names in lists, in Python and in the database."""

from html import unescape

from console.alphabet import alphabetic
from tests.support.console_app import Site, admin, member

NORWEGIAN = [
    *("3D-rom", "anne", "Émile", "Eva", "ida", "Łukasz", "Lydia", "Oates", "O'Connor", "Zoë"),
    *("ægir", "Ærlend", "Ödön", "Øystein", "åse", "Åshild"),
]
LETTERS = [*(chr(point) for point in range(0x20, 0x250) if chr(point).isprintable()), *"ʼ‘’′"]


def test_the_norwegian_letters_come_last_and_accents_and_capitals_make_no_difference() -> None:
    backwards = NORWEGIAN[::-1]
    assert sorted(backwards, key=alphabetic) == NORWEGIAN


async def test_the_database_sorts_as_the_program_does(site: Site) -> None:
    cursor = await site.connection.execute(
        "select name, convert_from(access.alphabetic(name), 'UTF8') from unnest(%s::text[]) name",
        [[*NORWEGIAN, *LETTERS]],
    )
    assert await cursor.fetchall() == [(name, alphabetic(name)) for name in (*NORWEGIAN, *LETTERS)]


async def test_people_are_listed_in_that_order(site: Site) -> None:
    await admin(site.connection, "ola")
    for number, name in enumerate(reversed(NORWEGIAN)):
        await member(site.connection, f"x{number}", name=name)
    ola = await site.browser("ola")
    page = unescape(await (await ola.get("/members")).text())
    places = [page.index(f">{name}<") for name in NORWEGIAN]
    assert places == sorted(places)
