"""The old API of circles. Source of shapes and texts: its contract, §4 and §6."""

from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientResponse

from console.database import Connection
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member

ADD = "/service/circle/create-membership"
REMOVE = "/data/account/remove-membership"
ERROR = "application/vnd.error+json"
NAMES = {"ADMIN_CIRCLE": {"adminCircle": "admin"}, "SELF_ADMIN": {"username": "kari"}}


@dataclass(slots=True)
class Space:
    """Ola is an admin, Kari is not; both are logged in. `brewers` manages itself: Kari is in it."""

    site: Site
    ola_id: int
    kari_id: int
    ola: Client
    kari: Client
    brewers: int


@pytest.fixture
async def space(site: Site) -> Space:
    ola_id, kari_id = await admin(site.connection, "ola"), await member(site.connection, "kari")
    brewers = await makerspace.circle(site.connection, name="brewers")
    await makerspace.circle_member(site.connection, account=kari_id, circle=brewers)
    return Space(
        site, ola_id, kari_id, await site.browser("ola"), await site.browser("kari"), brewers
    )


async def message(answer: ClientResponse, status: int) -> str:
    body = await answer.json(content_type=ERROR)
    assert (answer.status, list(body)) == (status, ["message"]), body
    return body["message"]


async def value(connection: Connection, statement: str, *values: object) -> Any:
    cursor = await connection.execute(statement.encode(), values)
    row = await cursor.fetchone()
    return None if row is None else row[0]


def new(style: str = "ADMIN_CIRCLE", **others: object) -> dict[str, object]:
    return {
        "name": "wood",
        "managementStyle": style,
        "commentRequiredForMembership": False,
        **NAMES[style],
        **others,
    }


async def test_a_circle_is_spelled_with_its_members(space: Space) -> None:
    answer = await space.ola.get(f"/data/circle/{space.brewers}")
    assert (answer.status, answer.content_type) == (200, "application/json")
    circle = await answer.json()
    (row,) = circle["_embedded"]["members"]
    assert circle["memberIds"] == [row["id"]]
    assert row["id"] != row["account_id"] == space.kari_id
    assert (row["account_username"], row["createdBy"], row["comment"]) == ("kari", "system", None)
    assert (row["circle_id"], row["circle_name"]) == (space.brewers, "brewers")
    assert (circle["managementStyle"], circle["adminCircle"]) == ("SELF_ADMIN", None)
    assert circle["commentRequiredForMembership"] is False


async def test_what_is_null_in_a_circle_stays_null(space: Space) -> None:
    await space.site.connection.execute(
        "update circle set description = null, comment_required_for_membership = null where id = 2"
    )
    circle = await (await space.kari.get("/data/circle/2")).json()
    assert (circle["description"], circle["commentRequiredForMembership"]) == (None, None)
    assert (await space.kari.get("/circles/2")).status == 200
    # NULL behaves as false.
    assert (
        await space.ola.post(ADD, json={"circleId": 2, "accountUsername": "kari"})
    ).status == 200


async def test_somebody_is_added_by_number_or_user_name_and_removed_again(space: Space) -> None:
    connection = space.site.connection
    by_number = {"circleId": 2, "accountId": space.kari_id, "comment": "  has had the tour "}
    circle = await (await space.ola.post(ADD, json=by_number)).json()
    (row,) = circle["_embedded"]["members"]
    assert (row["account_id"], row["comment"], row["createdBy"]) == (
        space.kari_id,
        "has had the tour",
        "ola",
    )
    assert (circle["updatedBy"], circle["createdBy"]) == ("ola", "system")
    circle = await (
        await space.ola.post(ADD, json={"circleId": 2, "accountUsername": "OLA"})
    ).json()
    assert [row["account_username"] for row in circle["_embedded"]["members"]] == ["kari", "ola"]
    assert circle["_embedded"]["members"][1]["comment"] == ""
    for key, account in (("accountUsername", "Kari"), ("accountId", space.ola_id)):
        answer = await space.ola.post(REMOVE, json={"circleId": 2, key: account})
        assert answer.status == 200
    assert (await answer.json())["memberIds"] == []
    assert await value(connection, "select count(*) from circle_member where circle = 2") == 0


async def test_what_the_rules_refuse_is_said_in_the_old_words(space: Space) -> None:
    connection = space.site.connection
    await connection.execute("update circle set comment_required_for_membership = true where id=3")
    kari, ola = {"accountId": space.kari_id}, {"accountId": space.ola_id}
    door, own, shopbot = {"circleId": 2}, {"circleId": space.brewers}, {"circleId": 3}
    not_admin = "kari is not in the admin circle (admin) for circle door"
    twice = "Account is already a member of the circle, cannot be added again"
    not_in = "Account isn't a member of the circle, cannot be removed"
    last = "A circle which is self-administrated must have at least one member"
    why = "This circle requires memberships to have a comment"
    for client, path, body, words in (
        (space.kari, ADD, door | kari, not_admin),
        (space.kari, REMOVE, door | kari, not_admin),
        (space.ola, ADD, own | ola, "ola is not an admin of brewers"),
        (space.kari, ADD, own | kari, twice),
        (space.ola, REMOVE, door | kari, not_in),
        (space.ola, ADD, shopbot | kari, why),
        (space.ola, ADD, shopbot | kari | {"comment": " "}, why),
        (space.kari, REMOVE, own | kari, last),
        (space.ola, ADD, door | kari | {"comment": "x" * 501}, "comment: at most 500 characters"),
    ):
        assert await message(await client.post(path, json=body), 400) == words
    assert await value(connection, "select count(*) from circle_member") == 2


@pytest.mark.parametrize(
    "body",
    [
        {"circleId": 999999, "accountUsername": "kari"},
        {"circleId": 0, "accountUsername": "kari"},
        {"circleId": -1, "accountUsername": "kari"},
        {"circleId": 2.5, "accountUsername": "kari"},
        {"circleId": 1e300, "accountUsername": "kari"},
        {"circleId": 10**30, "accountUsername": "kari"},
        {"circleId": 2, "accountUsername": "nobody"},
        {"circleId": 2, "accountId": 999999},
    ],
)
async def test_whoever_or_whatever_is_not_there_is_not_found(
    space: Space, body: dict[str, object]
) -> None:
    for path in (ADD, REMOVE):
        assert await message(await space.ola.post(path, json=body), 404) == "Object not found"


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ({"circleId": 2}, "accountId"),
        ({"accountUsername": "kari"}, "circleId"),
        ({"circleId": "2", "accountUsername": "kari"}, "circleId"),
        ({"circleId": True, "accountUsername": "kari"}, "circleId"),
        ({"circleId": 2, "accountUsername": ""}, "accountUsername"),
        ({"circleId": 2, "accountUsername": None}, "accountUsername"),
        ({"circleId": 2, "accountId": None}, "accountId"),
        ({"circleId": 2, "accountId": 3, "accountUsername": "kari"}, "accountId"),
        ([], "object"),
    ],
)
async def test_a_body_that_says_too_little_or_too_much_is_refused(
    space: Space, body: object, about: str
) -> None:
    for path in (ADD, REMOVE):
        assert about in await message(await space.ola.post(path, json=body), 400)


async def test_a_comment_is_a_text(space: Space) -> None:
    body = {"circleId": 2, "accountUsername": "kari", "comment": None}
    assert "comment" in await message(await space.ola.post(ADD, json=body), 400)


async def test_an_admin_makes_a_circle_that_another_one_manages(space: Space) -> None:
    answer = await space.ola.post("/data/circle", json=new(username="kari", comment="ignored"))
    circle = await answer.json()
    assert answer.status == 200
    assert circle["name"] == "wood"
    assert (circle["description"], circle["adminCircle"], circle["memberIds"]) == ("", 1, [])
    assert (circle["createdBy"], circle["updatedBy"]) == ("ola", "ola")
    assert "_embedded" not in circle
    (control,) = circle.pop("_controls")
    assert (control["type"], control["collection"]) == ("replace-collection", "circles")
    ids = [row["id"] for row in control["data"]]
    assert ids == sorted(ids)
    assert control["data"][-1] == circle


async def test_an_admin_makes_a_circle_that_manages_itself(space: Space) -> None:
    body = new("SELF_ADMIN", username="KARI", comment=" founder ", description="Saws")
    answer = await space.ola.post("/data/circle", json=body)
    circle = await answer.json()
    assert (circle["description"], circle["adminCircle"]) == ("Saws", None)
    (member_row,) = circle["memberIds"]
    cursor = await space.site.connection.execute(
        "select account, comment, created_by from circle_member where id = %s", [member_row]
    )
    assert await cursor.fetchone() == (space.kari_id, "founder", space.ola_id)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (new(adminCircle="ADMIN"), 400, "No such circle: ADMIN"),
        (new(adminCircle=None), 400, "adminCircle: a text is expected"),
        (new("SELF_ADMIN", username="nobody"), 400, "No such account: nobody"),
        (
            new("SELF_ADMIN", commentRequiredForMembership=True, comment=" "),
            400,
            "This circle requires memberships to have a comment",
        ),
        (new(name="door"), 409, "name: there is a circle called door already"),
        (new(name="d" * 51), 400, "name: at most 50 characters"),
        (new(description="d" * 51), 400, "description: at most 50 characters"),
        (new(name=""), 400, "name: may not be empty"),
        (new(name=5), 400, "name: a text is expected"),
        (new(comment=""), 400, "comment: may not be empty"),
        (
            new(managementStyle="OTHER"),
            400,
            "managementStyle: ADMIN_CIRCLE or SELF_ADMIN is expected",
        ),
        (
            new(commentRequiredForMembership="no"),
            400,
            "commentRequiredForMembership: true or false is expected",
        ),
    ],
)
async def test_a_circle_that_cant_be_is_not_made(
    space: Space, body: dict[str, object], status: int, words: str
) -> None:
    before = await value(space.site.connection, "select count(*) from circle")
    assert await message(await space.ola.post("/data/circle", json=body), status) == words
    assert await value(space.site.connection, "select count(*) from circle") == before


async def test_who_manages_a_new_circle_must_be_said(space: Space) -> None:
    for style, key, words in (
        (
            "ADMIN_CIRCLE",
            "adminCircle",
            "An admin circle is required when management style is set to ADMIN_CIRCLE",
        ),
        (
            "SELF_ADMIN",
            "username",
            "An initial member's username is required when management style is set to SELF_ADMIN",
        ),
    ):
        body = new(style)
        del body[key]
        assert await message(await space.ola.post("/data/circle", json=body), 400) == words


async def test_only_admins_make_circles_because_names_give_rights(space: Space) -> None:
    body = new("SELF_ADMIN", name="despot")
    await message(await space.kari.post("/data/circle", json=body), 403)
    assert not await value(space.site.connection, "select 1 from circle where name = 'despot'")


async def test_an_empty_circle_is_removed_by_whoever_manages_it(space: Space) -> None:
    not_admin = "kari is not in the admin circle (admin) for circle shopbot"
    assert await message(await space.kari.delete("/data/circle/3"), 400) == not_admin
    answer = await space.ola.delete("/data/circle/3")
    assert (answer.status, await answer.json()) == (200, {})
    assert await message(await space.ola.delete("/data/circle/3"), 404) == "Object not found"
    assert await message(await space.ola.get("/data/circle/3"), 404) == "Object not found"


async def test_a_circle_with_members_is_not_removed(space: Space) -> None:
    connection = space.site.connection
    await makerspace.circle_member(connection, account=space.kari_id, circle=3)
    empty = "The circle has to be empty to be removed."
    assert await message(await space.ola.delete("/data/circle/3"), 400) == empty
    await makerspace.circle_member(connection, account=space.ola_id, circle=space.brewers)
    alone = "A circle which is self-administrated must only contain the remover."
    path = f"/data/circle/{space.brewers}"
    assert await message(await space.kari.delete(path), 400) == alone
    assert await value(connection, "select count(*) from circle_member") == 4


async def test_the_last_member_of_a_self_administrated_circle_removes_it(space: Space) -> None:
    connection, path = space.site.connection, f"/data/circle/{space.brewers}"
    assert await message(await space.ola.delete(path), 400) == "ola is not an admin of brewers"
    assert (await space.kari.delete(path)).status == 200
    assert not await value(connection, "select 1 from circle where id = %s", space.brewers)
    assert not await value(
        connection, "select 1 from circle_member where circle = %s", space.brewers
    )


async def test_a_circle_that_something_uses_is_not_removed_and_it_says_what(space: Space) -> None:
    connection = space.site.connection
    await makerspace.circle(connection, name="wood", admin_circle=space.brewers)
    await makerspace.controller(connection)
    await makerspace.door(connection, circles=(space.brewers,), name="Cellar")
    for statement in (
        b"""
        insert into tool_description (created_at, created_by, updated_at, updated_by, name, circle)
        values (now(), 3, now(), 3, 'saw', %s)
        """,
        b"""
        insert into badge_description (created_at, created_by, updated_at, updated_by, title,
          certification_circle)
        values (now(), 3, now(), 3, 'brewer', %s)
        """,
    ):
        await connection.execute(statement, [space.brewers])
    words = await message(await space.kari.delete(f"/data/circle/{space.brewers}"), 409)
    users = "badge brewer, circle wood, door Cellar, tool saw"
    assert words == f"The circle can't be removed: it is used by {users}."
    assert await value(connection, "select 1 from circle_member where circle = %s", space.brewers)


async def test_nobody_without_a_log_in_sees_or_changes_circles(space: Space) -> None:
    anonymous = await space.site.browser()
    for method, path, body in (
        ("GET", "/data/circle/2", None),
        ("DELETE", "/data/circle/3", None),
        ("POST", "/data/circle", new()),
        ("POST", ADD, {"circleId": 2, "accountId": space.kari_id}),
        ("POST", REMOVE, {"circleId": space.brewers, "accountId": space.kari_id}),
    ):
        await message(await anonymous.request(method, path, json=body), 401)
