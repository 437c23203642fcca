"""People in the old API: what a member is told of herself and of others, in the old shapes."""

import hashlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.database import Connection, Database
from console.legacy.answers import Json
from console.legacy.profile_shapes import own_profile
from console.settings import LegacySettings
from tests.legacy.sites import legacy_settings, site_with
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member
from tests.support.statements import record_statements

FEE = 987_654_321  # found in no time and no number of a row
LISTS = ("/data/profile-summary", "/data/profile")


@pytest.fixture
async def open_site(database: Database, connection: Connection) -> AsyncGenerator[Site]:
    """Where members see everything of one another."""
    settings = legacy_settings(database, LegacySettings(open_directory=True))
    async with site_with(database, connection, settings) as opened:
        yield opened


async def anne(connection: Connection) -> int:
    """She pays, has a phone, a fee, a badge, and is in the circle `door`."""
    account = await makerspace.account(
        connection, username="anne", name="Anne Hansen", email="Anne@secret.example"
    )
    await connection.execute("update account set phone = '98765432' where id = %s", [account])
    await makerspace.circle_member(connection, account=account)
    await makerspace.payment(connection, account=account)
    await membership(connection, account=account, fee=FEE)
    await connection.execute(
        """
        with laser as (
          insert into badge_description (created_at, created_by, updated_at, updated_by, title)
          values (now(), 3, now(), 3, 'laser') returning id
        )
        insert into account_badge (created_at, created_by, updated_at, updated_by, account,
          badge_description, awarded_by)
        select now(), 3, now(), 3, %s, id, 3 from laser
        """,
        [account],
    )
    return account


async def membership(connection: Connection, *, account: int, fee: int) -> None:
    await connection.execute(
        """
        insert into membership (created_at, created_by, updated_at, updated_by, first_membership,
          start_membership, fee)
        values (now(), %(account)s, now(), %(account)s, '2024-01-02 03:04:05+00',
          '2025-01-02 03:04:05.5+00', %(fee)s)
        """,
        {"account": account, "fee": fee},
    )


async def get(client: Client, path: str) -> Any:
    response = await client.get(path)
    assert response.status == 200, await response.text()
    assert response.content_type == "application/json"
    return await response.json()


async def of(client: Client, path: str, account: int) -> Any:
    """Her entry in a list."""
    [found] = [one for one in await get(client, path) if one["account"]["id"] == account]
    return found


def gravatar(text: str) -> str:
    return (
        "https://www.gravatar.com/avatar/"
        + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    )


async def test_a_list_has_everybody_but_system_accounts_by_id(site: Site) -> None:
    kari, ola = await member(site.connection, "kari"), await member(site.connection, "ola")
    await makerspace.account(site.connection, username="robot", system=True)
    await site.connection.execute("update account set phone = '1' where id = %s", [kari])
    client = await site.browser("kari")
    for path in LISTS:
        assert [one["account"]["id"] for one in await get(client, path)] == [kari, ola]


async def test_others_are_told_neither_address_nor_money(site: Site) -> None:
    account = await anne(site.connection)
    await member(site.connection, "kari")
    client = await site.browser("kari")
    for path in (*LISTS, f"/data/account/{account}", f"/data/account-summary/{account}"):
        text = await (await client.get(path)).text()
        assert "Anne Hansen" in text
        for secret in ("secret.example", "98765432", str(FEE), "2024-01-02", "2025-01-02"):
            assert secret not in text, (path, secret)
        assert gravatar("Anne@secret.example") not in text
    profile = await of(client, "/data/profile", account)
    assert profile["account"]["email"] is None
    assert profile["account"]["phone"] is None
    assert profile["avatar"] == gravatar("anne")
    assert profile["membership_fee"] is None
    one = await get(client, f"/data/account/{account}")
    assert one["membership"] == {
        "fee": None,
        "first_membership": None,
        "start_membership": None,
        "payments": None,
    }
    summary = await get(client, f"/data/account-summary/{account}")
    assert set(summary) == {"account", "badges", "lastDoorOpen"}


async def test_who_may_use_what_is_told_to_everybody(site: Site) -> None:
    account = await anne(site.connection)
    carol = await member(site.connection, "carol")
    company = await makerspace.company(site.connection)
    await makerspace.employee(site.connection, account=carol, company=company)
    client = await site.browser("carol")

    def flags(profile: Json) -> tuple[object, ...]:
        names = ("active_member", "has_door_access", "is_paying_member", "is_employed")
        return tuple(profile[name] for name in names)

    assert flags(await of(client, "/data/profile", account)) == (True, True, True, False)
    assert flags(await get(client, f"/data/account/{carol}")) == (True, True, False, True)


@pytest.mark.parametrize("who", ["herself", "an admin", "anybody in an open house"])
async def test_everything_is_told_to(who: str, site: Site, open_site: Site) -> None:
    account = await anne(site.connection)
    await member(site.connection, "kari")
    await admin(site.connection, "ola")
    client = {
        "herself": await site.browser("anne"),
        "an admin": await site.browser("ola"),
        "anybody in an open house": await open_site.browser("kari"),
    }[who]
    for path in LISTS:
        profile = await of(client, path, account)
        assert profile["account"]["email"] == "Anne@secret.example"
        assert profile["account"]["phone"] == "98765432"
        assert profile["avatar"] == gravatar("Anne@secret.example")
        assert [badge["account_id"] for badge in profile["badges"].values()] == [account]
    assert (await of(client, "/data/profile", account))["membership_fee"] == FEE
    one = await get(client, f"/data/account/{account}")
    assert one["badges"] is None
    assert one["membership_fee"] == FEE
    [payment] = one["membership"].pop("payments")
    assert one["membership"] == {
        "fee": FEE,
        "first_membership": "2024-01-02T03:04:05+00:00",
        "start_membership": "2025-01-02T03:04:05.500000+00:00",
    }
    assert set(payment) == {"id", "start_date", "end_date", "amount", "payment_date"}
    assert payment["amount"] == 500.0
    summary = await get(client, f"/data/account-summary/{account}")
    assert summary["account"] == one["account"]
    assert ("membership" in summary) == (who != "anybody in an open house")


async def test_who_leaves_the_admins_is_told_no_more(site: Site) -> None:
    account = await anne(site.connection)
    ola = await admin(site.connection, "ola")
    client = await site.browser("ola")
    assert (await of(client, "/data/profile", account))["membership_fee"] == FEE
    await site.connection.execute("delete from circle_member where account = %s", [ola])
    assert (await of(client, "/data/profile", account))["membership_fee"] is None


async def test_members_of_insight_fee_are_told_fees_by_the_summary(
    site: Site, open_site: Site
) -> None:
    account = await anne(site.connection)
    kari = await member(site.connection, "kari")
    circle = await makerspace.circle(site.connection, name="insight-fee")
    await makerspace.circle_member(site.connection, account=kari, circle=circle)
    for house in (site, open_site):
        client = await house.browser("kari")
        summary = await get(client, f"/data/account-summary/{account}")
        assert summary["membership"] == {
            "fee": FEE,
            "first_membership": "2024-01-02T03:04:05+00:00",
            "start_membership": "2025-01-02T03:04:05.500000+00:00",
        }
        assert (summary["employment"], summary["paying_member"]) == (False, True)
        assert (summary["account"]["email"] is None) == (house is site)
        assert (await get(client, f"/data/account-summary/{kari}"))["membership"] == {"fee": 0}


async def test_a_summary_has_the_badges_as_a_list_and_the_last_opening(site: Site) -> None:
    account = await anne(site.connection)
    await member(site.connection, "kari")
    client = await site.browser("kari")
    path = f"/data/account-summary/{account}"
    before = await get(client, path)
    assert before["lastDoorOpen"] is None
    assert [badge["account_username"] for badge in before["badges"]] == ["anne"]
    now = datetime.now(UTC)
    for name, door, minutes in (("open", "old", 9), ("open", "front", 5), ("close", "no", 1)):
        await site.connection.execute(
            "insert into event (created_at, created_by, domain, name, text1)"
            " values (%s, %s, 'door', %s, %s)",
            [now - timedelta(minutes=minutes), account, name, door],
        )
    assert (await get(client, path))["lastDoorOpen"] == {
        "created_at": (now - timedelta(minutes=5)).isoformat(),
        "created_by": account,
        "created_by_username": "anne",
        "domain": "door",
        "name": "open",
        "door": "front",
    }


async def test_two_memberships_of_one_account_break_nothing_and_the_newer_counts(
    site: Site,
) -> None:
    account = await anne(site.connection)
    await membership(site.connection, account=account, fee=300)
    client = await site.browser("anne")
    assert (await of(client, "/data/profile", account))["membership_fee"] == 300
    one = await get(client, f"/data/account/{account}")
    assert (one["membership_fee"], one["membership"]["fee"]) == (300, 300)


async def test_an_amount_that_is_no_number_and_an_endless_payment_break_nothing(site: Site) -> None:
    account = await anne(site.connection)
    await site.connection.execute(
        "update stripe_payment set amount = 'NaN', end_date = 'infinity', payment_date = null"
    )
    client = await site.browser("anne")
    [payment] = (await get(client, f"/data/account/{account}"))["membership"]["payments"]
    assert (payment["amount"], payment["payment_date"]) == (None, None)


@pytest.mark.parametrize("number", ["9999", "9" * 18, "9223372036854775808", "9" * 100])
@pytest.mark.parametrize("kind", ["account", "account-summary"])
async def test_an_unknown_account_is_404(number: str, kind: str, site: Site) -> None:
    await member(site.connection, "kari")
    response = await (await site.browser("kari")).get(f"/data/{kind}/{number}")
    assert response.status == 404
    assert response.content_type == "application/vnd.error+json"
    message = (await response.json())["message"]
    assert message.startswith("Not Found: The requested URL was not found on the server.")


@pytest.mark.parametrize(
    "path", [*LISTS, "/data/account/1", f"/data/account/{'9' * 20}", "/data/account-summary/1"]
)
async def test_nobody_is_told_anything_without_logging_in(
    path: str, site: Site, open_site: Site
) -> None:
    await anne(site.connection)
    for house in (site, open_site):
        response = await (await house.browser()).get(path)
        assert response.status == 401
        assert set(await response.json()) == {"message"}


async def test_a_system_account_may_be_asked_for_by_its_id(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    one = await get(client, "/data/account/3")
    assert (one["account"]["username"], one["active_member"]) == ("system", False)


async def test_a_list_takes_as_many_statements_for_many_people_as_for_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anne(site.connection)
    client = await site.browser("anne")
    statements = record_statements(monkeypatch)
    await get(client, "/data/profile")
    for_one = len(statements)
    await site.connection.execute(
        """
        insert into account (created_at, updated_at, username, email, system)
        select now(), now(), 'm' || n, n || '@x', false from generate_series(1, 50) n
        """
    )
    statements.clear()
    assert len(await get(client, "/data/profile")) == 51
    assert 0 < len(statements) == for_one < 12


async def test_her_own_profile_has_no_null_badges(connection: Connection) -> None:
    kari = await makerspace.account(connection, username="kari")
    plain = await own_profile(connection, account_id=kari, is_full=False)
    assert set(plain) == {"account", "avatar", "circles", "badges"}
    assert plain["badges"] == {}
    account = await anne(connection)
    full = await own_profile(connection, account_id=account, is_full=True)
    assert set(full) - set(plain) == {
        *("active_member", "membership_fee", "has_door_access", "is_paying_member", "is_employed")
    }
    assert full["membership_fee"] == FEE
    assert full["circles"] == {"2": {"id": 2, "name": "door"}}
