"""The circles of a door: a form that shows who gains and who loses it before it saves."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from msgspec import Struct

from console.circles.queries import CircleRow, all_circles
from console.database import Connection
from console.doors import changing_queries
from console.doors.queries import doors
from console.rights.dry_run import Preview, SaveForm, dry_run, take_turn
from console.web.keys import DATABASE
from console.web.mistakes import Mistaken, Mistakes
from console.web.numbers import read_id
from console.web.render import fragment, lead_to, page
from console.web.requests import form, is_htmx
from console.web.routing import Route, Who
from console.web.session import author
from console.words import Text
from sync.ids import PointKey

CIRCLES_MAX = 40
"""Of one door: a form has at most 50 fields."""
_PATH = "/doors/{door:[a-z0-9-]{1,32}}/circles"
_FIELD = "circle-"


class Choice(Struct, frozen=True):
    """The circles that somebody chose, and those that the door had when she was asked.

    `was` None: the form doesn't say.
    """

    chosen: frozenset[int]
    was: frozenset[int] | None


def routes() -> list[Route]:
    """Below the page of a door."""
    return [
        Route("GET", _PATH, Who.ADMIN, circles_form),
        Route("POST", _PATH, Who.ADMIN, save_circles),
    ]


async def circles_form(request: web.Request) -> web.StreamResponse:
    """Every circle, those of the door ticked."""
    key = PointKey(request.match_info["door"])
    async with request.app[DATABASE].reading() as conn:
        has = await changing_queries.circles_of(conn, key=key)
        return await _answer(request, conn, chosen=has, was=has)


async def save_circles(request: web.Request) -> web.StreamResponse:
    """Shows who gains and who loses the door; saves once that was seen."""
    key = PointKey(request.match_info["door"])
    fields = await form(request)
    was = _ids(fields["was"]) if "was" in fields else None
    choice = Choice(chosen_circles(fields), was)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        if not await changing_queries.lock_door(conn, key=key):
            raise web.HTTPNotFound

        async def change(conn: Connection) -> Mistaken | None:
            return await _change(conn, key, choice)

        # Whoever joins a circle later is let in by it: shown also where nobody is today.
        is_new = choice.chosen != await changing_queries.circles_of(conn, key=key)
        outcome = await dry_run(conn, change, seen=fields.get("seen", ""), always=is_new)
        has = await changing_queries.circles_of(conn, key=key)
        match outcome:
            case Mistaken(mistakes):
                return await _answer(request, conn, chosen=has, was=has, mistakes=mistakes)
            case Preview():
                return await _answer(
                    request, conn, chosen=choice.chosen, was=has, preview=outcome, posted=fields
                )
            case None:
                pass
    # Once it is committed: whoever follows the redirect sees what was saved.
    return lead_to(request, f"/doors/{key}")


async def _change(conn: Connection, key: PointKey, choice: Choice) -> Mistaken | None:
    has = await changing_queries.circles_of(conn, key=key)
    if choice.chosen == has:
        return None  # as when a form is sent twice
    if has != choice.was:
        words = Text("Somebody changed the circles of this door meanwhile: now it has these.")
        return Mistaken({"circles": words})
    known = {row.circle_id for row in await all_circles(conn)}
    if choice.chosen - known - has:
        words = Text("One of these circles doesn’t exist any more. Choose again.")
        return Mistaken({"circles": words})
    if len(choice.chosen) > CIRCLES_MAX:
        return Mistaken({"circles": Text("A door has at most {n} circles.", n=CIRCLES_MAX)})
    await changing_queries.set_circles(conn, key=key, circles=choice.chosen)
    return None


async def _answer(
    request: web.Request,
    conn: Connection,
    *,
    chosen: frozenset[int],
    was: frozenset[int],
    mistakes: Mistakes | None = None,
    preview: Preview | None = None,
    posted: Mapping[str, str] | None = None,
) -> web.Response:
    key = PointKey(request.match_info["door"])
    rows = await doors(conn, key=key)
    if not rows:
        raise web.HTTPNotFound
    circles: Sequence[CircleRow] = await all_circles(conn)
    asked = None
    if preview is not None:
        path = f"/doors/{key}/circles"
        title = Text("Circles of {name}", name=rows[0].name)
        asked = SaveForm(
            preview, title, path, posted or {}, path, Text("Save"), bool(preview.loses.people)
        )
    show = fragment if is_htmx(request) else page
    return show(
        request,
        "doors/circles.html" if is_htmx(request) else "doors/circles_page.html",
        status=422 if mistakes else 200,
        door=rows[0],
        circles=circles,
        chosen=chosen,
        was=",".join(map(str, sorted(was))),
        mistakes=mistakes or {},
        asked=asked,
    )


def chosen_circles(fields: Mapping[str, str]) -> frozenset[int]:
    """Those that are ticked in a form."""
    names = (name.removeprefix(_FIELD) for name in fields if name.startswith(_FIELD))
    return _ids(",".join(names))


def _ids(text: str) -> frozenset[int]:
    """The numbers of a list with commas; what is none is left out."""
    found = map(read_id, text.split(","))
    return frozenset(number for number in found if number is not None)
