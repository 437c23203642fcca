"""What the frame's navigation offers to whom. An entry shows only where its page exists."""

from aiohttp import web
from msgspec import Struct

from console.web.routing import Who
from console.web.session import Visitor, visitor_or_none
from console.words import Text


class NavEntry(Struct, frozen=True):
    """One entry. `runs`: for those who run something, so it is listed under Run. `who` sees it."""

    path: str
    label: Text
    icon: str
    says: Text
    runs: bool = False
    who: Who = Who.MEMBER


ENTRIES = (
    NavEntry("/", Text("Home"), "home", Text("Your doors and what happens now")),
    NavEntry("/tools", Text("Tools"), "tool", Text("What you can use")),
    NavEntry("/members", Text("People"), "people", Text("Who is a member")),
    NavEntry("/me", Text("Me"), "me", Text("Your membership and your cards")),
    NavEntry(
        "/doors",
        Text("Doors"),
        "door",
        Text("State, who can open, controllers"),
        runs=True,
        who=Who.ADMIN,
    ),
    NavEntry(
        "/cards/unknown",
        Text("Cards"),
        "card",
        Text("Cards that nobody has yet"),
        runs=True,
        who=Who.ADMIN,
    ),
    NavEntry(
        "/circles",
        Text("Circles"),
        "circle",
        Text("Who is in which circle, and who decides that"),
        runs=True,
    ),
    NavEntry(
        "/badges",
        Text("Badges"),
        "badge",
        Text("What members are certified for, and by whom"),
        runs=True,
    ),
    NavEntry(
        "/companies",
        Text("Companies"),
        "company",
        Text("Who works where, and so can open every door"),
        runs=True,
    ),
    NavEntry(
        "/log",
        Text("Log"),
        "clock",
        Text("What happened at doors and tools"),
        runs=True,
        who=Who.FRONT_DESK,
    ),
    NavEntry(
        "/log/changes",
        Text("Changes"),
        "pencil",
        Text("Who changed what"),
        runs=True,
        who=Who.ADMIN,
    ),
    NavEntry(
        "/money",
        Text("Money"),
        "money",
        Text("Who pays, and who doesn't"),
        runs=True,
        who=Who.TREASURER,
    ),
    NavEntry(
        "/settings",
        Text("Settings"),
        "run",
        Text("What is in force, and where it is changed"),
        runs=True,
        who=Who.ADMIN,
    ),
)


class NavLink(Struct, frozen=True):
    """An entry on a page. `is_current`: the page lies below it."""

    entry: NavEntry
    is_current: bool


def main_links(request: web.Request) -> list[NavLink]:
    """The places for everybody who is logged in."""
    return [link for link in _offered(request) if not link.entry.runs]


def run_links(request: web.Request) -> list[NavLink]:
    """The places for those who run something; empty for everybody else."""
    me = visitor_or_none(request)
    offered = [link for link in _offered(request) if link.entry.runs]
    if me is None:
        return []
    has_role = any(link.entry.who is not Who.MEMBER for link in offered)
    return offered if me.runs_something or has_role or Who.COMPANIES in me.roles else []


def _offered(request: web.Request) -> list[NavLink]:
    me = visitor_or_none(request)
    current = _current(request.path)
    return [
        NavLink(entry, entry.path == current)
        for entry in ENTRIES
        if _is_for(entry, me) and _exists(request.app, entry.path)
    ]


def _current(path: str) -> str | None:
    """The entry that the page lies below: of several the nearest."""
    above = [
        entry.path
        for entry in ENTRIES
        if path == entry.path or (entry.path != "/" and path.startswith(entry.path + "/"))
    ]
    return max(above, key=len, default=None)


def _is_for(entry: NavEntry, me: Visitor | None) -> bool:
    return me is not None and entry.who in me.roles


def _exists(app: web.Application, path: str) -> bool:
    return any(resource.canonical == path for resource in app.router.resources())
