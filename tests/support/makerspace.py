"""Builders of the makerspace's rows. Each gives the new row's id, and makes up what isn't said.

They write plain rows, as an import or the old web app would, not through the console's features.
"""

import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from console.database import Connection

SYSTEM = 3
"""The account that every database starts with."""
DOOR_CIRCLE = 2
"""The circle `door`, likewise."""


async def account(
    connection: Connection,
    *,
    username: str | None = None,
    password_hash: str | None = None,
    name: str | None = None,
    email: str | None = None,
    system: bool = False,
) -> int:
    """Someone; without a password hash nobody can log in as them."""
    username = username or f"member-{_unlike_others()}"
    return await _insert(
        connection,
        b"""
        insert into account (created_at, updated_at, username, email, name, password, system)
        values (now(), now(), %(username)s, %(email)s, %(name)s, %(password)s, %(system)s)
        returning id
        """,
        {
            "username": username,
            "email": email or f"{username}@example.org",
            "name": name or username.capitalize(),
            "password": password_hash,
            "system": system,
        },
    )


async def circle(
    connection: Connection, *, name: str | None = None, admin_circle: int | None = None
) -> int:
    """A circle that its own members manage, or those of `admin_circle`."""
    return await _insert(
        connection,
        b"""
        insert into circle (created_at, created_by, updated_at, updated_by, name, description,
          management_style, admin_circle, comment_required_for_membership)
        values (now(), 3, now(), 3, %(name)s, '', %(style)s, %(admin_circle)s, false)
        returning id
        """,
        {
            "name": name or f"circle-{_unlike_others()}",
            "style": "SELF_ADMIN" if admin_circle is None else "ADMIN_CIRCLE",
            "admin_circle": admin_circle,
        },
    )


async def circle_member(
    connection: Connection, *, account: int, circle: int | str = DOOR_CIRCLE
) -> int:
    """Puts an account into a circle, which is given by its id or its name."""
    return await _insert(
        connection,
        b"""
        insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account)
        select now(), 3, now(), 3, id, %(account)s
        from circle where id::text = %(circle)s or name = %(circle)s
        returning id
        """,
        {"account": account, "circle": str(circle)},
    )


async def payment(
    connection: Connection,
    *,
    account: int,
    start: datetime | None = None,
    end: datetime | None = None,
    amount: Decimal | int = 500,
) -> int:
    """A payment of `amount` crowns, by default for the month around now."""
    now = datetime.now(UTC)
    return await _insert(
        connection,
        b"""
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount, payment_date)
        values (now(), %(account)s, now(), %(account)s, %(stripe_id)s, %(start)s, %(end)s,
          %(amount)s, %(start)s)
        returning id
        """,
        {
            "account": account,
            "stripe_id": f"in_{secrets.token_hex(8)}",
            "start": start or now - timedelta(days=10),
            "end": end or now + timedelta(days=20),
            "amount": amount,
        },
    )


async def company(
    connection: Connection,
    *,
    name: str | None = None,
    active: bool = True,
    contact: int = SYSTEM,
) -> int:
    """A company."""
    return await _insert(
        connection,
        b"""
        insert into company (created_at, created_by, updated_at, updated_by, name, active, contact)
        values (now(), 3, now(), 3, %(name)s, %(active)s, %(contact)s)
        returning id
        """,
        {
            "name": name or f"company-{_unlike_others()}",
            "active": active,
            "contact": contact,
        },
    )


async def employee(connection: Connection, *, account: int, company: int) -> int:
    """Employs an account."""
    return await _insert(
        connection,
        b"""
        insert into company_employee (created_at, created_by, updated_at, updated_by, company,
          account)
        values (now(), 3, now(), 3, %(company)s, %(account)s)
        returning id
        """,
        {"account": account, "company": company},
    )


async def controller(connection: Connection, *, key: str = "front-pi") -> str:
    """A controller that is not enrolled yet."""
    await connection.execute("insert into access.controller (id) values (%s)", [key])
    return key


async def door(
    connection: Connection,
    *,
    key: str = "front",
    name: str = "Front door",
    controller: str = "front-pi",
    circles: tuple[int, ...] = (DOOR_CIRCLE,),
    open_seconds: int = 5,
) -> str:
    """A door, which members of `circles` may open while they pay. Its controller must be there."""
    await connection.execute(
        """
        insert into access.door (key, name, controller, open_seconds)
        values (%(key)s, %(name)s, %(controller)s, %(open_seconds)s)
        """,
        {"key": key, "name": name, "controller": controller, "open_seconds": open_seconds},
    )
    for circle_id in circles:
        await connection.execute(
            "insert into access.door_circle (door, circle) values (%s, %s)", [key, circle_id]
        )
    return key


async def tool(
    connection: Connection, *, name: str = "Laser", circle: int | None = DOOR_CIRCLE
) -> int:
    """A tool, which no controller powers."""
    return await _insert(
        connection,
        b"""
        insert into tool_description
          (created_at, created_by, updated_at, updated_by, name, circle)
        values (now(), 3, now(), 3, %(name)s, %(circle)s)
        returning id
        """,
        {"name": name, "circle": circle},
    )


async def tool_point(
    connection: Connection, *, tool: int, key: str = "laser", controller: str = "front-pi"
) -> str:
    """A tool that a controller powers, which must be there."""
    await connection.execute(
        "insert into access.tool_point (key, tool, controller) values (%s, %s, %s)",
        [key, tool, controller],
    )
    return key


async def checkout(connection: Connection, *, tool: int, account: int) -> None:
    """Somebody takes a tool, in the old web application."""
    await connection.execute(
        """
        insert into tool_checkout
          (created_at, created_by, updated_at, updated_by, tool_description, account, started)
        values (now(), %(account)s, now(), %(account)s, %(tool)s, %(account)s, now())
        """,
        {"tool": tool, "account": account},
    )


async def card(
    connection: Connection,
    *,
    account: int,
    site_digest: bytes | None = None,
    credential_type: str = "em4100",
    label: str = "",
    lost: bool = False,
) -> int:
    """A card. Without a digest it is one that nobody could ever tap."""
    return await _insert(
        connection,
        b"""
        insert into access.card (account, credential_type, site_digest, label, lost_at)
        values (%(account)s, %(credential_type)s, %(site_digest)s, %(label)s,
          case when %(lost)s then now() end)
        returning id
        """,
        {
            "account": account,
            "credential_type": credential_type,
            "site_digest": site_digest or secrets.token_bytes(16),
            "label": label,
            "lost": lost,
        },
    )


def _unlike_others() -> str:
    """Made of what no test searches for: it has neither digits nor vowels."""
    return "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(8))


async def _insert(connection: Connection, statement: bytes, values: dict[str, object]) -> int:
    cursor = await connection.execute(statement, values)
    row = await cursor.fetchone()
    assert row is not None, "nothing was inserted"
    return row[0]
