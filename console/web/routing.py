"""How a feature says which paths it answers, and who may use each.

Decides that no route is registered without a rule. What happens to a visitor whom the rule keeps
out is in `permit.py`.
"""

from collections.abc import Awaitable, Callable, Iterable
from enum import Enum

from aiohttp import web
from msgspec import Struct

from console.errors import ConsoleError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Form = Callable[[web.Request], Awaitable[object]]
"""Reads a request's body. Raises: BadRequest."""


class Who(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    MEMBER = "member"
    """Whoever is logged in."""
    FRONT_DESK = "front desk"
    """Those who see people, their cards and membership: members of `[roles] front_desk_circle`, and
    admins."""
    TREASURER = "treasurer"
    """Those who see money: members of `[roles] treasurer_circle`, and admins."""
    ADMIN = "admin"
    """Members of the circle that `[roles] admin_circle` names."""
    COMPANIES = "companies"
    """Those who keep companies: members of the circle `despot`, and admins."""
    DESPOT = "despot"
    """Members of the circle `despot`, who keep companies and tools in the old web app."""


class Route(Struct, frozen=True):
    """One method of one path, as aiohttp writes paths: `/members/{account:[0-9]+}`.

    `form`: whoever is logged in is told what is wrong with the body before she is told that the
    route is not for her, as in the old web app. None: the rule comes before anything of the body.
    """

    method: str
    path: str
    who: Who
    handler: Handler
    form: Form | None = None


class RouteWithoutRule(ConsoleError):
    """A route was registered past `register`, so nobody said who may use it."""


Rules = dict[web.AbstractRoute, Who]
Forms = dict[web.AbstractRoute, Form]

RULES = web.AppKey("rules", Rules)
FORMS = web.AppKey("forms", Forms)


def register(app: web.Application, routes: Iterable[Route]) -> None:
    """Adds routes with their rules; a GET also answers HEAD. Raises: RouteWithoutRule."""
    rules, forms = app.setdefault(RULES, {}), app.setdefault(FORMS, {})
    for route in routes:
        if route.who not in frozenset(Who):
            raise RouteWithoutRule(f"{route.method} {route.path} doesn't say who may use it")
        methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
        for method in methods:
            added = app.router.add_route(method, route.path, route.handler)
            rules[added] = route.who
            if route.form is not None:
                forms[added] = route.form


def refuse_routes_without_rule(app: web.Application) -> None:
    """Checks a finished application. Raises: RouteWithoutRule."""
    rules = app[RULES]
    for route in app.router.routes():
        if route not in rules:
            raise RouteWithoutRule(f"{route.method} {route.resource} doesn't say who may use it")


def rule_of(request: web.Request) -> Who | None:
    """The rule of the route that answers this request; None when no route does."""
    return request.app[RULES].get(request.match_info.route)


async def check_form(request: web.Request) -> None:
    """Reads the body, where the route says that this comes first. Raises: BadRequest."""
    form = request.app[FORMS].get(request.match_info.route)
    if form is not None:
        await form(request)
