"""Circles: who may change who is in them, by page."""

import html
import re
from datetime import datetime

import pytest

from console.database import Connection
from tests.support import makerspace
from tests.support.console_app import Site, admin, hidden_fields, member, see_and_save

HTMX = {"HX-Request": "true"}


async def members(connection: Connection, circle_id: int) -> dict[str, str | None]:
    cursor = await connection.execute(
        """
        select a.username, m.comment from circle_member m join account a on a.id = m.account
        where m.circle = %s
        """,
        [circle_id],
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def test_a_member_is_added_and_the_rows_say_by_whom(site: Site) -> None:
    ola, kari = await admin(site.connection, "ola"), await member(site.connection, "kari")
    before = await circle_row(site.connection)
    client = await site.browser("ola")
    answer = await client.post(
        "/circles/2/members",
        data={"username": "KARI", "comment": "  has had the tour "},
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/circles/2")
    cursor = await site.connection.execute(
        "select created_by, updated_by, comment from circle_member where account = %s", [kari]
    )
    assert await cursor.fetchone() == (ola, ola, "has had the tour")
    after = await circle_row(site.connection)
    assert (after["created_at"], after["created_by"]) == (before["created_at"], 3)
    assert after["updated_by"] == ola
    assert after["updated_at"] > before["updated_at"]
    page = await (await client.get("/circles/2")).text()
    assert "has had the tour" in page
    assert "added by Ola" in page


async def circle_row(connection: Connection) -> dict[str, datetime]:
    cursor = await connection.execute(
        "select created_at, created_by, updated_at, updated_by from circle where id = 2"
    )
    row = await cursor.fetchone()
    assert row is not None
    return dict(zip(("created_at", "created_by", "updated_at", "updated_by"), row, strict=True))


async def test_with_htmx_only_the_list_comes_back(site: Site) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    client = await site.browser("ola")
    answer = await client.post(
        "/circles/2/members", data={"username": "kari nordmann"}, headers=HTMX
    )
    text = await answer.text()
    assert answer.status == 200
    assert text.lstrip().startswith('<section id="members"')
    assert "Kari Nordmann" in text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_a_mistake_stands_beside_the_field_and_what_was_typed_is_kept(
    site: Site, headers: dict[str, str]
) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    answer = await client.post(
        "/circles/2/members",
        data={"username": "kåre <x>", "comment": "the tour"},
        headers=headers,
    )
    text = await answer.text()
    assert answer.status == 422
    assert "Nobody is called “kåre &lt;x&gt;”" in text
    assert 'value="kåre &lt;x&gt;"' in text
    assert 'value="the tour"' in text
    assert 'aria-invalid="true"' in text
    assert ("<!doctype html>" in text) is (not headers)


async def test_a_name_that_several_people_have_is_not_guessed(site: Site) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari1", name="Kari Nordmann")
    await member(site.connection, "kari2", name="Kari Nordmann")
    client = await site.browser("ola")
    answer = await client.post("/circles/2/members", data={"username": "Kari Nordmann"})
    assert answer.status == 422
    assert "@kari1, @kari2" in await answer.text()
    assert await members(site.connection, 2) == {}


async def test_a_member_is_removed(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari)
    client = await site.browser("ola")
    answer = await see_and_save(client, f"/circles/2/members/{kari}/removal", headers=HTMX)
    assert answer.status == 200
    assert "Nobody is in this circle yet" in await answer.text()
    assert await members(site.connection, 2) == {}
    again = await client.post(f"/circles/2/members/{kari}/removal", headers=HTMX)
    assert again.status == 422


@pytest.mark.parametrize(
    "path", ["/members/{kari}/circles/2/removal", "/circles/2/members/{kari}/removal"]
)
async def test_a_removal_can_be_undone_as_if_it_had_not_been(site: Site, path: str) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari)
    await site.connection.execute(
        "update circle_member set comment = 'has the key <3', created_by = %s,"
        " created_at = '2023-10-10 12:00+00' where account = %s",
        [kari, kari],
    )
    client = await site.browser("ola")
    said = await (await see_and_save(client, path.format(kari=kari), headers=HTMX)).text()
    action, fields = path.format(kari=kari), hidden_fields(said, beside="Kari was removed.")
    assert f'class="notice" role="status" action="{action}"' in said
    assert await members(site.connection, 2) == {}
    forged = fields | {"comment": "says Kari", "username": "ola"}
    for _ in range(2):
        assert (await client.post(action, data=forged, headers=HTMX)).status == 200
    assert await members(site.connection, 2) == {"kari": "has the key <3"}
    since = await site.connection.execute(
        "select extract(year from created_at)::int, created_by from circle_member"
        " where account = %s",
        [kari],
    )
    assert await since.fetchone() == (2023, kari)


async def test_an_undo_that_would_do_more_by_now_is_shown_first(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    await makerspace.payment(site.connection, account=kari)
    laser = await makerspace.circle(site.connection, name="laser", admin_circle=1)
    await makerspace.circle_member(site.connection, account=kari, circle=laser)
    client, path = await site.browser("ola"), f"/circles/{laser}/members/{kari}/removal"
    said = await (await see_and_save(client, path, headers=HTMX)).text()
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection, key="server", name="Server room", circles=(laser,))
    undo = hidden_fields(said, beside="Kari was removed.")
    shown = await (await client.post(path, data=undo, headers=HTMX)).text()
    assert "Put Kari back into “laser”?" in shown
    assert "Something was changed meanwhile" in shown
    assert "<strong>Kari</strong>: Server room" in shown
    assert await members(site.connection, laser) == {}
    answer = await client.post(path, data=hidden_fields(shown, beside="Kari"), headers=HTMX)
    assert answer.status == 200
    assert await members(site.connection, laser) == {"kari": None}


async def test_whoever_leaves_a_circle_that_she_manages_by_it_is_told_that_she_cannot_come_back(
    site: Site,
) -> None:
    kari, per = [await member(site.connection, name) for name in ("kari", "per")]
    laser = await makerspace.circle(site.connection, name="laser")
    for one in (kari, per):
        await makerspace.circle_member(site.connection, account=one, circle=laser)
    client = await site.browser("kari")
    for whom, words in ((per, False), (kari, True)):
        path = f"/circles/{laser}/members/{whom}/removal"
        asked = await (await client.post(path, headers=HTMX)).text()
        assert ("You can’t come back by yourself" in asked) is words
    said = await (await see_and_save(client, path, headers=HTMX)).text()
    assert "Kari was removed." in said
    assert hidden_fields(said, beside="Kari was removed.") == {}, "nothing that would be refused"


async def test_nobody_undoes_what_she_did_not_just_do(site: Site) -> None:
    await admin(site.connection, "ola")
    await admin(site.connection, "per")
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari)
    ola, per = await site.browser("ola"), await site.browser("per")
    path, undo = f"/circles/2/members/{kari}/removal", {"undo": "yes"}
    await see_and_save(ola, path)
    assert (await per.post(path, data=undo)).status == 400
    await site.connection.execute("update circle set admin_circle = 6 where id = 2")
    assert (await ola.post(path, data=undo)).status == 422
    await site.connection.execute("update circle set admin_circle = 1 where id = 2")
    await site.connection.execute(
        "update access.audit set happened_at = happened_at - interval '61 minutes'"
    )
    refused = await ola.post(path, data=undo)
    assert refused.status == 400
    assert "This can’t be undone any more: nothing was put back." in await refused.text()
    assert await members(site.connection, 2) == {}


async def test_a_circle_that_makes_somebody_an_admin_says_so_before(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    client = await site.browser("ola")
    fields = {"circle": "1", "comment": ""}
    answer = await client.post(f"/members/{kari}/circles", data=fields, allow_redirects=False)
    assert answer.status == 200
    assert "Whoever is in it manages cards, doors, tools and controllers" in await answer.text()
    answer = await see_and_save(client, f"/members/{kari}/circles", data=fields)
    assert answer.status == 303
    cursor = await site.connection.execute(
        "select count(*) from circle_member where account = %s and circle = 1", [kari]
    )
    assert await cursor.fetchone() == (1,)


async def test_whoever_is_not_in_the_admin_circle_changes_nothing(site: Site) -> None:
    kari = await member(site.connection, "kari")
    anne = await member(site.connection, "anne")
    await makerspace.circle_member(site.connection, account=kari)
    client = await site.browser("kari")
    assert "Add a member" not in await (await client.get("/circles/2")).text()
    for path, data in (
        ("/circles/2/members", {"username": "anne"}),
        (f"/circles/2/members/{kari}/removal", {}),
        (f"/members/{anne}/circles", {"circle": "2"}),
        (f"/members/{kari}/circles/2/removal", {}),
    ):
        answer = await client.post(path, data=data)
        assert answer.status == 422
        assert "members of the circle “admin”" in await answer.text()
    assert list(await members(site.connection, 2)) == ["kari"]


async def test_it_is_the_admin_circle_of_the_circle_that_counts_not_the_consoles_admins(
    site: Site,
) -> None:
    await admin(site.connection, "ola")
    own = await makerspace.circle(site.connection, name="brewers")
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari, circle=own)
    ola, karis = await site.browser("ola"), await site.browser("kari")
    assert (await ola.post(f"/circles/{own}/members", data={"username": "ola"})).status == 422
    answer = await karis.post(
        f"/circles/{own}/members", data={"username": "ola"}, allow_redirects=False
    )
    assert answer.status == 303
    assert set(await members(site.connection, own)) == {"kari", "ola"}


async def test_the_last_one_of_a_self_administrated_circle_is_told_why_she_stays(
    site: Site,
) -> None:
    own = await makerspace.circle(site.connection, name="brewers")
    kari = await member(site.connection, "kari")
    await makerspace.circle_member(site.connection, account=kari, circle=own)
    client = await site.browser("kari")
    answer = await client.post(f"/circles/{own}/members/{kari}/removal", headers=HTMX)
    assert answer.status == 422
    assert "the last one can&#39;t leave it" in await answer.text()
    assert list(await members(site.connection, own)) == ["kari"]


async def test_circles_are_changed_on_the_page_of_a_person_too(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    client = await site.browser("ola")
    assert "Add to a circle" in await (await client.get(f"/members/{kari}")).text()
    answer = await client.post(
        f"/members/{kari}/circles", data={"circle": "2", "comment": "tour"}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, f"/members/{kari}")
    assert await members(site.connection, 2) == {"kari": "tour"}
    answer = await see_and_save(client, f"/members/{kari}/circles/2/removal", headers=HTMX)
    assert answer.status == 200
    assert (await answer.text()).lstrip().startswith('<section id="circles"')
    assert await members(site.connection, 2) == {}


async def test_a_circle_that_asks_for_a_comment_gets_one(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    await site.connection.execute(
        "update circle set comment_required_for_membership = true where id = 2"
    )
    client = await site.browser("ola")
    for path, data in (
        ("/circles/2/members", {"username": "kari", "comment": "   "}),
        (f"/members/{kari}/circles", {"circle": "2"}),
    ):
        answer = await client.post(path, data=data, headers=HTMX)
        assert answer.status == 422
        assert "asks for a comment" in await answer.text()
    assert await members(site.connection, 2) == {}


@pytest.mark.parametrize("value", ["", "x", "-1", "99999999999999999999", "٣", "2 ", "2.0"])
async def test_a_circle_that_is_no_choice_is_refused(site: Site, value: str) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    client = await site.browser("ola")
    answer = await client.post(f"/members/{kari}/circles", data={"circle": value}, headers=HTMX)
    assert answer.status == 422


async def test_what_does_not_exist_is_not_found(site: Site) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    for path in ("/circles/999999", "/circles/999999999999999999", "/members/3"):
        assert (await client.get(path)).status == 404
    missing = "999999999999999999"
    answer = await client.post(f"/circles/{missing}/members", data={"username": "ola"})
    assert answer.status == 404
    answer = await client.post(f"/members/{missing}/circles", data={"circle": "2"})
    assert answer.status == 404
    answer = await client.post(f"/circles/2/members/{missing}/removal")
    assert answer.status == 422


async def test_before_somebody_is_added_it_is_shown_what_she_gets(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await paying(site.connection, "kari", "Kari <Nordmann>")
    client = await site.browser("ola")
    for path, data in (
        ("/circles/2/members", {"username": "kari", "comment": "the tour"}),
        (f"/members/{kari}/circles", {"circle": "2", "comment": "the tour"}),
    ):
        for headers in ({}, HTMX):
            answer = await client.post(path, data=data, headers=headers)
            text = " ".join((await answer.text()).split())
            assert answer.status == 200
            assert "Can use from now on" in text
            assert "<strong>Kari &lt;Nordmann&gt;</strong>: Front door" in text
            assert ("<!doctype html>" in text) is (not headers)
            assert await members(site.connection, 2) == {}


async def paying(connection: Connection, username: str, name: str) -> int:
    """Somebody who pays, and a door that asks for circle 2, which she isn't in."""
    account = await member(connection, username, name=name)
    await makerspace.payment(connection, account=account)
    await makerspace.controller(connection)
    await makerspace.door(connection)
    return account


async def test_what_was_seen_is_saved(site: Site) -> None:
    await admin(site.connection, "ola")
    kari = await paying(site.connection, "kari", "Kari Nordmann")
    client = await site.browser("ola")
    answer = await see_and_save(
        client,
        "/circles/2/members",
        data={"username": "Kari Nordmann", "comment": " the tour "},
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/circles/2")
    assert await members(site.connection, 2) == {"kari": "the tour"}
    preview = await client.post(f"/members/{kari}/circles/2/removal", headers=HTMX)
    text = " ".join((await preview.text()).split())
    assert "Can no longer use" in text
    assert "<strong>Kari Nordmann</strong>: Front door" in text
    assert await members(site.connection, 2) == {"kari": "the tour"}
    await see_and_save(client, f"/members/{kari}/circles/2/removal", headers=HTMX)
    assert await members(site.connection, 2) == {}


async def test_if_it_would_do_something_else_by_now_it_is_shown_again(site: Site) -> None:
    await admin(site.connection, "ola")
    await paying(site.connection, "kari", "Kari Nordmann")
    client = await site.browser("ola")
    data = {"username": "kari"}
    text = await (await client.post("/circles/2/members", data=data)).text()
    found = re.search('name="seen" value="([^"]+)"', text)
    assert found is not None
    await makerspace.door(site.connection, key="back", name="Back door")
    answer = await client.post("/circles/2/members", data={**data, "seen": found[1]})
    text = await answer.text()
    assert answer.status == 200
    assert "Something was changed meanwhile" in text
    assert "Back door, Front door" in text
    assert await members(site.connection, 2) == {}


async def test_a_preview_changes_nothing_and_keeps_nobody_waiting(site: Site) -> None:
    await admin(site.connection, "ola")
    await paying(site.connection, "kari", "Kari Nordmann")
    before = await circle_row(site.connection)
    client = await site.browser("ola")
    await client.post("/circles/2/members", data={"username": "kari"})
    assert await circle_row(site.connection) == before
    cursor = await site.connection.execute("select count(*) from circle_member_version")
    assert await cursor.fetchone() == (0,)


async def test_somebody_who_pays_nothing_is_said_to_wait(site: Site) -> None:
    await admin(site.connection, "ola")
    await paying(site.connection, "kari", "Kari Nordmann")
    await site.connection.execute("delete from stripe_payment")
    client = await site.browser("ola")
    text = await (await client.post("/circles/2/members", data={"username": "kari"})).text()
    assert "Makes no difference yet: no membership now" in text


async def test_whoever_may_not_change_the_circle_learns_nothing_from_a_preview(site: Site) -> None:
    kari = await paying(site.connection, "kari", "Kari Nordmann")
    client = await site.browser("kari")
    for path, data in (
        ("/circles/2/members", {"username": "kari"}),
        (f"/circles/2/members/{kari}/removal", {}),
    ):
        answer = await client.post(path, data=data)
        assert answer.status == 422
        assert 'name="seen"' not in await answer.text()


async def test_a_user_name_that_is_another_ones_name_is_asked_about(site: Site) -> None:
    await admin(site.connection, "ola")
    await paying(site.connection, "mrk1", "Marenka")
    other = await member(site.connection, "Marenka", name="Somebody else")
    await makerspace.payment(site.connection, account=other)
    await member(site.connection, "third", name="@mrk1")
    client = await site.browser("ola")
    for typed in ("Marenka", "marenka"):
        asked = await client.post("/circles/2/members", data={"username": typed})
        assert asked.status == 422
        assert "Several people are called so" in await asked.text()
        assert "@mrk1, @Marenka" in await asked.text()
    # What is asked before it is saved asks about the same one again.
    await see_and_save(client, "/circles/2/members", data={"username": "@mrk1"})
    assert list(await members(site.connection, 2)) == ["mrk1"]
    await see_and_save(client, "/circles/2/members", data={"username": "@marenka"})
    assert set(await members(site.connection, 2)) == {"mrk1", "Marenka"}


async def test_suggestions_find_people_by_both_names(site: Site) -> None:
    await member(site.connection, "kari", name="Kari O'Hara <b>")
    await member(site.connection, "askari", name="Ask")
    await member(site.connection, "ola", name="Ola")
    client = await site.browser("ola")
    answer = await client.get("/suggestions/people", params={"username": "KARI"})
    text = await answer.text()
    assert text.index('value="kari"') < text.index('value="askari"')
    assert "Kari O&#39;Hara &lt;b&gt;" in text
    assert "ola" not in text
    same = await client.get("/suggestions/people", params={"username": "@KARI"})
    assert await same.text() == text
    nothing = await client.get("/suggestions/people", params={"username": "%"})
    assert "<option" not in await nothing.text()


async def test_of_many_members_the_first_are_shown_and_the_others_found(site: Site) -> None:
    await admin(site.connection, "ola")
    for number in range(30):
        someone = await makerspace.account(site.connection, name=f"Member {number:02}")
        await makerspace.circle_member(site.connection, account=someone)
    client = await site.browser("ola")
    page = await (await client.get("/circles/2")).text()
    assert "The first 25 are shown" in page
    assert '<span class="count">30</span>' in page
    assert "Member 24" in page
    assert "Member 25" not in page
    whole = await (await client.get("/circles/2?all=yes")).text()
    assert "Member 29" in whole
    assert "are shown" not in whole
    found = await (await client.get("/circles/2", params={"member": "ember 29"})).text()
    assert "Member 29" in found
    assert "Member 00" not in found
    nobody = await (await client.get("/circles/2", params={"member": "zoe"})).text()
    assert "Nobody in “door” has “zoe” in her name" in nobody


async def test_a_circle_says_what_it_opens_as_the_rule_has_it(site: Site) -> None:
    connection = site.connection
    laser = await makerspace.circle(connection, name="laser", admin_circle=1)
    idle = await makerspace.circle(connection, name="idle", admin_circle=1)
    await makerspace.controller(connection)
    await makerspace.door(connection)
    await makerspace.door(connection, key="lab", name="Laser lab", circles=(laser, 2))
    tool = await makerspace.tool(connection, name="Cutter", circle=laser)
    other = await makerspace.tool(connection, name="Saw")
    # A key of both is the door's: the tool is in nobody's rights.
    clash = await makerspace.tool(connection, name="Shadow", circle=laser)
    await makerspace.tool_point(connection, tool=clash, key="front")
    await admin(connection, "ola")
    await member(connection, "kari")
    of_laser = await opened(site, "ola", laser)
    assert of_laser == {f"/tools/{tool}": "Cutter", "/doors/lab": "Laser lab"}
    assert await opened(site, "kari", laser) == {f"/tools/{tool}": "Cutter"}
    page = await (await (await site.browser("kari")).get(f"/circles/{laser}")).text()
    assert "Laser lab" in page
    assert "Front door" not in page
    assert await opened(site, "ola", 2) == {
        "/doors/front": "Front door",
        "/doors/lab": "Laser lab",
        f"/tools/{other}": "Saw",
    }
    page = await (await (await site.browser("kari")).get(f"/circles/{idle}")).text()
    assert "Nothing: no door and no tool asks for this circle." in page


async def opened(site: Site, username: str, circle: int) -> dict[str, str]:
    """The doors and tools to which a circle's page leads."""
    page = await (await (await site.browser(username)).get(f"/circles/{circle}")).text()
    main = page[page.index('<main id="main"') :]
    return dict(re.findall(r'<a href="(/(?:doors|tools)/[^"]*)">([^<]*)</a>', main))


async def test_a_retired_door_is_opened_by_no_circle(site: Site) -> None:
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    await admin(site.connection, "ola")
    await site.connection.execute("update access.door set retired_at = now()")
    assert await opened(site, "ola", 2) == {}


async def test_whoever_types_part_of_a_name_is_told_who_has_it(site: Site) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "siobhan", name="Siobhán Kelly")
    client = await site.browser("ola")
    answer = await client.post("/circles/2/members", data={"username": "siob"})
    text = html.unescape(await answer.text())
    assert answer.status == 422
    assert "Nobody is called just “siob”. Do you mean Siobhán Kelly (@siobhan)?" in text
    answer = await client.get("/log", params={"username": "kelly"})
    assert "Do you mean Siobhán Kelly (@siobhan)?" in await answer.text()
