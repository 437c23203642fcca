"""The old API of badges. Source of the texts: its contract, §7."""

from aiohttp import web

from console.badges import awarding
from console.badges.badge import TITLE_CHARACTERS_MAX, Refused
from console.badges.queries import awards, descriptions
from console.errors import BadRequest
from console.legacy.answers import answer
from console.legacy.badge_shapes import award_shape, description_shape
from console.legacy.bodies import read_body, shown
from console.legacy.profile_shapes import own_profile
from console.web.keys import DATABASE
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor

RECENT = 20


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("POST", "/badge/create-badge", Who.MEMBER, create_badge),
        Route("GET", "/badge/badge-descriptions", Who.MEMBER, badge_descriptions),
        Route("GET", "/badge/recent-badges", Who.MEMBER, recent_badges),
        Route("GET", f"/badge/badges-for-user/{{id:{ID}}}", Who.MEMBER, badges_for_user),
    ]


async def create_badge(request: web.Request) -> web.StreamResponse:
    """Awards a badge to the visitor or to somebody else; answers with the visitor's profile."""
    body = await read_body(request)
    body.only("title", "recipient")
    title = body.text("title", least=1, most=TITLE_CHARACTERS_MAX)
    recipient = body.optional_text("recipient", least=1)
    me = visitor(request)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refused = await awarding.award(
            conn, title=title, recipient=recipient, awarder_id=me.account_id
        )
        match refused:
            case Refused.NOT_ONE_LINE:
                raise BadRequest("title: one line is expected, of characters that can be seen")
            case Refused.NO_SUCH_RECIPIENT:
                raise BadRequest(f"No such username: {shown(recipient or '')}")
            case Refused.NOT_A_CERTIFIER:
                raise BadRequest(f"The awarder {me.username} is not a valid certifier")
            case None:
                return answer(await own_profile(conn, account_id=me.account_id, is_full=False))


async def badge_descriptions(request: web.Request) -> web.StreamResponse:
    """What there are badges for, by id."""
    async with request.app[DATABASE].reading() as conn:
        found = await descriptions(conn)
    return answer({str(row.id): description_shape(row) for row in found})


async def recent_badges(request: web.Request) -> web.StreamResponse:
    """What was awarded last, newest first."""
    async with request.app[DATABASE].reading() as conn:
        found = await awards(conn, newest=RECENT)
    return answer([award_shape(award) for award in found])


async def badges_for_user(request: web.Request) -> web.StreamResponse:
    """The badges of one account; none for an account that doesn't exist."""
    async with request.app[DATABASE].reading() as conn:
        found = await awards(conn, accounts=[path_id(request, "id")])
    return answer([award_shape(award) for award in found])
