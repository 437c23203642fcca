"""Pages of badges: found, made, changed, and awarded to several people or to nobody."""

import re
from dataclasses import dataclass

import pytest

from console.badges.badge import Kind, may_change, may_entrust
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member

HTMX = {"HX-Request": "true"}
BY_INSTRUCTORS = "by members of the circle “instructors”"


def test_a_badge_is_changed_by_those_who_certify_it_and_by_admins() -> None:
    laser = Kind(1, certification_circle_id=6)
    assert may_change(laser, is_maker=False, actor_circles={6}, is_admin=False)
    assert may_change(laser, is_maker=False, actor_circles=set(), is_admin=True)
    assert not may_change(laser, is_maker=True, actor_circles={5}, is_admin=False)


def test_a_badge_that_anybody_awards_is_changed_by_its_maker() -> None:
    cook = Kind(1, certification_circle_id=None)
    assert may_change(cook, is_maker=True, actor_circles=set(), is_admin=False)
    assert not may_change(cook, is_maker=False, actor_circles={1, 2}, is_admin=False)


@pytest.mark.parametrize(
    ("chosen", "now", "may"),
    [
        (6, None, True),  # hers
        (7, None, False),  # a circle that she isn't in
        (7, 7, True),  # stays so
        (None, 6, False),  # out of her hands
        (None, None, True),
    ],
)
def test_a_badge_is_entrusted_to_a_circle_that_one_is_in(
    chosen: int | None, now: int | None, may: bool
) -> None:
    assert may_entrust(chosen, now=now, actor_circles={6}, is_admin=False) is may
    assert may_entrust(chosen, now=now, actor_circles=set(), is_admin=True)


@dataclass
class School:
    """A badge of the circle `instructors`, in which Ina is; Ola is an admin; Kari and Per learn."""

    site: Site
    ina: Client
    badge: int
    circle: int

    async def holders(self) -> list[tuple[str, str]]:
        """Who has it, by whom."""
        cursor = await self.site.connection.execute(
            "select a.username, w.username from account_badge b join account a on a.id = b.account"
            " join account w on w.id = b.awarded_by where b.badge_description = %s order by 1",
            [self.badge],
        )
        return await cursor.fetchall()

    async def row(self) -> tuple[str, str | None, int | None, str | None]:
        """Title, description, circle, category."""
        cursor = await self.site.connection.execute(
            "select title, description, certification_circle, category from badge_description"
            " left join access.badge_category on badge_description = id where id = %s",
            [self.badge],
        )
        row = await cursor.fetchone()
        assert row is not None
        return row

    async def form(self, client: Client) -> dict[str, str]:
        """As it is sent when nobody touches it."""
        text = await (await client.get(f"/badges/{self.badge}/change")).text()
        version = re.search(r'name="version" value="(\w+)"', text)
        assert version is not None
        return {"version": version[1], "title": "Laser", "circle": str(self.circle)}


@pytest.fixture
async def school(site: Site) -> School:
    circle = await makerspace.circle(site.connection, name="instructors", admin_circle=1)
    await admin(site.connection, "ola")
    ina = await member(site.connection, "ina", name="Ina Instructor")
    await makerspace.circle_member(site.connection, account=ina, circle=circle)
    for username, name in (("kari", "Kari Nordmann"), ("per", "Per <Nordmann>")):
        await member(site.connection, username, name=name)
    cursor = await site.connection.execute(
        "insert into badge_description (created_at, created_by, updated_at, updated_by, title,"
        " certification_circle) values (now(), 3, now(), 3, 'Laser', %s) returning id",
        [circle],
    )
    row = await cursor.fetchone()
    assert row is not None
    return School(site, await site.browser("ina"), row[0], circle)


async def test_badges_are_found_by_title_and_by_category(school: School) -> None:
    client = await school.site.browser("kari")
    await client.post("/badges", data={"title": "Baker", "category": "Food & drink"})
    every = await (await client.get("/badges")).text()
    assert "Laser" in every
    assert "awarded by “instructors”" in every
    assert "/badges?category=Food%20%26%20drink" in every
    found = await (await client.get("/badges", params={"category": "Food & drink"})).text()
    assert "Baker" in found
    assert "Laser" not in found
    assert "Laser" in await (await client.get("/badges?badge=LAS")).text()
    assert "No badge is like that." in await (await client.get("/badges?badge=nothing")).text()


async def test_the_page_of_a_badge_says_who_has_it_since_when_and_from_whom(
    school: School,
) -> None:
    await school.ina.post(f"/badges/{school.badge}/awards", data={"usernames": "per"})
    page = await (await school.ina.get(f"/badges/{school.badge}")).text()
    assert "Per &lt;Nordmann&gt;" in page
    assert "awarded by Ina Instructor" in page
    assert f'href="/circles/{school.circle}"' in page
    assert f"/badges/{school.badge}/awards" in page
    searched = await (await school.ina.get(f"/badges/{school.badge}?holder=kari")).text()
    assert "Nobody who has it has “kari” in her name." in searched


async def test_everybody_sees_her_own_badges_and_those_of_others(school: School) -> None:
    client = await school.site.browser("kari")
    assert "No badge yet." in await (await client.get("/me/badges")).text()
    await school.ina.post(f"/badges/{school.badge}/awards", data={"usernames": "kari"})
    for path in ("/me/badges", "/me"):
        assert "awarded by Ina Instructor" in await (await client.get(path)).text()
    cursor = await school.site.connection.execute("select id from account where username = 'kari'")
    row = await cursor.fetchone()
    assert row is not None
    for path in (f"/members/{row[0]}/badges", f"/members/{row[0]}"):
        assert "awarded by Ina Instructor" in await (await school.ina.get(path)).text()
    assert (await client.get("/members/999999/badges")).status == 404


async def test_several_people_get_it_at_once_as_if_each_were_awarded_it(school: School) -> None:
    answer = await school.ina.post(
        f"/badges/{school.badge}/awards",
        data={"usernames": " KARI \r\n\r\nper\nkari\n"},
        allow_redirects=False,
    )
    assert answer.status == 303
    assert answer.headers["Location"] == f"/badges/{school.badge}?awarded=2"
    assert await school.holders() == [("kari", "ina"), ("per", "ina")]
    cursor = await school.site.connection.execute(
        """
        select c.username, u.username, e.username, v.domain, v.name, v.int2
        from account_badge b join account c on c.id = b.created_by
          join account u on u.id = b.updated_by
          join event v on v.int1 = b.id and v.created_at = b.created_at
          join account e on e.id = v.created_by
        """
    )
    event = ("ina", "ina", "ina", "badge", "awarded", school.badge)
    assert await cursor.fetchall() == [event, event]


async def test_people_are_searched_for_and_ticked_without_scripts(school: School) -> None:
    path = f"/badges/{school.badge}/awards"
    found = await school.ina.post(path, data={"search": "nordmann", "find": "1"})
    text = await found.text()
    names = re.findall(r'<input type="checkbox" name="(person-\d+)">', text)
    assert len(names) == 2
    assert await school.holders() == []
    ticked = {names[0]: "on", "search": "ina", "find": "1", "usernames": "per"}
    again = await (await school.ina.post(path, data=ticked, headers=HTMX)).text()
    assert again.lstrip().startswith('<section id="award"')
    assert f'name="{names[0]}" checked' in again
    assert "Ina Instructor" in again
    assert "\nper</textarea>" in again
    answer = await school.ina.post(path, data={names[0]: "on", "usernames": "per"}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/badges/{school.badge}?awarded=2"
    assert await school.holders() == [("kari", "ina"), ("per", "ina")]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("usernames", "words"),
    [
        ("kari\nnobody<x>\nper\nnil", "Nobody has the user name nobody&lt;x&gt;, nil."),
        ("kari\nola", "ola has this badge already."),
        ("kari\nola\nina", "ina, ola have this badge already."),
        ("kari\nsystem", "Nobody has the user name system."),
        ("", "Tick somebody, or type a user name."),
        ("\n".join(f"u{n}" for n in range(41)), "At most 40 people at once."),
    ],
    ids=["unknown", "has it", "have it", "program", "nobody", "many"],
)
async def test_one_who_cannot_get_it_is_named_and_nobody_gets_it(
    school: School, headers: dict[str, str], usernames: str, words: str
) -> None:
    for name in ("ola", "ina"):
        await school.site.connection.execute(
            "insert into account_badge (created_at, created_by, updated_at, updated_by, account,"
            " badge_description, awarded_by)"
            " select now() - interval '1 day', 3, now(), 3, id, %s, 3"
            " from account where username = %s",
            [school.badge, name],
        )
    before = await school.holders()
    answer = await school.ina.post(
        f"/badges/{school.badge}/awards", data={"usernames": usernames}, headers=headers
    )
    text = await answer.text()
    assert answer.status == 422
    named = re.sub(r"\s+", " ", text)
    # In which order those who have it are named is not promised.
    assert words in named or words.replace("ina, ola", "ola, ina") in named
    assert 'aria-invalid="true"' in text
    assert await school.holders() == before


async def test_ticking_nobodys_number_awards_nothing(school: School) -> None:
    answer = await school.ina.post(
        f"/badges/{school.badge}/awards", data={"person-999999": "on", "usernames": "kari"}
    )
    assert answer.status == 422
    assert "Somebody who was ticked has no account any more." in await answer.text()
    assert await school.holders() == []


async def test_a_form_that_is_sent_twice_awards_once(school: School) -> None:
    for _ in range(2):
        answer = await school.ina.post(
            f"/badges/{school.badge}/awards", data={"usernames": "kari\nper"}, allow_redirects=False
        )
        assert answer.status == 303
    assert await school.holders() == [("kari", "ina"), ("per", "ina")]
    other = await school.ina.post(f"/badges/{school.badge}/awards", data={"usernames": "per\nola"})
    assert other.status == 422
    assert "per has this badge already." in await other.text()
    assert len(await school.holders()) == 2


async def test_whoever_does_not_certify_it_is_told_who_does(school: School) -> None:
    for username in ("kari", "ola"):  # an admin doesn't, either
        client = await school.site.browser(username)
        page = await (await client.get(f"/badges/{school.badge}")).text()
        assert f"/badges/{school.badge}/awards" not in page
        for answer in (
            await client.get(f"/badges/{school.badge}/awards"),
            await client.post(f"/badges/{school.badge}/awards", data={"usernames": "kari"}),
        ):
            assert answer.status == 403
            assert BY_INSTRUCTORS in await answer.text()
    client = await school.site.browser("kari")
    for answer in (
        await client.get(f"/badges/{school.badge}/change"),
        await client.post(f"/badges/{school.badge}", data={"title": "Mine"}),
    ):
        assert answer.status == 403
        assert f"{BY_INSTRUCTORS} or “admin”" in await answer.text()
    assert await school.holders() == []
    assert (await school.row())[0] == "Laser"


async def test_a_badge_without_a_circle_is_awarded_by_anybody(school: School) -> None:
    client = await school.site.browser("kari")
    made = await client.post("/badges", data={"title": "Baker"}, allow_redirects=False)
    path = made.headers["Location"]
    answer = await client.post(f"{path}/awards", data={"usernames": "per"}, allow_redirects=False)
    assert answer.status == 303
    assert "Kari Nordmann" in await (await client.get(path)).text()


async def test_a_badge_is_made_with_what_it_certifies_and_who_awards_it(school: School) -> None:
    form = await (await school.ina.get("/badges/new")).text()
    assert f'<option value="{school.circle}">' in form
    assert '<option value="1">' not in form, "she isn't in the circle admin"
    answer = await school.ina.post(
        "/badges",
        data={
            "title": " Mill ",
            "description": "Runs the mill\r\nalone ",
            "category": "Metal",
            "circle": str(school.circle),
        },
        allow_redirects=False,
    )
    school.badge = int(answer.headers["Location"].removeprefix("/badges/"))
    assert await school.row() == ("Mill", "Runs the mill\nalone", school.circle, "Metal")
    page = await (await school.ina.get(f"/badges/{school.badge}")).text()
    assert "Runs the mill<br>alone" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " "}, "Type something here."),
        ({"title": "x" * 101}, "At most 100 characters."),
        ({"title": "LASER"}, "There is a badge with this title already."),
        ({"description": "x" * 1001}, "At most 1000 characters."),
        ({"description": "a\tb"}, "Only characters that can be seen."),
        ({"category": "x" * 51}, "At most 50 characters."),
        ({"circle": "999999"}, "Choose a circle."),
        ({"circle": "x"}, "Choose a circle."),
        ({"circle": "1"}, "Only members of the circle “admin” may let that circle"),
    ],
    ids=["no title", "long", "taken", "much", "tab", "category", "gone", "none", "not hers"],
)
async def test_what_is_wrong_with_it_stands_beside_the_field(
    school: School, fields: dict[str, str], words: str
) -> None:
    client = await school.site.browser("kari")
    answer = await client.post("/badges", data={"title": "Mill <x>", **fields})
    text = await answer.text()
    assert answer.status == 422
    assert words in text
    assert 'aria-invalid="true"' in text
    if "title" not in fields:
        assert 'value="Mill &lt;x&gt;"' in text
    cursor = await school.site.connection.execute("select count(*) from badge_description")
    assert await cursor.fetchone() == (1,)


async def test_instructors_and_admins_change_a_badge(school: School) -> None:
    fields = await school.form(school.ina) | {"title": "Laser cutter", "category": "light"}
    for _ in range(2):  # what is so already is no mistake
        answer = await school.ina.post(
            f"/badges/{school.badge}", data=fields, allow_redirects=False
        )
        assert answer.status == 303
    assert await school.row() == ("Laser cutter", None, school.circle, "light")
    ola = await school.site.browser("ola")
    fields = await school.form(ola) | {"title": "Laser cutter", "circle": "", "category": ""}
    await ola.post(f"/badges/{school.badge}", data=fields)
    assert await school.row() == ("Laser cutter", None, None, None)
    cursor = await school.site.connection.execute(
        "select operation from access.audit where place = 'access.badge_category' order by id"
    )
    assert await cursor.fetchall() == [("added",), ("removed",)]
    told = await (await ola.get("/log/changes")).text()
    assert "took the badge Laser cutter out of the category light" in told


async def test_an_instructor_does_not_give_a_badge_out_of_her_hands(school: School) -> None:
    fields = await school.form(school.ina) | {"circle": ""}
    answer = await school.ina.post(f"/badges/{school.badge}", data=fields)
    assert answer.status == 422
    assert "Only members of the circle “admin” may let everybody award it." in await answer.text()


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(school: School) -> None:
    fields = await school.form(school.ina) | {"title": "Laser cutter"}
    await school.site.connection.execute(
        "insert into access.badge_category values (%s, 'Light')", [school.badge]
    )
    answer = await school.ina.post(f"/badges/{school.badge}", data=fields)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="Light"' in text
    assert await school.row() == ("Laser", None, school.circle, "Light")


async def test_a_category_is_spelled_as_it_is_for_other_badges(school: School) -> None:
    await school.ina.post("/badges", data={"title": "Mill", "category": "Metal"})
    fields = await school.form(school.ina) | {"category": "mETAL"}
    await school.ina.post(f"/badges/{school.badge}", data=fields)
    assert (await school.row())[3] == "Metal"


async def test_an_instructor_finds_the_badges_under_run(school: School) -> None:
    assert 'href="/badges"' in await (await school.ina.get("/run")).text()
    kari = await school.site.browser("kari")
    assert "You run nothing yet." in await (await kari.get("/run")).text()


async def test_a_badge_that_does_not_exist_is_not_found(school: School) -> None:
    for path in ("/badges/999999", "/badges/999999/change", "/badges/999999/awards"):
        assert (await school.ina.get(path)).status == 404
    for path in ("/badges/999999", "/badges/999999/awards"):
        assert (await school.ina.post(path, data={"title": "x"})).status == 404
