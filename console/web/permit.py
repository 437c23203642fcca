"""Enforces the rule of each route, before the route's own code runs.

Decides what somebody gets whom the rule keeps out. Unknown paths are 404 and wrong methods 405 for
everybody, so that nobody learns anything by trying.
"""

from contextlib import suppress
from functools import partial
from urllib.parse import quote, urlsplit

from aiohttp import web

from console.errors import DatabaseUnavailable, Forbidden
from console.web import session
from console.web.keys import ASKED_MS, LIVE, SETTINGS
from console.web.requests import ASK_AGAIN, is_htmx, local_path, wants_data
from console.web.roles import circles_for
from console.web.routing import Handler, Who, check_form, rule_of
from console.words import Text, any_of, quoted


@web.middleware
async def permit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets through whom the route's rule lets through."""
    problem = request.match_info.http_exception
    if problem is not None:
        if request.method == "OPTIONS" and isinstance(problem, web.HTTPMethodNotAllowed):
            return _methods(problem)
        with suppress(DatabaseUnavailable):
            await session.load(request)  # so that the 404 page has its usual frame
        return await handler(request)
    who = rule_of(request)
    if who is None:  # `refuse_routes_without_rule` was not called
        raise web.HTTPNotFound
    if who is not Who.ANYONE:
        request[ASKED_MS] = request.app[LIVE].now_ms
        request[ASK_AGAIN] = partial(_admit, request, who)
        await _admit(request, who)
    return await handler(request)


async def _admit(request: web.Request, who: Who) -> None:
    visitor = await session.load(request)
    if visitor is None:
        raise _log_in_first(request)
    if who not in visitor.roles:
        await check_form(request)
        raise not_for(who, request)


def _methods(problem: web.HTTPMethodNotAllowed) -> web.Response:
    """What a path takes, for whoever asks for nothing else; as the old web app, and no CORS."""
    methods = ", ".join(sorted({*problem.allowed_methods, "OPTIONS"}))
    return web.Response(text="", content_type="text/html", headers={"Allow": methods})


def _log_in_first(request: web.Request) -> web.HTTPException:
    if wants_data(request):
        return web.HTTPUnauthorized()
    if is_htmx(request):
        page = _open_page(request.headers.get("HX-Current-URL", ""))
        return web.HTTPUnauthorized(text="Log in first.", headers={"HX-Redirect": _log_in(page)})
    page = request.path_qs if request.method in {"GET", "HEAD"} else "/"
    return web.HTTPSeeOther(_log_in(local_path(page)))


def _open_page(url: str) -> str:
    """The path of the page that htmx says is open."""
    try:
        there = urlsplit(url)
    except ValueError:
        return "/"
    return local_path(there.path + (f"?{there.query}" if there.query else ""))


def _log_in(page: str) -> str:
    return "/login" if page == "/" else f"/login?next={quote(page, safe='/')}"


def not_for(who: Who, request: web.Request) -> Exception:
    """What somebody gets who lacks this role; also where only her own would be hers to see."""
    circles = circles_for(who, request.app[SETTINGS].roles)
    if who is Who.DESPOT and wants_data(request):  # the old web app's words
        return web.HTTPForbidden(
            text=f"You are not a member of circle `{circles[0]}`, permission denied"
        )
    named = any_of(quoted(circle) for circle in circles)
    return Forbidden(
        Text(
            "This is for members of the circle {circles}. Whoever manages it can add you.",
            circles=named,
        )
    )
