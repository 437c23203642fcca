"""Taking a badge back: who may, what is left of it, and how it is undone."""

import html
import re

import pytest

from console.badges.badge import Kind, may_take_back
from tests.console.test_badge_pages import HTMX, School
from tests.console.test_badge_pages import school as school
from tests.support.console_app import Client, member

BOTH = "by members of the circle “instructors” or “admin”"


def test_those_who_certify_a_badge_and_admins_take_it_back() -> None:
    laser = Kind(1, certification_circle_id=6)
    assert may_take_back(laser, is_giver=False, actor_circles={6}, is_admin=False)
    assert may_take_back(laser, is_giver=False, actor_circles=set(), is_admin=True)
    assert not may_take_back(laser, is_giver=True, actor_circles={5}, is_admin=False)


def test_what_anybody_awards_is_taken_back_by_whoever_gave_it() -> None:
    cook = Kind(1, certification_circle_id=None)
    assert may_take_back(cook, is_giver=True, actor_circles=set(), is_admin=False)
    assert not may_take_back(cook, is_giver=False, actor_circles={1, 6}, is_admin=False)
    assert may_take_back(cook, is_giver=False, actor_circles=set(), is_admin=True)


async def kari_with_it(school: School) -> int:
    """Kari's number; Ina has given her the badge, twice."""
    cursor = await school.site.connection.execute("select id from account where username = 'kari'")
    row = await cursor.fetchone()
    assert row is not None
    path = f"/badges/{school.badge}/awards"
    await school.ina.post(path, data={"usernames": "kari\nper"})
    await school.ina.post("/badge/create-badge", json={"title": "Laser", "recipient": "kari"})
    return int(row[0])


def removal(school: School, kari: int) -> str:
    return f"/badges/{school.badge}/awards/{kari}/removal"


@pytest.mark.parametrize("username", ["ina", "ola"])
async def test_it_is_gone_with_its_event_and_the_history_and_the_audit_say_by_whom(
    school: School, username: str
) -> None:
    kari = await kari_with_it(school)
    assert [who for who, _ in await school.holders()] == ["kari", "kari", "per"]
    client = await school.site.browser(username)
    answer = await client.post(
        removal(school, kari), data={"from": "person"}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, f"/members/{kari}")
    assert await school.holders() == [("per", "ina")]
    connection = school.site.connection
    cursor = await connection.execute(
        "select count(*) from event e where domain = 'badge'"
        " and not exists (select from account_badge b where b.id = e.int1)"
    )
    assert await cursor.fetchone() == (0,)
    cursor = await connection.execute(
        "select v.id, v.operation_type, v.end_transaction_id is null, v.account, v.awarded_by"
        " is not null from account_badge_version v where v.account = %s"
        " order by v.id, v.transaction_id",
        [kari],
    )
    first, gone, second, also = await cursor.fetchall()
    assert (first[1:3], gone[1:3], gone[3:]) == ((0, False), (2, True), (kari, True))
    assert (second[1:3], also[1:3], also[3:]) == ((0, False), (2, True), (kari, True))
    assert (first[0], second[0]) == (gone[0], also[0])
    cursor = await connection.execute(
        "select a.username, u.operation, u.account from access.audit u"
        " join account a on a.id = u.actor where u.place = 'public.account_badge'"
        " order by u.id desc limit 2"
    )
    assert await cursor.fetchall() == [(username, "removed", kari)] * 2


async def test_sent_twice_it_changes_nothing_more(school: School) -> None:
    kari = await kari_with_it(school)
    for _ in range(2):
        answer = await school.ina.post(removal(school, kari), allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, f"/badges/{school.badge}")
    assert await school.holders() == [("per", "ina")]
    assert (await school.ina.post(removal(school, 999999))).status == 404
    assert (await school.ina.post(f"/badges/999999/awards/{kari}/removal")).status == 404


async def test_nobody_else_may_not_even_she_who_has_it(school: School) -> None:
    kari = await kari_with_it(school)
    client = await school.site.browser("kari")
    for path in (f"/badges/{school.badge}", "/me", "/me/badges", f"/members/{kari}/badges"):
        assert "/removal" not in await badges_of(client, path)
    answer = await client.post(removal(school, kari))
    assert answer.status == 403
    assert BOTH in html.unescape(await answer.text())
    assert len(await school.holders()) == 3


async def badges_of(client: Client, path: str) -> str:
    """Those forms of a page that are about badges."""
    page = await (await client.get(path)).text()
    return " ".join(re.findall(r'action="(/badges/[^"]*)"', page))


async def test_a_badge_that_anybody_awards_is_taken_back_by_whoever_gave_it(
    school: School,
) -> None:
    kari = await kari_with_it(school)
    per, eve = await school.site.browser("per"), await member(school.site.connection, "eve")
    await per.post("/badge/create-badge", json={"title": "Cook", "recipient": "kari"})
    await per.post("/badge/create-badge", json={"title": "Cook", "recipient": "eve"})
    cursor = await school.site.connection.execute(
        "select id from badge_description where title = 'Cook'"
    )
    row = await cursor.fetchone()
    assert row is not None
    path = f"/badges/{row[0]}"
    hers, eves = (f"{path}/awards/{account}/removal" for account in (kari, eve))
    assert await badges_of(per, path) == f"{eves} {hers}"
    assert await badges_of(school.ina, path) == ""
    refused = await school.ina.post(hers)
    assert refused.status == 403
    assert "by whoever gave it" in await refused.text()
    # Whoever is given it by others as well is no longer only his.
    await school.ina.post("/badge/create-badge", json={"title": "Cook", "recipient": "eve"})
    assert await badges_of(per, path) == hers
    assert (await per.post(eves)).status == 403
    for _ in range(2):
        assert (await per.post(hers, allow_redirects=False)).status == 303
    assert "Kari" not in await (await per.get(path)).text()


async def test_it_is_asked_before_and_the_list_comes_back_with_an_undo(school: School) -> None:
    kari = await kari_with_it(school)
    page = await (await school.ina.get(f"/badges/{school.badge}")).text()
    assert '<details class="confirm">' in page
    assert "Kari Nordmann no longer has the badge “Laser”." in page
    text = await (
        await school.ina.post(removal(school, kari), data={"from": "badge"}, headers=HTMX)
    ).text()
    assert text.lstrip().startswith('<section id="holders"')
    assert "Laser was taken from Kari Nordmann." in text
    assert f'href="/members/{kari}"' not in text
    for _ in range(2):
        undone = await school.ina.post(removal(school, kari), data=hidden(text), headers=HTMX)
        assert (await undone.text()).lstrip().startswith('<section id="holders"')
    assert [who for who, _ in await school.holders()] == ["kari", "kari", "per"]


async def test_on_a_persons_page_her_badges_come_back_with_an_undo(school: School) -> None:
    kari = await kari_with_it(school)
    assert removal(school, kari) in await badges_of(school.ina, f"/members/{kari}")
    answer = await school.ina.post(removal(school, kari), data={"from": "person"}, headers=HTMX)
    text = await answer.text()
    assert text.lstrip().startswith('<section id="badges"')
    assert "No badge yet." in text
    undone = await school.ina.post(removal(school, kari), data=hidden(text))
    assert undone.url.path == f"/members/{kari}"
    assert [who for who, _ in await school.holders()] == ["kari", "kari", "per"]


async def test_what_is_undone_is_as_it_was_since_when_and_by_whom(school: School) -> None:
    kari = await kari_with_it(school)
    await school.site.connection.execute(
        "update account_badge set created_at = '2023-10-10 12:00+00' where account = %s", [kari]
    )
    held = (
        "select b.created_at, b.created_by, b.awarded_by, e.created_at, e.created_by"
        " from account_badge b join event e on e.int1 = b.id and e.domain = 'badge'"
        " where b.account = %s order by b.id"
    )
    was = await (await school.site.connection.execute(held, [kari])).fetchall()
    ola = await school.site.browser("ola")
    text = await (
        await ola.post(removal(school, kari), data={"from": "badge"}, headers=HTMX)
    ).text()
    assert await school.holders() == [("per", "ina")]
    await ola.post(removal(school, kari), data=hidden(text), headers=HTMX)
    again = await (await school.site.connection.execute(held, [kari])).fetchall()
    assert [row[:3] for row in again] == [row[:3] for row in was]
    assert [row[3:] for row in again] == [row[:2] for row in was]


async def test_nobody_undoes_what_another_one_took(school: School) -> None:
    kari = await kari_with_it(school)
    ola = await school.site.browser("ola")
    await ola.post(removal(school, kari))
    assert (await school.ina.post(removal(school, kari), data={"undo": "yes"})).status == 400
    await school.site.connection.execute("delete from circle_member where circle = 1")
    assert (await ola.post(removal(school, kari), data={"undo": "yes"})).status == 403
    assert await school.holders() == [("per", "ina")]


def hidden(text: str) -> dict[str, str]:
    """What the form of an undo sends."""
    form = text[text.index('class="notice"') :]
    form = form[: form.index("</form>")]
    return dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form))
