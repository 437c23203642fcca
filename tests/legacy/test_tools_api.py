"""Tools of the old API: the list, saving, taking and giving back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, LiteralString

import pytest

from console.database import Connection, Database
from tests.support import console_app, makerspace
from tests.support.console_app import Client, Site
from tests.support.old_hardware import old_site

ERROR = "application/vnd.error+json"


@dataclass
class Workshop:
    """Super is despot, ola is admin. Kari and Emil may use the lathe; Eva is in its circle."""

    site: Site
    browsers: dict[str, Client]
    lathe: int

    async def ask(self, who: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = await self.browsers[who].request(
            method, path, **({} if method == "GET" else {"json": body})
        )
        told: Any = await answer.json()
        assert (answer.content_type == ERROR) == (answer.status >= 400)
        return answer.status, told["message"] if answer.status >= 400 else told

    async def save(self, body: object, method: str = "POST") -> tuple[int, Any]:
        return await self.ask("super", method, "/data/tool", body)

    async def checkout(self, who: str, tool: object) -> tuple[int, Any]:
        return await self.ask(who, "POST", "/service/tool/checkout", {"tool": tool})

    async def checkin(self, who: str, tool: object) -> tuple[int, Any]:
        return await self.ask(who, "POST", "/service/tool/checkin", {"tool": tool})

    async def rows(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return await (await self.site.connection.execute(statement)).fetchall()

    async def versions(self) -> list[tuple[Any, ...]]:
        return await self.rows(
            "select operation_type, name, end_transaction_id is null from tool_description_version"
            " order by transaction_id"
        )


@pytest.fixture
async def workshop(database: Database, connection: Connection) -> AsyncGenerator[Workshop]:
    despot = await makerspace.circle(connection, name="despot")
    people = {
        name: await console_app.member(connection, name)
        for name in ("super", "kari", "emil", "eva", "bob")
    }
    people["ola"] = await console_app.admin(connection)
    await makerspace.circle_member(connection, account=people["super"], circle=despot)
    for name in ("kari", "emil", "eva"):
        await makerspace.circle_member(connection, account=people[name])
    for name in ("kari", "emil", "bob"):
        await makerspace.payment(connection, account=people[name])
    async with old_site(database, connection) as site:
        browsers = {name: await site.browser(name) for name in people}
        workshop = Workshop(site, browsers, 0)
        status, made = await workshop.save(
            {"name": "lathe", "description": "turns", "circle": "door"}
        )
        assert status == 200
        workshop.lathe = made["id"]
        yield workshop


async def test_a_tool_is_spelled_as_ever(workshop: Workshop):
    status, tools = await workshop.ask("kari", "GET", "/data/tool")
    assert status == 200
    (lathe,) = tools
    times = {lathe.pop("createdAt"), lathe.pop("updatedAt")}
    assert all(moment.endswith("+00:00") for moment in times)
    assert lathe == {
        "id": workshop.lathe,
        "createdBy": "super",
        "updatedBy": "super",
        "name": "lathe",
        "description": "turns",
        "circle": "door",
        "checkout": {"active": False},
    }
    status, one = await workshop.ask("kari", "GET", f"/data/tool/{workshop.lathe}")
    assert (status, one["name"]) == (200, "lathe")
    assert (await workshop.ask("kari", "GET", "/data/tool/9999"))[0] == 404


async def test_the_list_goes_by_id_and_survives_a_tool_without_circle(workshop: Workshop):
    for name in ("mill", "mill", "a/b"):
        status, _ = await workshop.save({"name": name, "description": None, "circle": "door"})
        assert status == 200
    await workshop.site.connection.execute(
        "update tool_description set circle = null, description = 'x' where name = 'a/b'"
    )
    await workshop.save(
        {"id": workshop.lathe, "name": "big lathe", "description": "", "circle": "door"}, "PUT"
    )
    _, tools = await workshop.ask("kari", "GET", "/data/tool")
    assert [tool["name"] for tool in tools] == ["big lathe", "mill", "mill", "a/b"]
    assert tools[-1]["circle"] is None
    status, words = await workshop.checkout("kari", tools[-1]["id"])
    assert (status, words) == (400, "This tool has no circle, so nobody can use it")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_saving_changes_what_has_an_id_and_makes_what_has_none(
    workshop: Workshop, method: str
):
    ((made_at,),) = await workshop.rows("select created_at from tool_description")
    new = {"id": None, "name": "mill", "description": None, "circle": "laser-cutter"}
    status, mill = await workshop.save(new, method)
    assert (status, mill["circle"]) == (200, "laser-cutter")
    changed = {"id": workshop.lathe, "name": "lathe 2", "description": "x", "circle": "door"}
    for _ in range(2):
        status, lathe = await workshop.save(changed, method)
        assert (status, lathe["name"], lathe["id"]) == (200, "lathe 2", workshop.lathe)
    assert await workshop.versions() == [
        (0, "lathe", False),
        (0, "mill", True),
        (1, "lathe 2", True),
    ]
    assert (made_at,) in await workshop.rows("select created_at from tool_description")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"circle": ""}, 400, "A tool needs a circle"),
        ({"circle": None}, 400, "A tool needs a circle"),
        ({"circle": "nope"}, 400, "No such circle: nope"),
        ({"circle": "DOOR"}, 400, "No such circle: DOOR"),
        ({"circle": "x" * 50_000}, 400, "No such circle: xxx"),
        ({"circle": 2}, 400, "circle"),
        ({"name": None}, 400, "name"),
        ({"name": "n" * 51}, 400, "at most 50"),
        ({"name": "a#b"}, 400, "name"),
        ({"name": "a+b"}, 400, "name"),
        ({"name": "a\0b"}, 400, "name"),
        ({"name": "a\nb"}, 400, "name"),
        ({"name": ["x"]}, 400, "name"),
        ({"description": 5}, 400, "description"),
        ({"id": 9999}, 404, "Object not found"),
        ({"id": 2.5}, 404, "Object not found"),
        ({"id": 2**70}, 404, "Object not found"),
        ({"id": []}, 400, "id"),
    ],
)
async def test_what_cant_be_saved_is_said_and_changes_nothing(
    workshop: Workshop, body: dict[str, object], status: int, words: str
):
    good = {"name": "mill", "description": "", "circle": "door"}
    assert (await workshop.save(good | body))[0] == status
    refused = await workshop.save(good | body, "PUT")
    assert refused[0] == status
    assert words in refused[1]
    for key in good:
        lacking = {name: value for name, value in good.items() if name != key}
        assert (await workshop.save(lacking))[0] == 400
    assert await workshop.versions() == [(0, "lathe", True)]


@pytest.mark.parametrize("name", ["lathe #1", "drill+press", "a\nb"])
async def test_an_odd_name_of_old_stays_and_hinders_no_other_change(workshop: Workshop, name: str):
    await workshop.site.connection.execute("update tool_description set name = %s", [name])
    changed = {"id": workshop.lathe, "name": name, "description": "new", "circle": "laser-cutter"}
    status, tool = await workshop.save(changed, "PUT")
    assert (status, tool["name"], tool["description"]) == (200, name, "new")
    for refused in (changed | {"name": f"{name}+"}, changed | {"id": None}, changed | {"id": 9999}):
        status, words = await workshop.save(refused)
        assert status == 400
        assert words.startswith("name: ")
    _, (lathe,) = await workshop.ask("kari", "GET", "/data/tool")
    assert lathe["name"] == name


async def test_only_despots_save_and_only_members_look(workshop: Workshop):
    good = {"name": "mill", "description": "", "circle": "door"}
    for who in ("kari", "ola"):
        status, words = await workshop.ask(who, "POST", "/data/tool", good)
        assert (status, words) == (
            403, "You are not a member of circle `despot`, permission denied",
        )  # fmt: skip
    workshop.browsers["nobody"] = await workshop.site.browser()
    for method, path in (
        ("POST", "/data/tool"), ("PUT", "/data/tool"), ("GET", "/data/tool"),
        ("GET", "/data/tool/1"), ("POST", "/service/tool/checkout"),
        ("POST", "/service/tool/checkin"),
    ):  # fmt: skip
        assert (await workshop.ask("nobody", method, path, good))[0] == 401
    assert (await workshop.ask("super", "DELETE", "/data/tool", {}))[0] == 405


async def test_taking_and_returning_leaves_the_rows_that_the_old_web_app_left(workshop: Workshop):
    status, tools = await workshop.checkout("kari", workshop.lathe)
    assert status == 200
    (kari,) = (await workshop.rows("select id from account where username = 'kari'"))[0]
    checkout = tools[0]["checkout"]
    assert checkout.pop("started").endswith("+00:00")
    assert checkout == {"active": True, "account": kari, "username": "kari"}
    assert (await workshop.checkout("emil", float(workshop.lathe)))[0] == 200
    status, tools = await workshop.checkin("emil", workshop.lathe)
    assert (status, tools[0]["checkout"]) == (200, {"active": False})
    assert await workshop.rows(
        "select e.domain, e.name, e.text1, a.username from event e"
        " join account a on a.id = e.created_by order by e.id"
    ) == [
        ("tool", "checkout", "lathe", "kari"),
        ("tool", "checkin", "lathe", "emil"),
        ("tool", "checkout", "lathe", "emil"),
        ("tool", "checkin", "lathe", "emil"),
    ]
    assert await workshop.rows(
        "select v.operation_type, a.username from tool_checkout_version v"
        " join account a on a.id = v.account order by v.transaction_id, v.id"
    ) == [(0, "kari"), (2, "kari"), (0, "emil"), (2, "emil")]
    assert await workshop.rows("select id from tool_checkout") == []


async def test_refusals_come_in_the_order_and_words_of_old(workshop: Workshop):
    assert (await workshop.checkout("kari", 9999))[0] == 404
    assert (await workshop.checkin("kari", 9999))[0] == 404
    assert await workshop.checkout("bob", workshop.lathe) == (400, "bob is not in the door circle")
    assert await workshop.checkout("eva", workshop.lathe) == (
        400,
        "eva does not have an active membership and is not employed in an active company",
    )
    await workshop.checkout("kari", workshop.lathe)
    assert await workshop.checkout("kari", workshop.lathe) == (
        400,
        "Tools can only be checked out once.",
    )
    for who in ("eva", "bob"):
        status, words = await workshop.checkin(who, workshop.lathe)
        assert status == 403
        assert "kari" in words
    assert (await workshop.checkin("ola", workshop.lathe))[0] == 200
    for who in ("ola", "kari", "eva"):
        assert (await workshop.checkin(who, workshop.lathe))[0] == 409
    names = [row[0] for row in await workshop.rows("select name from event order by id")]
    assert names == ["checkout", "checkin"]


async def test_an_employee_needs_the_circle_for_a_tool(workshop: Workshop):
    connection = workshop.site.connection
    (eva,), (bob,) = await workshop.rows(
        "select id from account where username in ('eva', 'bob') order by username desc"
    )
    company = await makerspace.company(connection)
    for person in (eva, bob):
        await makerspace.employee(connection, account=person, company=company)
    assert (await workshop.checkout("eva", workshop.lathe))[0] == 200
    assert (await workshop.checkout("bob", workshop.lathe))[0] == 400


@pytest.mark.parametrize("tool", ["502", True, None, [], {}, 2.5])
async def test_a_tool_is_named_by_a_whole_number(workshop: Workshop, tool: object):
    assert (await workshop.checkout("kari", tool))[0] == 400
    assert (await workshop.checkin("kari", tool))[0] == 400
    assert (await workshop.ask("kari", "POST", "/service/tool/checkout", {}))[0] == 400
