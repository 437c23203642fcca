"""What the frame's navigation offers to whom. An entry shows only where its page exists."""

from dataclasses import dataclass

from aiohttp import web

from console.web.session import Visitor, visitor_or_none


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One entry. `runs`: for those who run something, so it is listed under Run."""

    path: str
    label: str
    icon: str
    says: str
    runs: bool = False
    for_admins: bool = False


ENTRIES = (
    NavEntry("/", "Home", "home", "Your doors and what happens now"),
    NavEntry("/tools", "Tools", "tool", "What you can use"),
    NavEntry("/members", "People", "people", "Who is a member"),
    NavEntry("/me", "Me", "me", "Your membership and your cards"),
    NavEntry(
        "/doors", "Doors", "door", "State, who can open, controllers", runs=True, for_admins=True
    ),
    NavEntry(
        "/cards/unknown", "Cards", "card", "Cards that nobody has yet", runs=True, for_admins=True
    ),
    NavEntry(
        "/circles", "Circles", "circle", "Who is in which circle, and who decides that", runs=True
    ),
    NavEntry("/log/changes", "Changes", "pencil", "Who changed what", runs=True, for_admins=True),
)


@dataclass(frozen=True, slots=True)
class NavLink:
    """An entry on a page. `is_current`: the page lies below it."""

    entry: NavEntry
    is_current: bool


def main_links(request: web.Request) -> list[NavLink]:
    """The places for everybody who is logged in."""
    return [link for link in _offered(request) if not link.entry.runs]


def run_links(request: web.Request) -> list[NavLink]:
    """The places for those who run something; empty for everybody else."""
    me = visitor_or_none(request)
    if me is None or not (me.is_admin or me.manages_circles):
        return []
    return [link for link in _offered(request) if link.entry.runs]


def _offered(request: web.Request) -> list[NavLink]:
    me = visitor_or_none(request)
    return [
        NavLink(entry, _is_current(request.path, entry.path))
        for entry in ENTRIES
        if _is_for(entry, me) and _exists(request.app, entry.path)
    ]


def _is_current(path: str, entry_path: str) -> bool:
    return path == entry_path or (entry_path != "/" and path.startswith(entry_path + "/"))


def _is_for(entry: NavEntry, me: Visitor | None) -> bool:
    return me is not None and (me.is_admin or not entry.for_admins)


def _exists(app: web.Application, path: str) -> bool:
    return any(resource.canonical == path for resource in app.router.resources())
