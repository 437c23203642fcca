"""What programs with Basic credentials are told about a member, and when nothing."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support import makerspace
from tests.support.console_app import PASSWORD, Client, Site, member

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = "Unauthorized: The", "Forbidden: You", "Not Found: The"


def basic(username: str, password: str = PASSWORD) -> Mapping[str, str]:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


@pytest.fixture
async def client(site: Site) -> Client:
    """A program without cookies. `robot` may ask about `Anne`, who pays and has a fee."""
    connection = site.connection
    robot = await member(connection, "robot")
    circle = await makerspace.circle(connection, name="api")
    await makerspace.circle_member(connection, account=robot, circle=circle)
    await member(connection, "kari")
    anne = await makerspace.account(connection, username="Anne", email="Anne@x.example")
    for amount in (500, 300):
        await makerspace.payment(connection, account=anne, amount=amount)
    for fee in (400, 500):
        await connection.execute(
            """
            insert into membership (created_at, created_by, updated_at, updated_by,
              first_membership, start_membership, fee)
            values (now(), %(account)s, now(), %(account)s, '2024-01-02 03:04:05+00',
              '2025-01-02 03:04:05.5+00', %(fee)s)
            """,
            {"account": anne, "fee": fee},
        )
    return await site.browser()


async def ask(client: Client, query: str, headers: Mapping[str, str]) -> Any:
    response = await client.get(f"/api/memberinfo{query}", headers=headers)
    assert response.status == 200, await response.text()
    assert response.content_type == "application/json"
    return await response.json()


async def refusal(client: Client, query: str, headers: Mapping[str, str]) -> tuple[int, str]:
    response = await client.get(f"/api/memberinfo{query}", headers=headers)
    assert response.content_type == "application/vnd.error+json"
    body = await response.json()
    assert set(body) == {"message"}
    return response.status, body["message"]


@pytest.mark.parametrize("given", ["anne", "ANNE", "Anne"])
async def test_the_name_is_echoed_as_given(given: str, client: Client) -> None:
    assert await ask(client, f"?username={given}", basic("ROBOT")) == {
        "username": given,
        "email": "Anne@x.example",
        "employment": False,
        "paying_member": True,
        "month_count": 2,
        "fee": 500,
        "first_membership": "2024-01-02T03:04:05+00:00",
        "start_membership": "2025-01-02T03:04:05.500000+00:00",
    }


async def test_without_a_membership_there_is_no_fee(client: Client, site: Site) -> None:
    carol = await makerspace.account(site.connection, username="carol")
    company = await makerspace.company(site.connection)
    await makerspace.employee(site.connection, account=carol, company=company)
    assert await ask(client, "?username=carol", basic("robot")) == {
        "username": "carol",
        "email": "carol@example.org",
        "employment": True,
        "paying_member": False,
        "month_count": 0,
    }
    assert (await ask(client, "?username=system", basic("robot")))["employment"] is False


async def test_of_two_names_that_differ_in_case_the_one_as_written_is_meant(
    client: Client, site: Site
) -> None:
    await makerspace.account(site.connection, username="ANNE", email="other@x.example")
    assert (await ask(client, "?username=ANNE", basic("robot")))["email"] == "other@x.example"
    assert (await ask(client, "?username=aNNe", basic("robot")))["email"] == "Anne@x.example"


@pytest.mark.parametrize(
    "authorization", [None, "Bearer abc", "Basic", "Basic !!!", "Basic ", "Digest x"]
)
async def test_without_basic_credentials_it_is_401(
    authorization: str | None, client: Client, site: Site
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for asking in (client, await site.browser("robot")):
        status, message = await refusal(asking, "?username=anne", headers)
        assert (status, message[:17]) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("robot", "wrong"),
        ("nobody", "wrong"),
        ("kari", PASSWORD),
        ("", ""),
        ("system", "x"),
        ("x" * 300, "x"),
        ("robot", "x" * 3000),
    ],
)
async def test_wrong_credentials_and_people_outside_the_circle_are_403(
    username: str, password: str, client: Client
) -> None:
    for query in ("?username=anne", "?username=nobody", ""):
        status, message = await refusal(client, query, basic(username, password))
        assert (status, message[:14]) == (403, FORBIDDEN)


@pytest.mark.parametrize(
    "query",
    [
        *("", "?username=", "?username=nobody", "?username=anne%20", "?user=anne"),
        *("?username=%00", "?username=%ff", "?username=%ED%A0%80", "?username=" + 51 * "a"),
    ],
)
async def test_an_unknown_name_is_404(query: str, client: Client) -> None:
    status, message = await refusal(client, query, basic("robot"))
    assert (status, message[:14]) == (404, NOT_FOUND)


async def test_without_the_circle_nobody_may_ask(client: Client, site: Site) -> None:
    await site.connection.execute("delete from circle_member where circle > 100")
    assert (await refusal(client, "?username=anne", basic("robot")))[0] == 403
    await site.connection.execute("delete from circle where name = 'api'")
    assert await refusal(client, "?username=anne", basic("robot")) == (404, "Object not found")
    assert (await refusal(client, "?username=anne", basic("robot", "wrong")))[0] == 403


async def test_who_is_removed_from_the_circle_is_told_no_more_at_once(
    client: Client, site: Site
) -> None:
    await ask(client, "?username=anne", basic("robot"))
    await site.connection.execute("delete from circle_member where circle > 100")
    assert (await refusal(client, "?username=anne", basic("robot")))[0] == 403


async def test_another_method_is_405(client: Client) -> None:
    response = await client.post("/api/memberinfo?username=anne", headers=basic("robot"))
    assert response.status == 405
