"""Adds doors, changes them, retires them and brings them back; each is shown before it is saved."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from console.circles.queries import all_circles
from console.controllers import queries as controllers
from console.database import Connection
from console.doors import changing_queries, keeping
from console.doors.circle_routes import chosen_circles
from console.doors.draft import DRIVERS, DoorDraft, Meant
from console.rights.demands_form import ASSURANCES
from console.rights.dry_run import Preview, SaveForm, dry_run, take_turn
from console.web.keys import DATABASE
from console.web.mistakes import Mistaken, Mistakes
from console.web.render import fragment, lead_to, page
from console.web.requests import form, is_htmx
from console.web.routing import Route, Who
from console.web.session import author
from console.words import Text
from sync.ids import PointKey

NEW = "/doors/_new"
"""No key of a door has such a character."""
_DOOR = "/doors/{door:[a-z0-9-]{1,32}}"
_STAYS = Text("Its history stays, and its key stays taken. It can be brought back.")
_NO_CONTROLLER = ("", Text("none"))
Change = Callable[[Connection], Awaitable[Mistaken | None]]


class Shown(Struct, frozen=True):
    """The form as it is answered with. `door` None: a new one. `version`: of what it changes."""

    draft: DoorDraft
    door: str | None = None
    title: str = ""
    version: str = ""
    chosen: frozenset[int] = frozenset()
    mistakes: Mistakes | None = None
    asked: SaveForm | None = None
    note: str = ""


def routes() -> list[Route]:
    """Below /doors; before the pages of single doors."""
    return [
        Route("GET", NEW, Who.ADMIN, new_form),
        Route("POST", NEW, Who.ADMIN, save_new),
        Route("GET", f"{_DOOR}/change", Who.ADMIN, change_form),
        Route("POST", f"{_DOOR}/change", Who.ADMIN, save_change),
        Route("POST", f"{_DOOR}/retirement", Who.ADMIN, retire),
        Route("POST", f"{_DOOR}/return", Who.ADMIN, bring_back),
    ]


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, Shown(DoorDraft()))


async def save_new(request: web.Request) -> web.StreamResponse:
    """Shows who could open the new door, then makes it."""
    fields = await form(request)
    seen = fields.get("seen", "")
    draft = DoorDraft.read(fields, key=fields.get("key", "").strip())
    shown = Shown(draft, chosen=chosen_circles(fields))
    meant = draft.meant()
    if not isinstance(meant, Meant):
        async with request.app[DATABASE].reading() as conn:
            return await _answer(request, conn, replace(shown, mistakes=meant))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await dry_run(
            conn, lambda conn: keeping.make(conn, meant, shown.chosen), seen=seen, always=True
        )
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, replace(shown, mistakes=mistakes))
            case Preview():
                title, save = Text("Add the door {name}?", name=meant.name), Text("Add the door")
                asked = SaveForm(outcome, title, NEW, fields, NEW, save)
                return await _answer(request, conn, replace(shown, asked=asked))
            case None:
                pass
    return lead_to(request, f"/doors/{meant.key}")


async def change_form(request: web.Request) -> web.StreamResponse:
    """The form of a door."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, _as_it_is(await _door(request, conn)))


async def save_change(request: web.Request) -> web.StreamResponse:
    """Shows who gains and who loses the door by it, if anybody does, then saves."""
    fields = await form(request)
    seen = fields.get("seen", "")
    key = PointKey(request.match_info["door"])
    path = f"/doors/{key}"
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        if not await changing_queries.lock_door(conn, key=key):
            raise web.HTTPNotFound
        was = await _door(request, conn)
        draft = DoorDraft.read(fields, key=key)
        shown = replace(_as_it_is(was), draft=draft)
        meant = draft.meant(was.demands)
        if not isinstance(meant, Meant):
            return await _answer(request, conn, replace(shown, mistakes=meant))
        version = fields.get("version", "")
        outcome = await dry_run(
            conn, lambda conn: keeping.change(conn, meant, version=version), seen=seen
        )
        match outcome:
            case Mistaken(mistakes):
                # With a stale form the newest values are shown, else what was typed.
                base = _as_it_is(was) if "form" in mistakes else shown
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
    """Shows who loses the door, then takes it out of use."""
    fields = await form(request)
    seen = fields.get("seen", "")
    key = PointKey(request.match_info["door"])
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        if await changing_queries.retired(conn, limit=1, key=key):
            return lead_to(request, "/doors")  # as when a form is sent twice
        if not await changing_queries.lock_door(conn, key=key):
            raise web.HTTPNotFound
        was = await _door(request, conn)
        outcome = await dry_run(
            conn, lambda conn: keeping.retire(conn, key), seen=seen, always=True
        )
        if isinstance(outcome, Preview):
            title = Text("Retire {name}?", name=was.name)
            save, path = Text("Retire {name}", name=was.name), f"/doors/{key}"
            asked = SaveForm(outcome, title, f"{path}/retirement", {}, path, save, is_danger=True)
            return await _answer(request, conn, replace(_as_it_is(was), asked=asked, note=_STAYS))
    return lead_to(request, "/doors")


async def bring_back(request: web.Request) -> web.StreamResponse:
    """Shows who gets the door again, then takes it into use."""
    fields = await form(request)
    seen = fields.get("seen", "")
    key = PointKey(request.match_info["door"])
    path = f"/doors/{key}"
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        rows = await changing_queries.retired(conn, limit=1, key=key, is_locking=True)
        if not rows:
            await _door(request, conn)
            return lead_to(request, path)  # as when a form is sent twice
        shown = Shown(DoorDraft(), door=key, title=rows[0].name)
        outcome = await dry_run(
            conn, lambda conn: keeping.bring_back(conn, key), seen=seen, always=True
        )
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, replace(shown, mistakes=mistakes))
            case Preview():
                title = Text("Bring {name} back?", name=rows[0].name)
                save = Text("Bring it back")
                asked = SaveForm(outcome, title, f"{path}/return", {}, "/doors", save)
                return await _answer(request, conn, replace(shown, asked=asked))
            case None:
                pass
    return lead_to(request, path)


def _as_it_is(door: Meant) -> Shown:
    return Shown(DoorDraft.of(door), door=door.key, title=door.name, version=door.version)


async def _door(request: web.Request, conn: Connection) -> Meant:
    door = await keeping.door_as_it_is(conn, PointKey(request.match_info["door"]))
    if door is None:
        raise web.HTTPNotFound
    return door


async def _answer(request: web.Request, conn: Connection, shown: Shown) -> web.Response:
    is_part = is_htmx(request) and request.method == "POST"
    show = fragment if is_part else page
    return show(
        request,
        "doors/form.html" if is_part else "doors/form_page.html",
        status=422 if shown.mistakes else 200,
        shown=shown,
        mistakes=shown.mistakes or {},
        controllers=[_NO_CONTROLLER, *((one, one) for one in await controllers.usable(conn))],
        circles=await all_circles(conn) if shown.door is None else (),
        drivers=DRIVERS,
        assurances=ASSURANCES,
    )
