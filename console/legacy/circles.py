"""The old API of circles: who is in them, making and removing them.

Source of the texts: the contract of the old API, §6.
"""

from aiohttp import web

from console.accounts import meant
from console.circles import keeping, membership
from console.circles.circle import (
    COMMENT_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Circle,
    Hindrance,
    Kept,
    ManagementStyle,
    NoSuchCircle,
    Reason,
    Refused,
)
from console.circles.draft import Draft, Flaw
from console.circles.record_queries import CircleRecord, MemberRecord, member_records, records
from console.database import Connection
from console.errors import BadRequest
from console.legacy.answers import Audit, Json, answer, done, object_not_found
from console.legacy.bodies import Body, read_body, shown
from console.web.keys import DATABASE
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor

_CIRCLE = f"/data/circle/{{id:{ID}}}"

NEEDS_COMMENT = "This circle requires memberships to have a comment"


def routes() -> list[Route]:
    """Its paths. A new circle may have a name that gives rights, so only admins make them."""
    return [
        Route("POST", "/service/circle/create-membership", Who.MEMBER, create_membership),
        Route("POST", "/data/account/remove-membership", Who.MEMBER, remove_membership),
        Route("GET", _CIRCLE, Who.MEMBER, get_circle),
        Route("DELETE", _CIRCLE, Who.MEMBER, delete_circle),
        Route("POST", "/data/circle", Who.ADMIN, create_circle),
    ]


async def get_circle(request: web.Request) -> web.StreamResponse:
    """One circle with its members."""
    async with request.app[DATABASE].reading() as conn:
        return answer(await _with_members(conn, path_id(request, "id")))


async def create_membership(request: web.Request) -> web.StreamResponse:
    """Adds an account to a circle."""
    body = await read_body(request)
    circle_id = body.number("circleId")
    comment = body.optional_text("comment") or ""
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refusal = await membership.add(
            conn,
            circle_id=circle_id,
            account_id=await _account_id(conn, body),
            comment=comment,
            actor_id=visitor(request).account_id,
        )
        _raise(refusal, visitor(request).username)
        return answer(await _with_members(conn, circle_id))


async def remove_membership(request: web.Request) -> web.StreamResponse:
    """Removes an account from a circle."""
    body = await read_body(request)
    circle_id = body.number("circleId")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refusal = await membership.remove(
            conn,
            circle_id=circle_id,
            account_id=await _account_id(conn, body),
            actor_id=visitor(request).account_id,
        )
        _raise(refusal, visitor(request).username)
        return answer(await _with_members(conn, circle_id))


async def create_circle(request: web.Request) -> web.StreamResponse:
    """Makes a circle, and gives all of them for the client's collection."""
    draft = _draft(await read_body(request))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        made = await keeping.create(conn, draft, actor_id=visitor(request).account_id)
        if isinstance(made, Flaw):
            raise _flawed(made, draft)
        shapes = {record.id: _circle(record) for record in await records(conn)}
    control: Json = {
        "type": "replace-collection",
        "collection": "circles",
        "data": list(shapes.values()),
    }
    return answer({**shapes[made], "_controls": [control]})


async def delete_circle(request: web.Request) -> web.StreamResponse:
    """Removes a circle."""
    me = visitor(request)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await keeping.remove(
            conn, circle_id=path_id(request, "id"), actor_id=me.account_id
        )
        match outcome:
            case None:
                return done()
            case NoSuchCircle():
                raise object_not_found()
            case Kept():
                raise _kept(outcome, me.username)


async def _account_id(conn: Connection, body: Body) -> int:
    """The account that the body names in one of two ways. Raises: BadRequest, HTTPNotFound."""
    username = body.optional_text("accountUsername", least=1)
    if username is None:
        person = await meant.by_id(conn, account_id=body.number("accountId"))
    elif body.has("accountId"):
        raise BadRequest("accountId, accountUsername: one of them is expected, not both")
    else:
        person = await meant.by_username(conn, username=username)
    if person is None:
        raise object_not_found()
    return person.account_id


def _draft(body: Body) -> Draft:
    name = body.text("name", least=1, most=NAME_CHARACTERS_MAX)
    style = body.text("managementStyle")
    if style not in frozenset(ManagementStyle):
        raise BadRequest(f"managementStyle: {' or '.join(ManagementStyle)} is expected")
    return Draft(
        name=name,
        description=body.optional_text("description", most=DESCRIPTION_CHARACTERS_MAX) or "",
        style=ManagementStyle(style),
        needs_comment=body.flag("commentRequiredForMembership"),
        admin_circle=body.optional_text("adminCircle"),
        first_member=body.optional_text("username"),
        comment=body.optional_text("comment", least=1, most=COMMENT_CHARACTERS_MAX) or "",
    )


def _raise(refusal: Refused | NoSuchCircle | None, actor: str) -> None:
    match refusal:
        case None:
            return
        case NoSuchCircle():
            raise object_not_found()
        case Refused(reason, circle):
            raise BadRequest(_words(reason, circle, actor))


def _words(reason: Reason, circle: Circle, actor: str) -> str:
    match reason:
        case Reason.NOT_A_MANAGER:
            return _not_a_manager(circle, actor)
        case Reason.ALREADY_IN:
            return "Account is already a member of the circle, cannot be added again"
        case Reason.COMMENT_MISSING:
            return NEEDS_COMMENT
        case Reason.COMMENT_TOO_LONG:
            return f"comment: at most {COMMENT_CHARACTERS_MAX} characters"
        case Reason.COMMENT_UNSEEN:
            return "comment: only characters that can be seen"
        case Reason.NOT_IN:
            return "Account isn't a member of the circle, cannot be removed"
        case Reason.LAST_MEMBER:
            return "A circle which is self-administrated must have at least one member"


def _kept(kept: Kept, actor: str) -> Exception:
    match kept.hindrance:
        case Hindrance.NOT_A_MANAGER:
            return BadRequest(_not_a_manager(kept.circle, actor))
        case Hindrance.HAS_MEMBERS:
            return BadRequest("The circle has to be empty to be removed.")
        case Hindrance.HAS_OTHERS:
            return BadRequest("A circle which is self-administrated must only contain the remover.")
        case Hindrance.REFERRED_TO:
            by = ", ".join(f"{row.referrer} {row.name[:60]}" for row in kept.references)
            return web.HTTPConflict(text=f"The circle can't be removed: it is used by {by}.")


def _not_a_manager(circle: Circle, actor: str) -> str:
    match circle.style:
        case ManagementStyle.ADMIN_CIRCLE:
            return (
                f"{actor} is not in the admin circle ({circle.admin_circle_name})"
                f" for circle {circle.name}"
            )
        case ManagementStyle.SELF_ADMIN:
            return f"{actor} is not an admin of {circle.name}"


def _flawed(flaw: Flaw, draft: Draft) -> Exception:
    match flaw:
        case Flaw.ADMIN_CIRCLE_MISSING:
            return BadRequest(
                "An admin circle is required when management style is set to ADMIN_CIRCLE"
            )
        case Flaw.ADMIN_CIRCLE_UNKNOWN:
            return BadRequest(f"No such circle: {shown(draft.admin_circle or '')}")
        case Flaw.FIRST_MEMBER_MISSING:
            return BadRequest(
                "An initial member's username is required"
                " when management style is set to SELF_ADMIN"
            )
        case Flaw.FIRST_MEMBER_UNKNOWN:
            return BadRequest(f"No such account: {shown(draft.first_member or '')}")
        case Flaw.COMMENT_MISSING:
            return BadRequest(NEEDS_COMMENT)
        case Flaw.NAME_TAKEN:
            return web.HTTPConflict(text=f"name: there is a circle called {draft.name} already")


async def _with_members(conn: Connection, circle_id: int) -> Json:
    """The circle with its members. Raises: HTTPNotFound."""
    found = await records(conn, circle_id=circle_id)
    if not found:
        raise object_not_found()
    members = await member_records(conn, circle_id=circle_id)
    return {**_circle(found[0]), "_embedded": {"members": [_member(row) for row in members]}}


def _circle(record: CircleRecord) -> Json:
    return {
        **_audit(record),
        "name": record.name,
        "description": record.description,
        "commentRequiredForMembership": record.needs_comment,
        "managementStyle": record.style,
        "adminCircle": record.admin_circle_id,
        "memberIds": list(record.member_row_ids),
    }


def _member(record: MemberRecord) -> Json:
    return {
        **_audit(record),
        "account_id": record.account_id,
        "account_username": record.account_username,
        "circle_id": record.circle_id,
        "circle_name": record.circle_name,
        "comment": record.comment,
    }


def _audit(row: CircleRecord | MemberRecord) -> Json:
    return Audit(row.id, row.created_at, row.created_by, row.updated_at, row.updated_by).spelled()
