"""Fills the fresh database of a demo with the made-up makerspace.

Members, circles, payments and companies are written as rows, as the old web application left them.
The keys, the controllers and the doors come from the same functions as the console's commands.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.badges import queries as badge_queries
from console.badges.badge import Given, Kind
from console.database import Connection
from console.demo import queries
from console.demo.makerspace import BADGES, CIRCLES, COMPANIES, LOGINS, Badge, Person, credential_of
from console.demo.payments import payments
from console.demo.queries import AccountRow, CardRow, MemberRow
from sync.credential import site_digest

BOSS = "anne"
"""Who has added everybody, and handed out the cards."""


async def seed_members(
    conn: Connection, people: Sequence[Person], *, password_hash: str, now: datetime
) -> None:
    """Accounts, circles, companies and payments."""
    chance = random.Random(5)  # noqa: S311 nothing here is secret
    joined = {person.username: now - timedelta(days=chance.randint(40, 1500)) for person in people}
    await queries.insert_accounts(
        conn,
        rows=[
            AccountRow(
                person.username,
                f"{person.username}@example.org",
                person.name,
                password_hash if person.username in LOGINS else None,
                joined[person.username],
            )
            for person in people
        ],
    )
    for circle in CIRCLES:
        await queries.insert_circle(
            conn, name=circle.name, description=circle.description, admin=circle.admin
        )
    memberships = [
        MemberRow(circle, person.username, joined[person.username] + timedelta(days=7))
        for person in people
        for circle in person.circles
    ]
    await queries.insert_members(conn, rows=memberships, by=BOSS)
    for company in COMPANIES:
        employees = [person.username for person in people if person.company == company.name]
        await queries.insert_company(
            conn,
            name=company.name,
            is_active=company.is_active,
            contact=company.contact,
            employees=employees,
        )
    await queries.insert_payments(conn, rows=payments(people, now))
    accounts = await queries.account_ids(conn)
    for number, badge in enumerate(BADGES):
        await _make_badge(conn, badge, accounts, now - timedelta(days=60 + number))


async def _make_badge(
    conn: Connection, badge: Badge, accounts: Mapping[str, int], at: datetime
) -> None:
    giver = accounts[badge.giver]
    made = Given(to=giver, by=giver, author=giver, at=at)
    badge_id = await badge_queries.insert_description(conn, title=badge.title, given=made)
    await queries.describe_badge(
        conn, badge=badge_id, description=badge.description, circle=badge.circle
    )
    for holder in badge.holders:
        await badge_queries.insert_award(
            conn,
            kind=Kind(badge_id, None),
            given=Given(to=accounts[holder], by=giver, author=giver, at=at),
        )


def card_rows(people: Sequence[Person], site_salt: bytes, now: datetime) -> list[CardRow]:
    """Everybody's cards. About 6 ms of work for each: see `sync.credential.site_digest`."""
    rows: list[CardRow] = []
    for person in people:
        given_at = now - timedelta(days=38)
        for number, card in enumerate(person.cards):
            credential = credential_of(person.username, number)
            lost_at = None
            if card.lost_days_ago is not None:
                lost_at = now - timedelta(days=card.lost_days_ago)
            rows.append(
                CardRow(
                    username=person.username,
                    credential_type=credential.type,
                    site_digest=site_digest(credential, site_salt),
                    label=card.label,
                    given_at=given_at,
                    lost_at=lost_at,
                )
            )
            given_at = lost_at or given_at + timedelta(days=1)
    return rows
