"""The old API of badges. Source of shapes and texts: its contract, §4 and §7."""

from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse

from tests.support import makerspace
from tests.support.console_app import Client, Site, member

ERROR = "application/vnd.error+json"
CREATE = "/badge/create-badge"
UNSEEN = "title: one line is expected, of characters that can be seen"


@dataclass(slots=True)
class Space:
    """Ola certifies for `laser`, Kari doesn't; both are logged in."""

    site: Site
    ola_id: int
    kari_id: int
    ola: Client
    kari: Client
    laser: int


@pytest.fixture
async def space(site: Site) -> Space:
    ola_id, kari_id = await member(site.connection, "ola"), await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=ola_id, circle=6)
    cursor = await site.connection.execute(
        """
        insert into badge_description (created_at, created_by, updated_at, updated_by, title, slug,
          icon, color, description, certification_circle)
        values (now(), 3, now(), 3, 'laser', 'l', 'bolt', 'red', 'Certified', 6)
        returning id
        """
    )
    row = await cursor.fetchone()
    assert row is not None
    return Space(
        site, ola_id, kari_id, await site.browser("ola"), await site.browser("kari"), row[0]
    )


async def message(answer: ClientResponse, status: int) -> str:
    body = await answer.json(content_type=ERROR)
    assert (answer.status, list(body)) == (status, ["message"]), body
    return body["message"]


async def test_who_awards_a_badge_to_herself_gets_her_profile_with_it(space: Space) -> None:
    answer = await space.kari.post(CREATE, json={"title": "Solderer"})
    profile = await answer.json()
    assert answer.status == 200
    assert set(profile) == {"account", "avatar", "circles", "badges"}
    assert profile["account"]["email"] == "kari@example.org"
    ((key, badge),) = profile["badges"].items()
    assert key == str(badge["id"])
    assert (badge["account_id"], badge["account_username"]) == (space.kari_id, "kari")
    assert (badge["awarded_by_id"], badge["awarded_by_username"]) == (space.kari_id, "kari")
    assert (badge["createdBy"], badge["updatedBy"]) == ("kari", "kari")
    of_kari = await space.ola.get(f"/badge/badges-for-user/{space.kari_id}")
    assert await of_kari.json() == [badge]


async def test_who_awards_one_to_somebody_else_gets_her_own_profile(space: Space) -> None:
    answer = await space.ola.post(CREATE, json={"title": "laser", "recipient": "KARI"})
    profile = await answer.json()
    assert (profile["account"]["username"], profile["badges"]) == ("ola", {})
    (badge,) = await (await space.kari.get(f"/badge/badges-for-user/{space.kari_id}")).json()
    assert (badge["description_id"], badge["awarded_by_username"]) == (space.laser, "ola")


async def test_descriptions_come_by_id(space: Space) -> None:
    await space.kari.post(CREATE, json={"title": "  Cleaner "})
    found = await (await space.kari.get("/badge/badge-descriptions")).json()
    laser, cleaner = found.values()
    assert list(found) == [str(laser["id"]), str(cleaner["id"])]
    assert (
        laser
        | {
            "title": "laser",
            "slug": "l",
            "icon": "bolt",
            "color": "red",
            "description": "Certified",
            "certification_circle_id": 6,
            "createdBy": "system",
        }
        == laser
    )
    assert cleaner["title"] == "  Cleaner "
    assert cleaner["createdBy"] == "kari"
    nothing = ("slug", "icon", "color", "description", "certification_circle_id")
    assert [cleaner[key] for key in nothing] == [None] * 5


async def test_a_badge_that_the_old_web_app_let_be_called_otherwise_is_still_awarded(
    space: Space,
) -> None:
    title = "la\u200bser"
    await space.site.connection.execute(
        "update badge_description set title = %s where id = %s", [title, space.laser]
    )
    assert (await space.ola.post(CREATE, json={"title": title})).status == 200


async def test_the_newest_twenty_badges_are_recent(space: Space) -> None:
    for number in range(22):
        await space.kari.post(CREATE, json={"title": f"Badge {number % 3}"})
    recent = await (await space.kari.get("/badge/recent-badges")).json()
    ids = [badge["id"] for badge in recent]
    assert len(ids) == 20
    assert ids == sorted(ids, reverse=True)


async def test_nobody_has_no_badges(space: Space) -> None:
    for account in (space.ola_id, 999999):
        assert await (await space.kari.get(f"/badge/badges-for-user/{account}")).json() == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"title": "laser"}, "The awarder kari is not a valid certifier"),
        ({"title": "X", "recipient": "nobody"}, "No such username: nobody"),
        ({"title": ""}, "title: may not be empty"),
        ({"title": "x" * 2001}, "title: at most 2000 characters"),
        ({"title": "X", "recipient": "x" * 50_000}, f"No such username: {'x' * 200}…"),
        ({"title": "a\0b"}, "title: holds characters that are no text"),
        ({"title": "laser\u200b"}, UNSEEN),
        ({"title": "\u202eresal"}, UNSEEN),
        ({"title": "a\nb"}, UNSEEN),
        ({"title": "  "}, UNSEEN),
        ({"title": None}, "title: a text is expected"),
        ({}, "title: is missing"),
        ({"title": "T", "recipient": ""}, "recipient: may not be empty"),
        ({"title": "T", "recipient": None}, "recipient: a text is expected"),
        (
            {"title": "T", "extra": 1},
            "extra: there is no such key here; known: title, recipient",
        ),
    ],
)
async def test_a_badge_that_cant_be_is_not_awarded(
    space: Space, body: dict[str, object], words: str
) -> None:
    assert await message(await space.kari.post(CREATE, json=body), 400) == words
    assert list(await (await space.kari.get("/badge/badge-descriptions")).json()) == [
        str(space.laser)
    ]
    assert await (await space.kari.get("/badge/recent-badges")).json() == []


async def test_nobody_without_a_log_in_sees_or_awards_badges(space: Space) -> None:
    anonymous = await space.site.browser()
    for path in ("badge-descriptions", "recent-badges", f"badges-for-user/{space.ola_id}"):
        await message(await anonymous.get(f"/badge/{path}"), 401)
    await message(await anonymous.post(CREATE, json={"title": "Anon"}), 401)
