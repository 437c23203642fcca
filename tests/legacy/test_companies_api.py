"""The old API of companies. Source of shapes and texts: its contract, §4, §7 and §13."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientResponse

from tests.support import makerspace
from tests.support.console_app import Client, Site, member

ERROR = "application/vnd.error+json"
NOT_FOUND = (
    "Not Found: The requested URL was not found on the server. If you entered the URL manually"
    " please check your spelling and try again."
)


@dataclass(slots=True)
class Space:
    """Ola is a despot, Kari is not; both are logged in."""

    site: Site
    ola_id: int
    kari_id: int
    ola: Client
    kari: Client


@pytest.fixture
async def space(site: Site) -> Space:
    ola_id, kari_id = await member(site.connection, "ola"), await member(site.connection, "kari")
    despots = await makerspace.circle(site.connection, name="despot", admin_circle=1)
    await makerspace.circle_member(site.connection, account=ola_id, circle=despots)
    return Space(site, ola_id, kari_id, await site.browser("ola"), await site.browser("kari"))


async def message(answer: ClientResponse, status: int) -> str:
    body = await answer.json(content_type=ERROR)
    assert (answer.status, list(body)) == (status, ["message"]), body
    return body["message"]


async def companies(space: Space) -> list[str]:
    return [row["name"] for row in await (await space.kari.get("/data/company")).json()]


def new(**others: object) -> dict[str, object]:
    return {"name": "Acme", "contact": 3, "active": True, **others}


async def test_a_company_is_made_by_post_and_by_put_and_changed_by_both(space: Space) -> None:
    for method, name in (("POST", "Acme"), ("PUT", "Other")):
        answer = await space.ola.request(method, "/data/company", json=new(name=name))
        assert (answer.status, answer.content_type) == (200, "application/json")
        made = await answer.json()
        assert made | {"name": name, "contact": 3, "active": True, "employees": []} == made
        assert (made["createdBy"], made["updatedBy"]) == ("ola", "ola")
        body = new(id=made["id"], name=f"{name} Ltd", contact=space.kari_id, active=False)
        changed = await (await space.ola.request(method, "/data/company", json=body)).json()
        assert (changed["id"], changed["createdAt"]) == (made["id"], made["createdAt"])
        assert (changed["name"], changed["contact"], changed["active"]) == (
            f"{name} Ltd",
            space.kari_id,
            False,
        )
    assert await companies(space) == ["Acme Ltd", "Other Ltd"]


async def test_companies_are_listed_by_id_without_their_employees(space: Space) -> None:
    for name in ("b", "a"):
        await space.ola.post("/data/company", json=new(name=name))
    first, second = await (await space.kari.get("/data/company")).json()
    assert (first["name"], second["name"]) == ("b", "a")
    assert first["id"] < second["id"]
    assert "employees" not in first
    created = datetime.fromisoformat(first["createdAt"])
    assert created.utcoffset() == timedelta(0)


async def test_employees_come_and_go(space: Space) -> None:
    made = await (await space.ola.post("/data/company", json=new())).json()
    path = f"/data/company/{made['id']}/cmd"
    answer = await space.ola.post(f"{path}/add-employee", json={"accountId": space.kari_id})
    company = await answer.json()
    (employee,) = company["employees"]
    assert (employee["account_id"], employee["account"]) == (space.kari_id, {"username": "kari"})
    assert (employee["company_id"], employee["createdBy"]) == (made["id"], "ola")
    assert company["updatedAt"] == made["updatedAt"]
    assert await (await space.kari.get(f"/data/company/{made['id']}")).json() == company
    again = await space.ola.post(f"{path}/add-employee", json={"accountId": space.kari_id})
    assert await message(again, 409) == "accountId: is employed there already"
    answer = await space.ola.post(f"{path}/remove-employee", json={"accountId": space.kari_id})
    assert (answer.status, (await answer.json())["employees"]) == (200, [])
    again = await space.ola.post(f"{path}/remove-employee", json={"accountId": space.kari_id})
    assert await message(again, 404) == NOT_FOUND


async def test_ids_may_be_texts(space: Space) -> None:
    made = await (await space.ola.post("/data/company", json=new())).json()
    body = new(id=str(made["id"]), name="Renamed")
    assert (await (await space.ola.put("/data/company", json=body)).json())["id"] == made["id"]
    path = f"/data/company/{made['id']}/cmd/add-employee"
    answer = await space.ola.post(path, json={"accountId": str(space.kari_id)})
    assert [row["account_id"] for row in (await answer.json())["employees"]] == [space.kari_id]


async def test_a_text_of_digits_is_the_whole_number(space: Space) -> None:
    long_id = 1_000_000_000_000_000_001
    made = await (await space.ola.post("/data/company", json=new())).json()
    await space.site.connection.execute(
        "update company set id = %s where id = %s", [long_id, made["id"]]
    )
    for text in (f"{long_id}2", "9" * 4_000):
        answer = await space.ola.put("/data/company", json=new(id=text, name="Renamed"))
        assert await message(answer, 404) == NOT_FOUND
    assert await companies(space) == ["Acme"]
    body = new(id=f"{long_id:030}", name="Renamed")
    assert (await (await space.ola.put("/data/company", json=body)).json())["id"] == long_id


async def test_without_an_id_or_with_null_a_company_is_made(space: Space) -> None:
    assert (await space.ola.put("/data/company", json=new(id=None))).status == 200
    assert await companies(space) == ["Acme"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (new(contact=9999), 400, "No such account: 9999"),
        (new(contact=0), 400, "No such account: 0"),
        (new(contact=-1), 400, "No such account: -1"),
        (new(contact=1.5), 400, "No such account: 1.5"),
        (new(contact="3"), 400, "contact: a number is expected"),
        (new(contact=None), 400, "contact: a number is expected"),
        (new(name=""), 400, "name: may not be empty"),
        (new(name="x" * 101), 400, "name: at most 100 characters"),
        (new(name="Old"), 409, "name: there is a company called Old already"),
        (new(active=None), 400, "active: true or false is expected"),
        (new(active="yes"), 400, "active: true or false is expected"),
        ({"name": "Acme", "contact": 3}, 400, "active: is missing"),
        ({"contact": 3, "active": True}, 400, "name: is missing"),
        (new(id=9999), 404, NOT_FOUND),
        (new(id=0), 404, NOT_FOUND),
        (new(id="x"), 400, "id: a number is expected"),
    ],
)
async def test_a_company_that_cant_be_is_not_saved(
    space: Space, body: dict[str, object], status: int, words: str
) -> None:
    await makerspace.company(space.site.connection, name="Old")
    for method in ("POST", "PUT"):
        answer = await space.ola.request(method, "/data/company", json=body)
        assert await message(answer, status) == words
    assert await companies(space) == ["Old"]


async def test_a_company_cant_take_the_name_of_another(space: Space) -> None:
    await makerspace.company(space.site.connection, name="Old")
    made = await (await space.ola.post("/data/company", json=new())).json()
    answer = await space.ola.put("/data/company", json=new(id=made["id"], name="Old"))
    assert await message(answer, 409) == "name: there is a company called Old already"
    assert await companies(space) == ["Old", "Acme"]


async def test_who_is_employed_must_be_there(space: Space) -> None:
    company = await makerspace.company(space.site.connection)
    for command in ("add-employee", "remove-employee"):
        path = f"/data/company/{company}/cmd/{command}"
        missing = f"/data/company/9999/cmd/{command}"
        for body, status, words in (
            ({"accountId": 9999}, 404, NOT_FOUND),
            ({"accountId": None}, 404, NOT_FOUND),
            ({"accountId": 2.5}, 404, NOT_FOUND),
            ({}, 400, "accountId: is missing"),
            ({"accountId": "x"}, 400, "accountId: a number is expected"),
        ):
            assert await message(await space.ola.post(path, json=body), status) == words
        answer = await space.ola.post(missing, json={"accountId": space.kari_id})
        assert await message(answer, 404) == "Object not found"
    assert await message(await space.kari.get("/data/company/9999"), 404) == NOT_FOUND


async def test_companies_are_changed_by_despots_only_and_seen_by_members_only(
    space: Space,
) -> None:
    company = await makerspace.company(space.site.connection)
    anonymous = await space.site.browser()
    guard = "You are not a member of circle `despot`, permission denied"
    for method, path, body in (
        ("POST", "/data/company", new()),
        ("PUT", "/data/company", new(id=company)),
        ("POST", f"/data/company/{company}/cmd/add-employee", {"accountId": space.kari_id}),
        ("POST", f"/data/company/{company}/cmd/remove-employee", {"accountId": space.kari_id}),
    ):
        assert await message(await space.kari.request(method, path, json=body), 403) == guard
        await message(await anonymous.request(method, path, json=body), 401)
    for path in ("/data/company", f"/data/company/{company}"):
        await message(await anonymous.get(path), 401)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (new(name=""), 400),
        (new(contact="3"), 400),
        (new(active="yes"), 400),
        ({"contact": 3, "active": True}, 400),
        ([], 400),
        (None, 400),
        (new(contact=9999), 403),
        (new(id=9999), 403),
        ({"name": "Acme", "contact": 3}, 403),
    ],
)
async def test_whoever_is_no_despot_is_told_first_what_is_wrong_with_the_body(
    space: Space, body: object, status: int
) -> None:
    anonymous = await space.site.browser()
    for method in ("POST", "PUT"):
        await message(await space.kari.request(method, "/data/company", json=body), status)
        await message(await anonymous.request(method, "/data/company", json=body), 401)
    assert await companies(space) == []
