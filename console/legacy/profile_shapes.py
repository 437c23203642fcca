"""How the old API spells people: accounts, profiles, memberships. Source: its contract, §4.

What a visitor may not see is null; the avatar then isn't made from the e-mail address either, since
its hash gives away an address that somebody guesses.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from console.badges.queries import Award, awards
from console.database import Connection
from console.legacy.answers import Json, moment, moment_or_none, object_not_found
from console.legacy.badge_shapes import award_shape
from console.people import profile_queries
from console.people.profile_queries import AccountRow, CircleRow, MembershipRow, PaymentRow
from console.rights.access import Standing, standings
from console.web import times

Row = TypeVar("Row", Award, CircleRow)

NO_STANDING = Standing(is_paying=False, is_employed=False)
AVATARS = "https://www.gravatar.com/avatar/"


class Known(Struct, frozen=True):
    """What profiles tell beside the accounts, by account id; who has none of it isn't there."""

    circles: Mapping[int, list[CircleRow]]
    awards: Mapping[int, list[Award]]
    standings: Mapping[int, Standing]
    fees: Mapping[int, int]


async def read_known(
    conn: Connection, *, account_id: int | None = None, is_full: bool, has_badges: bool = True
) -> Known:
    """All of it for everybody, or for the one account; at most six statements.

    Standings and fees only if `is_full`, awards only if `has_badges`.
    """
    accounts = None if account_id is None else [account_id]
    now_ms = times.ms(times.now())
    return Known(
        circles=_by_account(await profile_queries.circles(conn, account_id=account_id)),
        awards=_by_account(await awards(conn, accounts=accounts) if has_badges else []),
        standings=(await standings(conn, now_ms=now_ms, account_id=account_id) if is_full else {}),
        fees=await profile_queries.fees(conn, account_id=account_id) if is_full else {},
    )


async def own_profile(conn: Connection, *, account_id: int, is_full: bool) -> Json:
    """The profile of whoever is logged in, for herself. Raises: HTTPNotFound for no such account.

    Without any badge it has `{}` here; elsewhere the old API has null.
    """
    account = await profile_queries.account(conn, account_id=account_id)
    if account is None:
        raise object_not_found()
    known = await read_known(conn, account_id=account_id, is_full=is_full)
    shape = profile(account, known, is_seen=True)
    if is_full:
        shape |= standing_shape(account, known, is_seen=True)
    shape["badges"] = shape["badges"] or {}
    return shape


def account_shape(account: AccountRow, *, is_seen: bool) -> Json:
    """An account; `is_seen`: with e-mail and phone."""
    return {
        "id": account.id,
        "createdAt": moment(account.created_at),
        "updatedAt": moment(account.updated_at),
        "username": account.username,
        "name": account.name,
        "email": account.email if is_seen else None,
        "phone": account.phone if is_seen else None,
    }


def profile(account: AccountRow, known: Known, *, is_seen: bool) -> Json:
    """The account with picture, circles and badges; `badges` is null for none."""
    circles, badges = known.circles.get(account.id, ()), known.awards.get(account.id, ())
    return {
        "account": account_shape(account, is_seen=is_seen),
        "avatar": avatar(account, is_seen=is_seen),
        "circles": {str(row.id): {"id": row.id, "name": row.name} for row in circles},
        "badges": {str(award.id): award_shape(award) for award in badges} or None,
    }


def standing_shape(account: AccountRow, known: Known, *, is_seen: bool) -> Json:
    """What a full profile adds. The flags are for everybody: they say who may use what.

    `has_door_access` leaves out circles, as the old API does.
    """
    standing = known.standings.get(account.id, NO_STANDING)
    is_active = standing.is_paying or standing.is_employed
    return {
        "active_member": is_active,
        "has_door_access": is_active,
        "is_paying_member": standing.is_paying,
        "is_employed": standing.is_employed,
        "membership_fee": known.fees.get(account.id) if is_seen else None,
    }


def membership_shape(membership: MembershipRow | None) -> Json:
    """Fee and since when; without a membership, a fee of 0 and nothing else."""
    if membership is None:
        return {"fee": 0}
    return {
        "fee": membership.fee,
        "first_membership": moment(membership.first_membership),
        "start_membership": moment(membership.start_membership),
    }


def payment_shape(payment: PaymentRow) -> Json:
    """A payment; `amount` in crowns, null for one that is not a number."""
    return {
        "id": payment.id,
        "start_date": moment(payment.start_date),
        "end_date": moment(payment.end_date),
        "amount": None if payment.amount.is_nan() else float(payment.amount),
        "payment_date": moment_or_none(payment.payment_date),
    }


def avatar(account: AccountRow, *, is_seen: bool) -> str:
    """Where the picture is: named by the e-mail address, or by the user name where that is hidden.

    MD5 is what the site of the pictures asks for.
    """
    name = account.email if is_seen and account.email else account.username
    return AVATARS + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def _by_account(rows: Iterable[Row]) -> dict[int, list[Row]]:
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.account_id].append(row)
    return grouped
