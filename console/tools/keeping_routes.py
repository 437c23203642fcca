"""Adds tools, changes them, retires them and brings them back; each is shown before it is saved."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from console.circles.queries import all_circles
from console.controllers import queries as controllers
from console.database import Connection
from console.rights.demands_form import ASSURANCES
from console.rights.dry_run import Preview, SaveForm, dry_run, take_turn
from console.tools import keeping, keeping_queries
from console.tools.draft import Meant, ToolDraft
from console.web.keys import DATABASE
from console.web.mistakes import Mistaken, Mistakes
from console.web.render import fragment, lead_to, page
from console.web.requests import ID, form, is_htmx, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

NEW = "/tools/new"
_TOOL = f"/tools/{{tool:{ID}}}"
_STAYS = Text(
    "Its history stays, and its key stays taken. In the old web application nobody can use it "
    "either. It can be brought back."
)
_NO_CONTROLLER = ("", Text("none"))
Change = Callable[[Connection], Awaitable[Mistaken | None]]


class Shown(Struct, frozen=True):
    """The form as it is answered with. `tool` None: a new one. `version`: of what it changes.

    `key`: by which a controller powers it already; empty: none does.
    """

    draft: ToolDraft
    tool: int | None = None
    title: str = ""
    version: str = ""
    key: str = ""
    mistakes: Mistakes | None = None
    asked: SaveForm | None = None
    note: str = ""


def routes() -> list[Route]:
    """Below /tools."""
    return [
        Route("GET", NEW, Who.ADMIN, new_form),
        Route("POST", NEW, Who.ADMIN, save_new),
        Route("GET", f"{_TOOL}/change", Who.ADMIN, change_form),
        Route("POST", f"{_TOOL}/change", Who.ADMIN, save_change),
        Route("POST", f"{_TOOL}/retirement", Who.ADMIN, retire),
        Route("POST", f"{_TOOL}/return", Who.ADMIN, bring_back),
    ]


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, Shown(ToolDraft()))


async def save_new(request: web.Request) -> web.StreamResponse:
    """Shows who could use the new tool, then makes it."""
    fields = await form(request)
    seen = fields.get("seen", "")
    shown = Shown(ToolDraft.read(fields))
    meant = shown.draft.meant()
    if not isinstance(meant, Meant):
        async with request.app[DATABASE].reading() as conn:
            return await _answer(request, conn, replace(shown, mistakes=meant))
    actor = visitor(request).account_id
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await dry_run(
            conn, lambda conn: keeping.make(conn, meant, actor=actor), seen=seen, always=True
        )
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, replace(shown, mistakes=mistakes))
            case Preview():
                title, save = Text("Add the tool {name}?", name=meant.name), Text("Add the tool")
                asked = SaveForm(outcome, title, NEW, fields, NEW, save)
                return await _answer(request, conn, replace(shown, asked=asked))
            case None:
                pass
    return lead_to(request, "/tools")


async def change_form(request: web.Request) -> web.StreamResponse:
    """The form of a tool."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, _as_it_is(request, await _tool(request, conn)))


async def save_change(request: web.Request) -> web.StreamResponse:
    """Shows who gains and who loses the tool by it, if anybody does, then saves."""
    fields = await form(request)
    seen = fields.get("seen", "")
    tool_id, actor = path_id(request, "tool"), visitor(request).account_id
    path, version = f"/tools/{tool_id}", fields.get("version", "")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        await keeping_queries.lock(conn, tool_id=tool_id)
        was = await _tool(request, conn)
        shown = replace(_as_it_is(request, was), draft=ToolDraft.read(fields))
        meant = shown.draft.meant(was)
        if not isinstance(meant, Meant):
            return await _answer(request, conn, replace(shown, mistakes=meant))

        async def change(conn: Connection) -> Mistaken | None:
            return await keeping.change(conn, tool_id, meant, actor=actor, version=version)

        outcome = await dry_run(conn, change, seen=seen)
        match outcome:
            case Mistaken(mistakes):
                # With a stale form the newest values are shown, else what was typed.
                base = _as_it_is(request, was) if "form" in mistakes else shown
                return await _answer(request, conn, replace(base, mistakes=mistakes))
            case Preview():
                title, save = Text("Change {name}?", name=was.name), Text("Save")
                posted, is_danger = fields, bool(outcome.loses.people)
                asked = SaveForm(outcome, title, f"{path}/change", posted, path, save, is_danger)
                return await _answer(request, conn, replace(shown, asked=asked))
            case None:
                pass
    return lead_to(request, path)


async def retire(request: web.Request) -> web.StreamResponse:
    """Shows who loses the tool, then takes it out of use."""
    fields = await form(request)
    seen = fields.get("seen", "")
    tool_id, actor = path_id(request, "tool"), visitor(request).account_id
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        await keeping_queries.lock(conn, tool_id=tool_id)
        if await keeping_queries.retired(conn, limit=1, tool_id=tool_id):
            return lead_to(request, "/tools")  # as when a form is sent twice
        was = await _tool(request, conn)
        shown = _as_it_is(request, was)
        outcome = await dry_run(
            conn,
            lambda conn: keeping.retire(conn, tool_id, actor=actor),
            seen=seen,
            always=True,
        )
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, replace(shown, mistakes=mistakes))
            case Preview():
                title = Text("Retire {name}?", name=was.name)
                save, path = Text("Retire {name}", name=was.name), f"/tools/{tool_id}"
                action = f"{path}/retirement"
                asked = SaveForm(outcome, title, action, {}, path, save, is_danger=True)
                return await _answer(request, conn, replace(shown, asked=asked, note=_STAYS))
            case None:
                pass
    return lead_to(request, "/tools")


async def bring_back(request: web.Request) -> web.StreamResponse:
    """Shows who gets the tool again, then takes it into use."""
    fields = await form(request)
    seen = fields.get("seen", "")
    tool_id, actor = path_id(request, "tool"), visitor(request).account_id
    path = f"/tools/{tool_id}"
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        await keeping_queries.lock(conn, tool_id=tool_id)
        rows = await keeping_queries.retired(conn, limit=1, tool_id=tool_id)
        if not rows:
            await _tool(request, conn)
            return lead_to(request, path)  # as when a form is sent twice
        shown = Shown(ToolDraft(), tool=tool_id, title=rows[0].name)
        outcome = await dry_run(
            conn,
            lambda conn: keeping.bring_back(conn, tool_id, actor=actor),
            seen=seen,
            always=True,
        )
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, replace(shown, mistakes=mistakes))
            case Preview():
                title = Text("Bring {name} back?", name=rows[0].name)
                save = Text("Bring it back")
                asked = SaveForm(outcome, title, f"{path}/return", {}, "/tools", save)
                return await _answer(request, conn, replace(shown, asked=asked))
            case None:
                pass
    return lead_to(request, path)


def _as_it_is(request: web.Request, tool: Meant) -> Shown:
    return Shown(
        ToolDraft.of(tool),
        tool=path_id(request, "tool"),
        title=tool.name,
        version=tool.version,
        key="" if tool.power is None else tool.power.key,
    )


async def _tool(request: web.Request, conn: Connection) -> Meant:
    tool = await keeping.tool_as_it_is(conn, path_id(request, "tool"))
    if tool is None:
        raise web.HTTPNotFound
    return tool


async def _answer(request: web.Request, conn: Connection, shown: Shown) -> web.Response:
    is_part = is_htmx(request) and request.method == "POST"
    show = fragment if is_part else page
    return show(
        request,
        "tools/form.html" if is_part else "tools/form_page.html",
        status=422 if shown.mistakes else 200,
        shown=shown,
        mistakes=shown.mistakes or {},
        controllers=[_NO_CONTROLLER, *((one, one) for one in await controllers.usable(conn))],
        circles=[
            ("", Text("Choose …")),
            *((str(row.circle_id), row.name) for row in await all_circles(conn)),
        ],
        assurances=ASSURANCES,
    )
