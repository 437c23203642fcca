"""Whatever people change leaves a row that says who, from where, in doing what; and no secret."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from console.cards.break_glass import set_break_glass
from console.cards.commands import assign_card
from console.database import Database
from console.doors.changing import DoorChange, change_door
from console.doors.commands import NewDoor, add_door
from console.people.commands import add_account
from console.tools.attaching import Attachment, attach_tool, detach_tool
from console.web.versions import version_of
from tests.support import makerspace
from tests.support.authors import SOMEBODY
from tests.support.console_app import PASSWORD, SALT, Client, Site, member, see_and_save
from tests.support.site import enrolled, new_site_keys

NEW_PASSWORD = "another horse battery"
CARD, OTHER_CARD = "em4100:0102345678", "em4100:0102345679"


@dataclass
class House:
    """Ola may do everything, and Kari is whom it is done to."""

    site: Site
    database: Database
    folder: Path
    ola: int
    kari: int
    browser: Client
    lathe: int
    card: int
    company: int
    secrets: list[str] = field(default_factory=list[str])

    async def send(self, path: str, body: object, method: str = "POST") -> None:
        answer = await self.browser.request(method, path, json=body)
        assert answer.status == 200, await answer.text()

    async def press(self, path: str, **fields: str) -> None:
        answer = await see_and_save(self.browser, path, data=fields)
        assert answer.status == 303, await answer.text()

    async def rows(self) -> list[dict[str, Any]]:
        cursor = await self.site.connection.execute(
            "select to_jsonb(a) from access.audit a order by id"
        )
        return [row for (row,) in await cursor.fetchall()]


@pytest.fixture
async def house(site: Site, database: Database, tmp_path: Path) -> House:
    conn = site.connection
    ola, kari = await member(conn, "ola"), await member(conn, "kari", name="Kari")
    for circle in ("admin", "door", await makerspace.circle(conn, name="despot")):
        await makerspace.circle_member(conn, account=ola, circle=circle)
    await makerspace.circle_member(conn, account=kari, circle="door")
    await makerspace.payment(conn, account=ola)
    await makerspace.controller(conn)
    await makerspace.door(conn)
    await makerspace.card(conn, account=kari, label="spare")
    return House(
        site,
        database,
        tmp_path,
        ola,
        kari,
        await site.browser("ola"),
        lathe=await makerspace.tool(conn, name="Lathe"),
        card=await makerspace.card(conn, account=kari, label="blue fob"),
        company=await makerspace.company(conn, name="Acme"),
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody does. `leaves`: places and operations, in order.

    `doing` without a method is a command. `whom`: whom it concerns.
    """

    do: Callable[[House], Awaitable[object]]
    doing: str
    leaves: tuple[str, ...]
    whom: str | None = None
    by: str | None = "ola"


async def change_password(house: House) -> None:
    await house.send(
        "/service/set-password", {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    )


async def end_session(house: House, account: int, path: str) -> None:
    """Of three, whose browsers and tokens nothing is kept of."""
    username = "ola" if account == house.ola else "kari"
    for _ in range(3):
        await house.site.browser(username)
    conn = house.site.connection
    await conn.execute("update access.session set user_agent = 'Her own browser'")
    cursor = await conn.execute(
        "select left(encode(token_digest, 'hex'), 16) from access.session"
        " where account = %s order by created_at desc",
        [account],
    )
    names = [name for (name,) in await cursor.fetchall()]
    house.secrets += ["Her own browser", *names]
    await house.press(f"{path}/sessions/{names[0]}/end")


async def register(house: House) -> None:
    body = {"username": "eva", "email": "eva@example.org", "password": NEW_PASSWORD, "name": "Eva"}
    answer = await (await house.site.browser()).post("/service/register-account", json=body)
    assert answer.status == 200


async def check_in(house: House) -> None:
    await makerspace.checkout(house.site.connection, tool=house.lathe, account=house.ola)
    await house.send("/service/tool/checkin", {"tool": house.lathe})


async def make_and_enrol(house: House) -> None:
    bundle = await enrolled(house.database, new_site_keys(house.folder), house.folder)
    house.secrets += [bundle.broker_password, bundle.entry_key.hex(), bundle.private_key.hex()]


async def make_account(house: House) -> None:
    await add_account(
        house.database,
        username="eva",
        email="eva@example.org",
        name="Eva",
        circles=["door"],
        password=NEW_PASSWORD,
    )


async def give_card(house: House) -> None:
    await assign_card(
        house.database, SALT, username="kari", credential_text=OTHER_CARD, label="red fob"
    )


async def detach(house: House) -> None:
    laser = await makerspace.tool(house.site.connection, name="Laser")
    await makerspace.tool_point(house.site.connection, tool=laser)
    await detach_tool(house.database, "laser")


async def break_glass(house: House) -> None:
    await set_break_glass(house.database, username="kari", card="spare", is_break_glass=True)


async def remove_circle(house: House) -> None:
    circle = await makerspace.circle(house.site.connection, name="empty", admin_circle=1)
    answer = await house.browser.delete(f"/data/circle/{circle}")
    assert answer.status == 200, await answer.text()


CIRCLE = {
    "name": "wood",
    "description": "",
    "managementStyle": "ADMIN_CIRCLE",
    "adminCircle": "admin",
    "commentRequiredForMembership": False,
}

DEEDS = {
    "adding somebody to a circle": Deed(
        lambda h: h.press("/circles/5/members", username="kari", comment="tour"),
        "POST /circles/{circle}/members",
        ("public.circle_member added",),
        "kari",
    ),
    "removing somebody from a circle": Deed(
        lambda h: h.press(f"/members/{h.kari}/circles/2/removal"),
        "POST /members/{account}/circles/{circle}/removal",
        ("public.circle_member removed",),
        "kari",
    ),
    "making a circle": Deed(
        lambda h: h.send("/data/circle", CIRCLE), "POST /data/circle", ("public.circle added",)
    ),
    "removing a circle": Deed(
        remove_circle, "DELETE /data/circle/{id}", ("public.circle removed",)
    ),
    "giving a card": Deed(
        lambda h: h.press(f"/members/{h.kari}/cards", credential=CARD, label="new"),
        "POST /members/{account}/cards",
        ("access.card added",),
        "kari",
    ),
    "renaming a card": Deed(
        lambda h: h.press(
            f"/cards/{h.card}/label", label="green fob", version=version_of("blue fob")
        ),
        "POST /cards/{card}/label",
        ("access.card changed",),
        "kari",
    ),
    "reporting a card lost": Deed(
        lambda h: h.press(f"/cards/{h.card}/loss"),
        "POST /cards/{card}/loss",
        ("access.card changed",),
        "kari",
    ),
    "changing one's phone": Deed(
        lambda h: h.send("/service/edit-profile", {"phone": "98765432"}),
        "POST /service/edit-profile",
        ("public.account changed",),
        "ola",
    ),
    "changing one's password": Deed(
        change_password, "POST /service/set-password", ("public.account changed",), "ola"
    ),
    "ending one session of one's own": Deed(
        lambda h: end_session(h, h.ola, "/me/account"),
        "POST /me/account/sessions/{session}/end",
        ("access.session_end added",),
        "ola",
    ),
    "ending all others of one's own": Deed(
        lambda h: h.press("/me/account/sessions/others/end"),
        "POST /me/account/sessions/others/end",
        ("access.session_end added",),
        "ola",
    ),
    "ending one session of somebody": Deed(
        lambda h: end_session(h, h.kari, f"/members/{h.kari}/account"),
        "POST /members/{account}/account/sessions/{session}/end",
        ("access.session_end added",),
        "kari",
    ),
    "ending all sessions of somebody": Deed(
        lambda h: h.press(f"/members/{h.kari}/account/sessions/end"),
        "POST /members/{account}/account/sessions/end",
        ("access.session_end added",),
        "kari",
    ),
    "registering": Deed(
        register, "POST /service/register-account", ("public.account added",), "eva", by=None
    ),
    "awarding a new badge": Deed(
        lambda h: h.send("/badge/create-badge", {"title": "Welder", "recipient": "kari"}),
        "POST /badge/create-badge",
        ("public.badge_description added", "public.account_badge added"),
        "kari",
    ),
    "making a company": Deed(
        lambda h: h.send("/data/company", {"name": "Bolt", "contact": h.kari, "active": True}),
        "POST /data/company",
        ("public.company added",),
    ),
    "changing a company": Deed(
        lambda h: h.send(
            "/data/company",
            {"id": h.company, "name": "Acme", "contact": 3, "active": False},
            "PUT",
        ),
        "PUT /data/company",
        ("public.company changed",),
    ),
    "employing somebody": Deed(
        lambda h: h.send(f"/data/company/{h.company}/cmd/add-employee", {"accountId": h.kari}),
        "POST /data/company/{id}/cmd/add-employee",
        ("public.company_employee added",),
        "kari",
    ),
    "making a tool": Deed(
        lambda h: h.send("/data/tool", {"name": "Saw", "description": "", "circle": "door"}),
        "POST /data/tool",
        ("public.tool_description added",),
    ),
    "checking a tool out": Deed(
        lambda h: h.send("/service/tool/checkout", {"tool": h.lathe}),
        "POST /service/tool/checkout",
        ("public.tool_checkout added",),
        "ola",
    ),
    "checking a tool in": Deed(
        check_in, "POST /service/tool/checkin", ("public.tool_checkout removed",), "ola"
    ),
    "making an account at the prompt": Deed(
        make_account,
        "p2k16-console accounts add",
        ("public.account added", "public.circle_member added"),
        "eva",
        by=None,
    ),
    "giving a card at the prompt": Deed(
        give_card, "p2k16-console cards assign", ("access.card added",), "kari", by=None
    ),
    "making a break-glass card": Deed(
        break_glass,
        "p2k16-console cards break-glass",
        ("access.break_glass_card added",),
        "kari",
        by=None,
    ),
    "making a door": Deed(
        lambda h: add_door(h.database, NewDoor("back", "Back", ["door"], 5, controller="front-pi")),
        "p2k16-console doors add",
        ("access.door added", "access.door_circle added"),
        by=None,
    ),
    "changing a door": Deed(
        lambda h: change_door(h.database, DoorChange("front", open_seconds=9)),
        "p2k16-console doors set",
        ("access.door changed",),
        by=None,
    ),
    "setting open hours": Deed(
        lambda h: change_door(h.database, DoorChange("front", open_hours="tue 18:00-22:00")),
        "p2k16-console doors set",
        ("access.open_hours added",),
        by=None,
    ),
    "attaching a tool": Deed(
        lambda h: attach_tool(h.database, Attachment("Lathe", "lathe", "front-pi")),
        "p2k16-console tools attach",
        ("access.tool_point added",),
        by=None,
    ),
    "detaching a tool": Deed(
        detach, "p2k16-console tools detach", ("access.tool_point removed",), by=None
    ),
    "enrolling a controller": Deed(
        make_and_enrol,
        "p2k16-console controllers enrol",
        ("access.controller changed",),
        by=None,
    ),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
async def test_a_deed_is_written_down_once_with_who_and_from_where(house: House, deed: Deed):
    await deed.do(house)
    rows = await house.rows()
    assert tuple(f"{row['place']} {row['operation']}" for row in rows) == deed.leaves
    address = "127.0.0.1" if "/" in deed.doing else None
    actor = house.ola if deed.by else None
    for row in rows:
        assert (row["actor"], row["address"], row["doing"]) == (actor, address, deed.doing)
    cursor = await house.site.connection.execute(
        "select username from account where id = %s", [rows[-1]["account"]]
    )
    assert await cursor.fetchone() == (None if deed.whom is None else (deed.whom,))


async def test_what_was_refused_leaves_nothing(house: House):
    for path, body in (
        ("/data/company", {"name": "Acme", "contact": 3, "active": True}),
        ("/data/circle", {**CIRCLE, "name": "admin"}),
        ("/service/set-password", {"oldPassword": "wrong", "newPassword": NEW_PASSWORD}),
        ("/badge/create-badge", {"title": "Welder", "recipient": "nobody"}),
    ):
        assert (await house.browser.post(path, json=body)).status in {400, 409}
    answer = await house.browser.post("/circles/2/members", data={"username": "kari"})
    assert answer.status == 422
    assert await house.rows() == []


async def test_no_row_holds_a_secret_whatever_was_done(house: House):
    """All deeds in a row, then everything that is secret in the tables is looked for."""
    for name, deed in DEEDS.items():
        if name not in {"making an account at the prompt", "giving a card at the prompt"}:
            await deed.do(house)
    await give_card(house)
    async with house.database.writing(by=SOMEBODY) as conn:
        await conn.execute(
            "update account set reset_token = 'sha256:token', password = '$6$x$y' where id = %s",
            [house.kari],
        )
    cursor = await house.site.connection.execute(
        """
        select unnest(array[password, reset_token]) from account
        union all select encode(site_digest, 'hex') from access.card
        union all select encode(unnest(array[public_key, entry_key]), 'hex') from access.controller
        union all select broker_password_hash from access.controller
        """
    )
    secrets = [secret for (secret,) in await cursor.fetchall() if secret]
    secrets += [*house.secrets, PASSWORD, NEW_PASSWORD, CARD.partition(":")[2]]
    assert len(secrets) > 12
    rows = await house.rows()
    assert len(rows) > len(DEEDS) - 3
    text = json.dumps(rows)
    assert [secret for secret in secrets if secret in text] == []
    assert text.count("(secret)") >= 6
