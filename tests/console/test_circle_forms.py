"""Circles made and changed on pages: who may change what, and what isn't overwritten."""

import asyncio
import html
import re

import pytest

from console.database import Connection
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member, see_and_save

HTMX = {"HX-Request": "true"}
Row = tuple[str, str | None, str, str | None, bool | None]


async def circle(connection: Connection, circle_id: int) -> Row:
    """Name, description, style, admin circle, whether it asks for comments."""
    cursor = await connection.execute(
        "select c.name, c.description, c.management_style, a.name,"
        " c.comment_required_for_membership"
        " from circle c left join circle a on a.id = c.admin_circle where c.id = %s",
        [circle_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row


async def form_of(client: Client, circle_id: int) -> dict[str, str]:
    """The form as it is sent when nobody touches it."""
    text = await (await client.get(f"/circles/{circle_id}/change")).text()
    fields = dict(re.findall(r'name="(version|name|description)"[^>]* value="([^"]*)"', text))
    fields |= dict(re.findall(r'name="(version)" value="(\w+)"', text))
    for name in ("style", "admin_circle"):
        chosen = re.search(
            rf'<select id="{name}".*?<option value="([^"]*)" selected', text, re.DOTALL
        )
        if chosen:
            fields[name] = chosen[1]
    return {name: html.unescape(value) for name, value in fields.items()}


@pytest.fixture
async def keeper(site: Site) -> Client:
    """Kari, who is in the circle `keepers`, by which `lab` is managed; and Ola, an admin."""
    await admin(site.connection, "ola")
    keepers = await makerspace.circle(site.connection, name="keepers", admin_circle=1)
    await makerspace.circle(site.connection, name="lab", admin_circle=keepers)
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari, circle=keepers)
    return await site.browser("kari")


async def id_of(site: Site, name: str) -> int:
    cursor = await site.connection.execute("select id from circle where name = %s", [name])
    row = await cursor.fetchone()
    assert row is not None, name
    return row[0]


async def test_an_admin_makes_a_circle_that_another_one_manages(site: Site, keeper: Client) -> None:
    ola = await site.browser("ola")
    assert 'href="/circles/new"' in await (await ola.get("/circles")).text()
    assert '<option value="keepers">' in await (await ola.get("/circles/new")).text()
    answer = await ola.post(
        "/circles",
        data={
            "name": " forge ",
            "description": "Hot & loud",
            "style": "ADMIN_CIRCLE",
            "admin_circle": "keepers",
            "needs_comment": "on",
        },
        allow_redirects=False,
    )
    made = await id_of(site, "forge")
    assert (answer.status, answer.headers["Location"]) == (303, f"/circles/{made}")
    expected = ("forge", "Hot & loud", "ADMIN_CIRCLE", "keepers", True)
    assert await circle(site.connection, made) == expected
    assert "Add a member" in await (await keeper.get(f"/circles/{made}")).text()


async def test_a_circle_that_manages_itself_begins_with_a_member(
    site: Site, keeper: Client
) -> None:
    ola = await site.browser("ola")
    fields = {"name": "brewers", "style": "SELF_ADMIN", "needs_comment": "on"}
    nobody = await ola.post("/circles", data=fields)
    assert nobody.status == 422
    assert "Type a name or a user name." in await nobody.text()
    silent = await ola.post("/circles", data=fields | {"username": "kari"})
    assert "This circle asks for a comment" in await silent.text()
    answer = await ola.post(
        "/circles", data=fields | {"username": "Kari", "comment": "brews"}, allow_redirects=False
    )
    assert answer.status == 303
    made = await id_of(site, "brewers")
    assert await circle(site.connection, made) == ("brewers", "", "SELF_ADMIN", None, True)
    cursor = await site.connection.execute(
        "select a.username, m.comment from circle_member m join account a on a.id = m.account"
        " where m.circle = %s",
        [made],
    )
    assert await cursor.fetchall() == [("kari", "brews")]


@pytest.mark.parametrize(
    ("fields", "other"),
    [
        ({"style": "ADMIN_CIRCLE", "admin_circle": "keepers"}, {"admin_circle": "admin"}),
        ({"style": "SELF_ADMIN", "username": "kari"}, {"username": "ola"}),
    ],
    ids=["managed", "its own"],
)
async def test_a_circle_that_is_sent_twice_is_made_once(
    site: Site, keeper: Client, fields: dict[str, str], other: dict[str, str]
) -> None:
    ola, data = await site.browser("ola"), {"name": "forge", "description": "Hot"} | fields
    answers = await asyncio.gather(
        *(ola.post("/circles", data=data, allow_redirects=False) for _ in range(2))
    )
    made = f"/circles/{await id_of(site, 'forge')}"
    assert [answer.headers.get("Location") for answer in answers] == [made, made]
    assert (await ola.post("/circles", data=data | other)).status == 422
    await site.connection.execute("update circle set created_at = now() - interval '61 seconds'")
    assert (await ola.post("/circles", data=data)).status == 422


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Type something here."),
        ({"name": "x" * 51}, "At most 50 characters."),
        ({"name": "lab"}, "There is a circle with this name already."),
        ({"description": "a\nb"}, "One line"),
        ({"style": "NOBODY"}, "Choose who manages it."),
        ({"admin_circle": ""}, "Choose the circle that manages it."),
        ({"admin_circle": "no such"}, "Choose the circle that manages it."),
    ],
    ids=["no name", "long", "taken", "lines", "style", "no circle", "gone"],
)
async def test_what_is_wrong_with_it_stands_beside_the_field(
    site: Site, keeper: Client, headers: dict[str, str], fields: dict[str, str], words: str
) -> None:
    ola = await site.browser("ola")
    good = {"name": "forge <x>", "style": "ADMIN_CIRCLE", "admin_circle": "keepers"}
    answer = await ola.post("/circles", data=good | fields, headers=headers)
    text = await answer.text()
    assert answer.status == 422
    assert words in text
    assert 'aria-invalid="true"' in text
    assert ("<!doctype html>" in text) is (not headers)
    if "name" not in fields:
        assert 'value="forge &lt;x&gt;"' in text
    cursor = await site.connection.execute("select from circle where name like 'forge%'")
    assert cursor.rowcount == 0


async def test_an_admin_changes_everything_of_a_circle(site: Site, keeper: Client) -> None:
    ola = await site.browser("ola")
    lab = await id_of(site, "lab")
    assert f"/circles/{lab}/change" in await (await ola.get(f"/circles/{lab}")).text()
    fields = await form_of(ola, lab)
    assert (fields["name"], fields["style"], fields["admin_circle"]) == (
        *("lab", "ADMIN_CIRCLE", "keepers"),
    )
    change = fields | {"name": "laboratory", "admin_circle": "admin", "needs_comment": "on"}
    for _ in range(2):  # what is so already is no mistake
        answer = await see_and_save(ola, f"/circles/{lab}", data=change)
        assert (answer.status, answer.headers["Location"]) == (303, f"/circles/{lab}")
    assert await circle(site.connection, lab) == ("laboratory", "", "ADMIN_CIRCLE", "admin", True)
    cursor = await site.connection.execute(
        "select count(*) from circle_version where id = %s", [lab]
    )
    assert await cursor.fetchone() == (1,)


async def test_a_circle_is_handed_to_its_own_members_once_there_are_some(
    site: Site, keeper: Client
) -> None:
    ola = await site.browser("ola")
    lab = await id_of(site, "lab")
    change = await form_of(ola, lab) | {"style": "SELF_ADMIN"}
    empty = await ola.post(f"/circles/{lab}", data=change)
    assert empty.status == 422
    assert "Nobody is in it who could manage it." in await empty.text()
    per = await member(site.connection, "per")
    await makerspace.circle_member(site.connection, account=per, circle=lab)
    asked = await (await ola.post(f"/circles/{lab}", data=change)).text()
    assert "Whoever is in it may add and remove others, and change the circle." in asked
    answer = await see_and_save(ola, f"/circles/{lab}", data=change)
    assert answer.status == 303
    assert await circle(site.connection, lab) == ("lab", "", "SELF_ADMIN", None, False)
    assert (await keeper.get(f"/circles/{lab}/change")).status == 403
    assert (await (await site.browser("per")).get(f"/circles/{lab}/change")).status == 200


async def test_the_last_admin_stays_also_where_admins_are_managed_by_admins(
    site: Site, keeper: Client
) -> None:
    ola = await site.browser("ola")
    lab = await id_of(site, "lab")
    empty = await ola.post(
        f"/circles/{lab}", data=await form_of(ola, lab) | {"admin_circle": "lab"}
    )
    assert empty.status == 422
    assert "Nobody is in it who could manage it." in await empty.text()
    change = await form_of(ola, 1) | {"style": "ADMIN_CIRCLE", "admin_circle": "admin"}
    assert (await see_and_save(ola, "/circles/1", data=change)).status == 303
    cursor = await site.connection.execute("select account from circle_member where circle = 1")
    ((last,),) = await cursor.fetchall()
    left = await see_and_save(ola, f"/circles/1/members/{last}/removal")
    assert left.status == 422
    assert (await ola.get("/circles/new")).status == 200


async def test_whoever_manages_it_says_what_it_is_for_and_no_more(
    site: Site, keeper: Client
) -> None:
    lab = await id_of(site, "lab")
    text = await (await keeper.get(f"/circles/{lab}/change")).text()
    assert 'name="style"' not in text
    assert "changed by members of the circle “admin”" in text
    fields = await form_of(keeper, lab) | {"description": "Chemistry", "needs_comment": "on"}
    forged = {"name": "despot", "style": "SELF_ADMIN", "admin_circle": "admin"}
    answer = await keeper.post(f"/circles/{lab}", data=fields | forged, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/circles/{lab}"
    expected = ("lab", "Chemistry", "ADMIN_CIRCLE", "keepers", True)
    assert await circle(site.connection, lab) == expected


@pytest.mark.parametrize("name", ["admin", "door"])
async def test_a_circle_that_is_known_by_its_name_keeps_it(
    site: Site, keeper: Client, name: str
) -> None:
    ola = await site.browser("ola")
    circle_id = await id_of(site, name)
    change = await form_of(ola, circle_id) | {"name": "renamed"}
    answer = await ola.post(f"/circles/{circle_id}", data=change)
    assert answer.status == 422
    assert f"This circle is known by its name “{name}”" in await answer.text()
    assert (await circle(site.connection, circle_id))[0] == name


async def test_nobody_gets_rights_by_the_renaming_of_a_circle(site: Site, keeper: Client) -> None:
    ola = await site.browser("ola")
    lab = await id_of(site, "lab")
    change = await form_of(ola, lab) | {"name": "despot"}
    answer = await ola.post(f"/circles/{lab}", data=change)
    assert answer.status == 422
    assert "would give rights to all who are in it" in await answer.text()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(
    site: Site, keeper: Client, headers: dict[str, str]
) -> None:
    lab = await id_of(site, "lab")
    fields = await form_of(keeper, lab) | {"description": "Chemistry"}
    await site.connection.execute("update circle set description = 'Biology' where id = %s", [lab])
    answer = await keeper.post(f"/circles/{lab}", data=fields, headers=headers)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="Biology"' in text
    assert (await circle(site.connection, lab))[1] == "Biology"


async def test_whoever_may_not_is_told_who_may(site: Site, keeper: Client) -> None:
    per = await member(site.connection, "per")
    lab, own = await id_of(site, "lab"), await makerspace.circle(site.connection, name="brewers")
    await makerspace.circle_member(site.connection, account=per, circle=lab)
    client = await site.browser("per")
    assert "Change the circle" not in await (await client.get(f"/circles/{lab}")).text()
    assert "New circle" not in await (await client.get("/circles")).text()
    for circle_id, words in (
        (lab, "changed by members of the circle “keepers” or members of the circle “admin”"),
        (own, "changed by its own members or members of the circle “admin”"),
    ):
        for answer in (
            await client.get(f"/circles/{circle_id}/change"),
            await client.post(f"/circles/{circle_id}", data={"description": "x"}),
        ):
            assert answer.status == 403
            assert words in await answer.text()
    for answer in (await client.get("/circles/new"), await client.post("/circles", data={})):
        assert answer.status == 403
        assert "“admin”" in await answer.text()


async def test_a_circle_that_nobody_needs_is_removed(site: Site, keeper: Client) -> None:
    lab = await id_of(site, "lab")
    page = await (await keeper.get(f"/circles/{lab}/change")).text()
    assert f'action="/circles/{lab}/removal"' in page
    await makerspace.tool(site.connection, name="Still", circle=lab)
    needed = await keeper.post(f"/circles/{lab}/removal")
    assert needed.status == 422
    assert "“lab” is still needed by: Still." in await needed.text()
    await site.connection.execute("delete from tool_description")
    per = await member(site.connection, "per")
    await makerspace.circle_member(site.connection, account=per, circle=lab)
    full = await keeper.post(f"/circles/{lab}/removal", headers=HTMX)
    assert full.status == 422
    assert "“lab” has members. Remove them first." in await full.text()
    await site.connection.execute("delete from circle_member where circle = %s", [lab])
    ola = await site.browser("ola")
    refused = await ola.post(f"/circles/{lab}/removal")
    assert "“lab” is removed by members of the circle “keepers”." in await refused.text()
    answer = await keeper.post(f"/circles/{lab}/removal", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/circles")
    assert (await keeper.get(f"/circles/{lab}")).status == 404
    assert (await keeper.post(f"/circles/{lab}/removal")).status == 404


async def test_the_circle_of_the_admins_is_not_removed_by_the_last_of_them(
    site: Site, keeper: Client
) -> None:
    ola = await site.browser("ola")
    answer = await ola.post("/circles/1/removal")
    assert answer.status == 422
    assert "This circle is known by its name “admin”" in await answer.text()
    assert (await ola.get("/circles/new")).status == 200


async def test_a_circle_that_does_not_exist_is_not_found(site: Site, keeper: Client) -> None:
    assert (await keeper.get("/circles/999999/change")).status == 404
    assert (await keeper.post("/circles/999999", data={"name": "x"})).status == 404
