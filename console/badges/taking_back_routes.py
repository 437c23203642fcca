"""Taking a badge back, from the page of the badge or of the person."""

from aiohttp import web

from console.accounts.finding import person_or_404
from console.audit.undoing import Done
from console.badges import keeping_queries, page_queries
from console.badges.taking_back import Actor, held_of, put_back, take_back, takeable_from
from console.errors import Forbidden
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment
from console.web.requests import ID, form, is_htmx, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

HOLDERS_MAX = 20
BADGES_MAX = 2
"""On a person's page; all of hers have one of their own."""


def routes() -> list[Route]:
    """Taking back one badge."""
    path = f"/badges/{{badge:{ID}}}/awards/{{account:{ID}}}/removal"
    return [Route("POST", path, Who.MEMBER, take_badge_back)]


async def take_badge_back(request: web.Request) -> web.StreamResponse:
    """Takes it, or undoes that, and shows the list from which it was taken.

    What is taken already stays so.
    """
    fields, badge_id = await form(request), path_id(request, "badge")
    place, is_undo = fields.get("from", ""), fields.get("undo") == "yes"
    me = visitor(request)
    actor = Actor(me.account_id, me.is_admin)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await keeping_queries.lock_badge(conn, badge_id=badge_id)
        person = await person_or_404(conn, request)
        badge = await page_queries.badge_row(conn, badge_id=badge_id)
        if badge is None:
            raise web.HTTPNotFound
        change = put_back if is_undo else take_back
        refusal = await change(
            conn,
            badge,
            account_id=person.account_id,
            actor=actor,
            admin_circle=request.app[SETTINGS].roles.admin_circle,
        )
        if refusal is not None:
            raise Forbidden(refusal)
    back = f"/members/{person.account_id}" if place == "person" else f"/badges/{badge_id}"
    if not is_htmx(request):
        return web.Response(status=303, headers={"Location": back})
    done: Done | None = None
    if not is_undo:
        told = Text("{badge} was taken from {name}.", badge=badge.title, name=person.shown_name)
        done = Done(told, request.path, {"undo": "yes", "from": place})
    async with request.app[DATABASE].reading() as conn:
        if place == "person":
            held = await held_of(conn, person, actor=actor, limit=BADGES_MAX, done=done)
            return fragment(request, "badges/of_person.html", held=held)
        rest = await page_queries.badge_row(conn, badge_id=badge_id)
        holders = await page_queries.holder_rows(
            conn, badge_id=badge_id, text="", limit=HOLDERS_MAX
        )
        accounts = [holder.account_id for holder in holders]
        takeable = await takeable_from(conn, badge, actor=actor, accounts=accounts)
    return fragment(
        request,
        "badges/holders.html",
        badge=rest or badge,
        holders=holders,
        takeable=takeable,
        text="",
        done=done,
    )
