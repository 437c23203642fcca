"""Pages of companies: who may change them, what is shown before, and what isn't overwritten."""

import asyncio
import re

import pytest

from console.database import Connection
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, hidden_fields, member, see_and_save

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def acme(site: Site) -> int:
    """An active company with a contact; somebody who keeps companies; a door."""
    despot = await makerspace.circle(site.connection, name="despot", admin_circle=1)
    keeper = await member(site.connection, "dina")
    await makerspace.circle_member(site.connection, account=keeper, circle=despot)
    contact = await member(site.connection, "carl", name="Carl Contact")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    return await makerspace.company(site.connection, name="Acme <AS>", contact=contact)


async def company(connection: Connection, company_id: int) -> tuple[str, bool, str]:
    cursor = await connection.execute(
        "select k.name, k.active, a.username from company k join account a on a.id = k.contact"
        " where k.id = %s",
        [company_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row


async def employees(connection: Connection) -> set[str]:
    cursor = await connection.execute(
        "select a.username from company_employee e join account a on a.id = e.account"
    )
    return {row[0] for row in await cursor.fetchall()}


async def employed(site: Site, company_id: int, username: str = "kari") -> int:
    kari = await member(site.connection, username, name="Kari Nordmann")
    await makerspace.employee(site.connection, account=kari, company=company_id)
    return kari


async def form_of(client: Client, company_id: int) -> dict[str, str]:
    """The form as it comes, and as it is sent when nobody touches it."""
    text = await (await client.get(f"/companies/{company_id}/change")).text()
    version = re.search(r'name="version" value="(\w+)"', text)
    assert version is not None
    return {"version": version[1], "name": "Acme <AS>", "username": "carl", "active": "on"}


async def test_everybody_sees_which_companies_there_are(site: Site, acme: int) -> None:
    await makerspace.company(site.connection, name="Bygones", active=False)
    await employed(site, acme)
    client = await site.browser("kari")
    text = await (await client.get("/companies")).text()
    assert "Acme &lt;AS&gt;" in text
    assert "contact: Carl Contact" in text
    assert "not active" in text
    assert "New company" not in text
    page = await (await client.get(f"/companies/{acme}")).text()
    assert "Carl Contact" in page
    assert "Nobody works there" not in page
    assert "Kari Nordmann" not in page, "who works where is not for everybody"
    assert f"/companies/{acme}/change" not in page
    found = await (await client.get("/companies?name=bygo")).text()
    assert "Bygones" in found
    assert "Acme" not in found


async def test_whoever_keeps_companies_finds_them_under_run(site: Site, acme: int) -> None:
    client = await site.browser("dina")
    assert 'href="/companies"' in await (await client.get("/run")).text()
    carl = await site.browser("carl")
    assert "You run nothing yet." in await (await carl.get("/run")).text()


async def test_a_company_is_made(site: Site, acme: int) -> None:
    client = await site.browser("dina")
    assert "/companies/new" in await (await client.get("/companies")).text()
    assert (await client.get("/companies/new")).status == 200
    answer = await client.post(
        "/companies",
        data={"name": "  Bakery  ", "username": "carl contact", "active": "on"},
        allow_redirects=False,
    )
    assert answer.status == 303
    made = int(answer.headers["Location"].removeprefix("/companies/"))
    assert await company(site.connection, made) == ("Bakery", True, "carl")
    cursor = await site.connection.execute(
        "select a.username, u.actor = a.id from company k join account a on a.id = k.created_by"
        " join access.audit u on u.object = k.id::text and u.place = 'public.company'"
        " where k.id = %s",
        [made],
    )
    assert await cursor.fetchall() == [("dina", True)]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "  "}, "Type something here."),
        ({"name": "x" * 101}, "At most 100 characters."),
        ({"name": "a\nb"}, "One line"),
        ({"name": "Acme <AS>"}, "There is a company with this name already."),
        ({"username": "nobody at all"}, "Nobody is called “nobody at all”"),
        ({"username": ""}, "Type a name or a user name."),
        ({"username": "system"}, "Nobody is called “system”"),
    ],
    ids=["no name", "long", "two lines", "taken", "unknown", "no contact", "program"],
)
async def test_what_is_wrong_with_it_stands_beside_the_field(
    site: Site, acme: int, headers: dict[str, str], wrong: dict[str, str], words: str
) -> None:
    client = await site.browser("dina")
    fields = {"name": "Bakery & Sons", "username": "carl", **wrong}
    answer = await client.post("/companies", data=fields, headers=headers)
    text = await answer.text()
    assert answer.status == 422
    assert words in text
    assert 'aria-invalid="true"' in text
    assert ("<!doctype html>" in text) is (not headers)
    if "name" not in wrong:
        assert 'value="Bakery &amp; Sons"' in text
    cursor = await site.connection.execute("select count(*) from company")
    assert await cursor.fetchone() == (1,)


async def test_a_company_that_is_sent_twice_is_made_once(site: Site, acme: int) -> None:
    client, data = await site.browser("dina"), {"name": "New", "username": "carl", "active": "on"}
    answers = await asyncio.gather(
        *(client.post("/companies", data=data, allow_redirects=False) for _ in range(2))
    )
    first, second = (answer.headers.get("Location") for answer in answers)
    assert first is not None
    assert first == second
    assert (await client.post("/companies", data=data | {"username": "dina"})).status == 422
    await site.connection.execute("update company set created_at = now() - interval '61 seconds'")
    assert (await client.post("/companies", data=data)).status == 422


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_before_a_company_is_deactivated_it_is_shown_who_loses_what(
    site: Site, acme: int, headers: dict[str, str]
) -> None:
    await employed(site, acme)
    client = await site.browser("dina")
    fields = await form_of(client, acme)
    del fields["active"]
    preview = await client.post(f"/companies/{acme}", data=fields, headers=headers)
    text = " ".join((await preview.text()).split())
    assert preview.status == 200
    assert "Can no longer use" in text
    assert "<strong>Kari Nordmann</strong>: Front door" in text
    assert (await company(site.connection, acme))[1] is True
    answer = await see_and_save(client, f"/companies/{acme}", data=fields, headers=headers)
    assert answer.headers["HX-Redirect" if headers else "Location"] == f"/companies/{acme}"
    assert (await company(site.connection, acme))[1] is False


async def test_another_name_takes_nothing_from_anybody_and_is_saved_at_once(
    site: Site, acme: int
) -> None:
    await employed(site, acme)
    client = await site.browser("dina")
    fields = await form_of(client, acme) | {"name": "Acme"}
    for _ in range(2):  # what is so already is no mistake
        answer = await client.post(f"/companies/{acme}", data=fields, allow_redirects=False)
        assert answer.status == 303
    assert await company(site.connection, acme) == ("Acme", True, "carl")


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(site: Site, acme: int) -> None:
    client = await site.browser("dina")
    fields = await form_of(client, acme) | {"name": "Acme AS"}
    await site.connection.execute("update company set name = 'Acme Ltd' where id = %s", [acme])
    answer = await client.post(f"/companies/{acme}", data=fields)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert "You had typed: “Acme AS”" in " ".join(text.split())
    assert 'value="Acme Ltd"' in text
    assert (await company(site.connection, acme))[0] == "Acme Ltd"


async def test_a_contact_that_is_a_program_may_stay(site: Site, acme: int) -> None:
    await site.connection.execute("update company set contact = 3 where id = %s", [acme])
    client = await site.browser("dina")
    fields = await form_of(client, acme) | {"name": "Acme", "username": "system"}
    answer = await client.post(f"/companies/{acme}", data=fields, allow_redirects=False)
    assert answer.status == 303
    assert await company(site.connection, acme) == ("Acme", True, "system")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_before_somebody_is_employed_it_is_shown_what_she_gets(
    site: Site, acme: int, headers: dict[str, str]
) -> None:
    await member(site.connection, "kari", name="Kari Nordmann")
    client = await site.browser("dina")
    path = f"/companies/{acme}/employees"
    preview = await client.post(path, data={"username": "kari nordmann"}, headers=headers)
    text = " ".join((await preview.text()).split())
    assert "Can use from now on" in text
    assert "<strong>Kari Nordmann</strong>: Front door" in text
    assert ("<!doctype html>" in text) is (not headers)
    assert await employees(site.connection) == set()
    await see_and_save(client, path, data={"username": "kari"}, headers=headers)
    assert await employees(site.connection) == {"kari"}
    again = await client.post(path, data={"username": "kari"}, headers=headers)
    assert again.status == 422
    assert "Kari Nordmann works there already." in await again.text()


async def test_of_a_company_that_is_not_active_nobody_gets_anything(site: Site, acme: int) -> None:
    await site.connection.execute("update company set active = false where id = %s", [acme])
    await member(site.connection, "kari")
    client = await site.browser("dina")
    answer = await client.post(
        f"/companies/{acme}/employees", data={"username": "kari"}, allow_redirects=False
    )
    assert answer.status == 303
    assert await employees(site.connection) == {"kari"}


async def test_before_an_employee_is_removed_it_is_shown_what_she_loses(
    site: Site, acme: int
) -> None:
    kari = await employed(site, acme)
    client = await site.browser("dina")
    page = await (await client.get(f"/companies/{acme}")).text()
    path = f"/companies/{acme}/employees/{kari}/removal"
    assert path in page
    preview = " ".join((await (await client.post(path)).text()).split())
    assert "Can no longer use" in preview
    assert await employees(site.connection) == {"kari"}
    answer = await see_and_save(client, path, headers=HTMX)
    assert "Nobody works there yet." in await answer.text()
    assert await employees(site.connection) == set()
    assert (await client.post(path, headers=HTMX)).status == 422


async def test_an_admin_keeps_companies_too(site: Site, acme: int) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    assert f"/companies/{acme}/change" in await (await client.get(f"/companies/{acme}")).text()
    assert (await client.get("/companies/new")).status == 200


async def test_whoever_keeps_no_companies_is_told_by_which_circle_she_would(
    site: Site, acme: int
) -> None:
    await member(site.connection, "ola")
    kari = await employed(site, acme)
    client = await site.browser("ola")
    for path in (f"/companies/{acme}/change", "/companies/new"):
        answer = await client.get(path)
        assert answer.status == 403
        assert "members of the circle “despot”" in await answer.text()
    for path in (
        "/companies",
        f"/companies/{acme}",
        f"/companies/{acme}/employees",
        f"/companies/{acme}/employees/{kari}/removal",
    ):
        answer = await client.post(path, data={"username": "ola", "name": "X"})
        assert answer.status == 403
        assert "members of the circle “despot”" in await answer.text()
    assert await company(site.connection, acme) == ("Acme <AS>", True, "carl")
    assert await employees(site.connection) == {"kari"}


async def test_what_does_not_exist_is_not_found(site: Site, acme: int) -> None:
    client = await site.browser("dina")
    for path in ("/companies/999999", "/companies/999999999999999999/change"):
        assert (await client.get(path)).status == 404
    for path in ("/companies/999999", "/companies/999999/employees"):
        answer = await client.post(path, data={"name": "x", "username": "carl"})
        assert answer.status == 404
    answer = await client.post(f"/companies/{acme}/employees/999999/removal")
    assert answer.status == 422


async def test_a_removal_can_be_undone_as_if_it_had_not_been(site: Site, acme: int) -> None:
    kari = await employed(site, acme)
    await site.connection.execute(
        "update company_employee set created_by = %s, created_at = '2023-10-10 12:00+00'", [kari]
    )
    client = await site.browser("dina")
    path = f"/companies/{acme}/employees/{kari}/removal"
    said = await (await see_and_save(client, path, headers=HTMX)).text()
    assert "Kari Nordmann was removed." in said
    assert f'class="notice" role="status" action="{path}"' in said
    assert await employees(site.connection) == set()
    undo = hidden_fields(said, beside="Kari Nordmann was removed.")
    for _ in range(2):
        undone = await client.post(path, data=undo, headers=HTMX)
        assert undone.status == 200
        assert "was removed" not in await undone.text()
    cursor = await site.connection.execute(
        "select account, created_by, extract(year from created_at)::int from company_employee"
    )
    assert await cursor.fetchall() == [(kari, kari, 2023)]


async def test_an_undo_that_would_do_more_by_now_is_shown_first(site: Site, acme: int) -> None:
    kari = await employed(site, acme)
    await site.connection.execute("update company set active = false")
    client, path = await site.browser("dina"), f"/companies/{acme}/employees/{kari}/removal"
    said = await (await see_and_save(client, path, headers=HTMX)).text()
    await site.connection.execute("update company set active = true")
    undo = hidden_fields(said, beside="Kari Nordmann was removed.")
    shown = await (await client.post(path, data=undo, headers=HTMX)).text()
    assert "Put Kari Nordmann back into “Acme &lt;AS&gt;”?" in shown
    assert "<strong>Kari Nordmann</strong>: Front door" in shown
    assert await employees(site.connection) == set()
    await client.post(path, data=hidden_fields(shown, beside="Kari"), headers=HTMX)
    assert await employees(site.connection) == {"kari"}


async def test_nobody_undoes_what_another_one_did(site: Site, acme: int) -> None:
    kari = await employed(site, acme)
    client, path = await site.browser("dina"), f"/companies/{acme}/employees/{kari}/removal"
    await see_and_save(client, path, headers=HTMX)
    other = await site.browser("dina")
    await site.connection.execute("update access.audit set actor = %s", [kari])
    assert (await other.post(path, data={"undo": "yes"})).status == 400
