"""A makerspace in which there is one of everything, and Vera, of whom there is much to hide."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from console.database import Connection
from tests.support import makerspace
from tests.support.console_app import PASSWORD_HASH
from tests.support.recorded import event
from tests.walk import private_facts as private
from tests.walk.roles import CIRCLES, MEMBERS, Role
from tests.walk.states import IDLE_CONTROLLER, add_states

Ids = Mapping[str, Sequence[str]]
"""What may stand for each name in a path; the first is the one that most is known of."""

BADGE = "Welder"
VERAS_SESSION = hashlib.sha256(b"vera").digest()


async def seed(connection: Connection) -> Ids:
    """Fills a migrated database. `pawn` is there to be put into what she isn't in."""
    circles = await _circles(connection)
    accounts = await _people(connection, circles)
    await makerspace.account(connection, username="pawn", name="Pawn Walker")
    quinn = await _quinn(connection, circles["workshop"])
    vera = await _vera(connection, circles)
    await makerspace.controller(connection, key=private.CONTROLLER)
    await makerspace.door(
        connection, key="zinkdoor", name="Zink door", controller=private.CONTROLLER
    )
    await _do(connection, "update access.door set takes_first_cards = true")
    await _do(
        connection,
        "insert into access.avatar (account, version, jpeg) values (%s, %s, %s)",
        *(vera, "0123456789abcdef", b"\xff\xd8\xff"),
    )
    tools = await _tools(connection, circles["workshop"])
    company = await makerspace.company(connection, name="Acme Walk AS", contact=vera)
    await makerspace.employee(connection, account=vera, company=company)
    badge = await _badge(connection, circles["instructors"], vera, accounts[Role.INSTRUCTOR])
    cards = await _cards(connection, vera, accounts[Role.ADMIN])
    events = await _events(connection, vera, cards[0], quinn)
    await _controller_facts(connection, accounts[Role.ADMIN])
    await add_states(connection)
    return {
        "account": _texts(vera, *accounts.values()),
        "circle": _texts(circles["workshop"], circles["door"], circles["admin"]),
        "door": ("zinkdoor",),
        "tool": _texts(*tools),
        "card": _texts(*cards),
        "event": _texts(*events),
        "company": _texts(company),
        "badge": _texts(badge),
        "controller": (private.CONTROLLER, IDLE_CONTROLLER),
        "session": (VERAS_SESSION.hex()[:16],),
        "payment": await _payments(connection, vera),
        "admin": _texts(accounts[Role.ADMIN]),
    }


def _texts(*numbers: int) -> Sequence[str]:
    return tuple(str(number) for number in numbers)


async def _payments(connection: Connection, vera: int) -> Sequence[str]:
    cursor = await connection.execute(
        "select id from stripe_payment where created_by = %s"
        " order by starts_with(stripe_id, 'by-hand:') desc, id",
        [vera],
    )
    return _texts(*(row[0] for row in await cursor.fetchall()))


async def _circles(connection: Connection) -> dict[str, int]:
    circles: dict[str, int] = {}
    for name in sorted(set(CIRCLES.values()) - {"admin"}):
        circles[name] = await makerspace.circle(connection, name=name, admin_circle=1)
    circles["workshop"] = await makerspace.circle(
        connection, name="workshop", admin_circle=circles["keepers"]
    )
    return circles | {"admin": 1, "door": makerspace.DOOR_CIRCLE}


async def _people(connection: Connection, circles: Mapping[str, int]) -> dict[Role, int]:
    accounts: dict[Role, int] = {}
    for role in Role:
        if role not in MEMBERS:
            continue
        accounts[role] = await makerspace.account(
            connection, username=role, password_hash=PASSWORD_HASH, name=f"{role.title()} Walker"
        )
        await makerspace.payment(connection, account=accounts[role])
        for circle in (CIRCLES[role],) if role in CIRCLES else ("door", "workshop"):
            await makerspace.circle_member(
                connection, account=accounts[role], circle=circles[circle]
            )
    return accounts


async def _vera(connection: Connection, circles: Mapping[str, int]) -> int:
    vera = await makerspace.account(
        connection,
        username="vera",
        password_hash=private.PASSWORD_HASH,
        name="Vera Walker",
        email=private.EMAIL,
    )
    await _do(
        connection,
        "update account set phone = %s, reset_token = %s,"
        " reset_token_validity = now() + interval '1 hour' where id = %s",
        private.PHONE_BEFORE,
        private.RESET_TOKEN,
        vera,
    )
    async with connection.transaction():  # as the console writes
        await _do(
            connection, "select set_config('p2k16.remote_addr', %s, true)", private.WRITTEN_FROM
        )
        await _do(connection, "select set_config('p2k16.keep_history', 'on', true)")
        await _do(connection, "update account set phone = %s where id = %s", private.PHONE, vera)
    await _payments_of(connection, vera)
    await _do(
        connection,
        "update stripe_payment set amount = %s::numeric, stripe_id = %s || id::text"
        " where created_by = %s",
        private.AMOUNT,
        f"{private.INVOICE} ",
        vera,
    )
    await _do(
        connection,
        "insert into membership (created_at, created_by, updated_at, updated_by, first_membership,"
        " start_membership, fee) values (now(), %s, now(), %s, %s, %s, %s)",
        *(vera, vera, private.FIRST_MEMBERSHIP, private.FIRST_MEMBERSHIP, private.FEE),
    )
    await _do(
        connection,
        "insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)"
        " values (now(), %s, now(), %s, %s)",
        *(vera, vera, private.CUSTOMER),
    )
    await _do(
        connection,
        "insert into access.session (token_digest, account, expires_at, address, user_agent)"
        " values (%s, %s, now() + interval '1 day', %s, %s)",
        *(VERAS_SESSION, vera),
        *(private.SESSION_ADDRESS, private.SESSION_BROWSER),
    )
    for circle in ("door", "workshop"):
        await makerspace.circle_member(connection, account=vera, circle=circles[circle])
    await _do(
        connection,
        "update circle_member set comment = %s where account = %s",
        private.COMMENT,
        vera,
    )
    return vera


async def _quinn(connection: Connection, workshop: int) -> int:
    """Pays as Vera does, but works for nobody: what she may depends on what she has paid."""
    quinn = await makerspace.account(connection, username="quinn", name="Quinn Walker")
    await _payments_of(connection, quinn)
    await makerspace.circle_member(connection, account=quinn, circle=workshop)
    return quinn


async def _payments_of(connection: Connection, account: int) -> None:
    once, until = map(datetime.fromisoformat, (private.PAID_ONCE, private.PAID_UNTIL))
    await makerspace.payment(connection, account=account, start=once, end=once + timedelta(days=30))
    await makerspace.payment(connection, account=account, end=until)


async def _tools(connection: Connection, workshop: int) -> Sequence[int]:
    """One with power of ours, which Vera has; of the others one is Quinn's, one the member's."""
    lathe = await makerspace.tool(connection, name="Lathe", circle=workshop)
    await makerspace.tool_point(connection, tool=lathe, key="lathe", controller=private.CONTROLLER)
    await makerspace.tool(connection, name="Forge", circle=None)
    others = ("Anvil", "Pillar drill", "Saw")
    return lathe, *[
        await makerspace.tool(connection, name=each, circle=workshop) for each in others
    ]


async def _badge(connection: Connection, circle: int, vera: int, instructor: int) -> int:
    cursor = await connection.execute(
        "insert into badge_description (created_at, created_by, updated_at, updated_by, title,"
        " certification_circle) values (now(), 3, now(), 3, %s, %s) returning id",
        [BADGE, circle],
    )
    row = await cursor.fetchone()
    assert row is not None
    await _do(
        connection,
        "insert into account_badge (created_at, created_by, updated_at, updated_by, account,"
        " awarded_by, badge_description) values (now(), %s, now(), %s, %s, %s, %s)",
        *(instructor, instructor, vera, instructor, row[0]),
    )
    return int(row[0])


async def _cards(connection: Connection, vera: int, admin: int) -> Sequence[int]:
    card = await makerspace.card(
        connection, account=vera, site_digest=private.SITE_DIGEST, label=private.CARD_LABEL
    )
    lost = await makerspace.card(connection, account=vera, label=private.LOST_CARD_LABEL, lost=True)
    glass = await makerspace.card(connection, account=admin, label=private.BREAK_GLASS_LABEL)
    await _do(connection, "insert into access.break_glass_card (slot, card) values (1, %s)", glass)
    return (card, lost, glass)


async def _events(connection: Connection, vera: int, card: int, quinn: int) -> Sequence[int]:
    async def happened(
        moment: str | None, kind: str, point: str = "zinkdoor", **values: object
    ) -> int:
        seconds = 60.0
        if moment is not None:
            seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
        return await event(
            connection,
            kind=kind,
            seconds_ago=seconds,
            controller=private.CONTROLLER,
            point=point,
            **values,  # pyright: ignore[reportArgumentType]
        )

    return (
        await happened(
            private.REFUSED_AT, "access_denied", account=vera, card=card, reason="expired"
        ),
        await happened(None, "access_denied", "lathe", account=quinn, reason="expired"),
        await happened(None, "access_granted", "lathe", account=vera, card=card),
        await happened(None, "access_granted", account=vera, card=card),
        await happened(None, "access_denied", site_digest=b"u" * 16, reason="unknown_card"),
        await happened(
            private.UNKNOWN_CARD_AT, "access_denied", site_digest=b"w" * 16, reason="unknown_card"
        ),
        await happened(None, "door_forced"),
    )


async def _controller_facts(connection: Connection, admin: int) -> None:
    await _do(
        connection,
        "update access.controller set public_key = %s, entry_key = %s, broker_password_hash = %s,"
        " enrolled_at = now() where id = %s",
        *(b"p" * 32, private.ENTRY_KEY, private.BROKER_PASSWORD, private.CONTROLLER),
    )
    report = {
        "version": 1,
        "state": {
            "software": private.SOFTWARE,
            "points": {"zinkdoor": {"relay": "off", "state": "locked"}},
        },
    }
    await _do(
        connection,
        "insert into access.controller_report values (%s, now(), %s::jsonb)",
        *(private.CONTROLLER, json.dumps(report)),
    )
    await _do(
        connection,
        "insert into access.command (id, controller, point, operation, actor, counter, reason,"
        " result, result_at) values (gen_random_uuid(), %s, 'zinkdoor', 'lockdown', %s, 1, %s,"
        " 'done', now())",
        *(private.CONTROLLER, admin, private.ORDER_REASON),
    )


async def _do(connection: Connection, statement: LiteralString, *values: object) -> None:
    await connection.execute(statement, values)
