"""Every route has a rule, and the rule holds."""

import re

import pytest
from aiohttp import web
from msgspec.structs import replace
from yarl import URL

from console.web.routing import (
    RULES,
    Route,
    RouteWithoutRule,
    Who,
    refuse_routes_without_rule,
    register,
)
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member


async def nothing(_request: web.Request) -> web.Response:
    return web.Response()


def rules(site: Site) -> list[tuple[str, str, Who]]:
    return [
        (route.method, re.sub(r"\{[^}]+\}", "1", _canonical(route)), who)
        for route, who in site.app[RULES].items()
    ]


def _canonical(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return route.resource.canonical


def test_a_route_without_a_rule_is_not_registered() -> None:
    app = web.Application()
    lawless = replace(Route("GET", "/x", Who.ANYONE, nothing), who=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(RouteWithoutRule, match="GET /x"):
        register(app, [lawless])


def test_a_route_that_was_added_past_the_rules_is_found() -> None:
    app = web.Application()
    register(app, [Route("GET", "/x", Who.ANYONE, nothing)])
    refuse_routes_without_rule(app)
    app.router.add_post("/x", nothing)
    with pytest.raises(RouteWithoutRule, match="POST"):
        refuse_routes_without_rule(app)


UNLIKE_THE_REST = {
    "/live",  # never ends
    *("/logout", "/service/authz/log-out", "/me/account/sessions/others/end"),  # end sessions
    *("/log/taps/1", "/tools/1/people"),  # hers, if it is hers
    *("/circles/1/change", "POST /circles/1", "/circles/1/removal"),  # for its managers
    *("/api/memberinfo", "/passwd.php", "/core/ldap/users.ldif"),  # know their callers otherwise
}

FORMS = {"/data/company": {"name": "Acme", "contact": 0}}
"""Where a body that is none is told before the rule: one that is."""


async def test_every_route_of_the_console_keeps_its_rule(site: Site) -> None:
    await member(site.connection, "kari")
    ola_id = await admin(site.connection, "ola")
    despot = await makerspace.circle(site.connection, name="despot")
    await makerspace.circle_member(site.connection, account=ola_id, circle=despot)
    nobody = await site.browser()
    kari, ola = await site.browser("kari"), await site.browser("ola")
    wrong: list[str] = []
    checked = dict.fromkeys({who for _, _, who in rules(site)}, 0)
    for method, path, who in rules(site):
        if path in UNLIKE_THE_REST or f"{method} {path}" in UNLIKE_THE_REST:
            continue
        checked[who] += 1
        outcomes = (
            await outcome(nobody, method, path),
            await outcome(kari, method, path),
            await outcome(ola, method, path),
        )
        expected = {
            Who.ANYONE: ("in", "in", "in"),
            Who.MEMBER: ("log in", "in", "in"),
            Who.FRONT_DESK: ("log in", "refused", "in"),
            Who.TREASURER: ("log in", "refused", "in"),
            Who.ADMIN: ("log in", "refused", "in"),
            Who.COMPANIES: ("log in", "refused", "in"),
            Who.DESPOT: ("log in", "refused", "in"),
        }[who]
        if outcomes != expected:
            wrong.append(f"{method} {path}: {outcomes} instead of {expected}")
    assert not wrong, "\n".join(wrong)
    assert all(checked.values()), checked


async def outcome(client: Client, method: str, path: str) -> str:
    """Whether the route's own code ran; what it said is no matter here."""
    body = FORMS.get(path)
    async with client.request(method, path, json=body, allow_redirects=False) as answer:
        there = answer.headers.get("Location", "")
        if there == "/login" or there.startswith("/login?next="):
            return "log in"
        return {401: "log in", 403: "refused"}.get(answer.status, "in")


@pytest.mark.parametrize("username", [None, "kari", "ola"])
async def test_unknown_paths_and_wrong_methods_are_the_same_for_everybody(
    site: Site, username: str | None
) -> None:
    await member(site.connection, "kari")
    await admin(site.connection, "ola")
    client = await site.browser(username)
    for path in ("/nowhere", "/data/nowhere", "/members/", "/members/x", "/cards/unknown/"):
        assert (await client.get(path, allow_redirects=False)).status == 404, path
    wrong = await client.post("/members", allow_redirects=False)
    assert wrong.status == 405
    assert wrong.headers["Allow"] == "GET,HEAD"
    assert (await client.delete("/cards/unknown")).status == 405


async def test_programs_are_never_sent_to_the_log_in_page(site: Site) -> None:
    client = await site.browser()
    answer = await client.get("/live", allow_redirects=False)
    assert answer.status == 401
    assert answer.content_type == "application/vnd.error+json"
    assert (await answer.json(content_type=None))["message"].startswith("Unauthorized: ")


async def test_a_page_that_was_open_when_the_session_ended_leads_to_the_log_in(site: Site) -> None:
    client = await site.browser()
    answer = await client.post(
        "/circles/2/members",
        headers={"HX-Request": "true", "HX-Current-URL": "http://x.example/circles/2?a=1"},
        allow_redirects=False,
    )
    assert answer.status == 401
    there = URL(answer.headers["HX-Redirect"])
    assert (there.path, there.query["next"]) == ("/login", "/circles/2?a=1")


@pytest.mark.parametrize(
    "page", ["http://[", "http://x.example:port/", "//elsewhere.example/", "\\"]
)
async def test_an_odd_name_of_the_open_page_leads_to_the_plain_log_in(
    site: Site, page: str
) -> None:
    client = await site.browser()
    answer = await client.get(
        "/members", headers={"HX-Request": "true", "HX-Current-URL": page}, allow_redirects=False
    )
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login")


async def test_the_refusal_names_the_circle_that_would_help(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    answer = await client.get("/cards/unknown")
    assert answer.status == 403
    assert "circle “admin”" in await answer.text()
