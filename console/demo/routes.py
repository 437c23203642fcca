"""The demo's page `/demo`, its live stream, and what can be pressed on it. Only in the demo."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from console.demo.building import Building
from console.demo.makerspace import LOGINS, PASSWORD, TABLE_CARDS
from console.demo.mechanics import Move
from console.demo.view import BuildingView
from console.errors import BadRequest
from console.web.live import beat
from console.web.render import TEMPLATES, fragment
from console.web.requests import form, is_htmx
from console.web.routing import Route, Who
from console.web.server_sent import LiveMessage, encode
from console.web.template_sets import TemplateSets
from console.words import Language

STATIC = Path(__file__).parent / "static"
TYPES = {"demo.css": "text/css", "demo.js": "text/javascript"}
HEARTBEAT_LOOKS = 100
"""After so many looks a beat says that the page is still live."""


class ShownCard(Struct, frozen=True):
    """A card on the table."""

    key: str
    owner: str
    story: str
    colour: str


class ShownLogin(Struct, frozen=True):
    """Somebody who can log in."""

    username: str
    what: str


def routes(building: Building) -> list[Route]:
    """Everything below `/demo`, for anyone: nothing in it is worth a log-in."""
    return Pages(building).routes()


class Pages:
    """What is answered below `/demo`."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._files = {name: (STATIC / name).read_bytes() for name in TYPES}
        self._cards = [
            ShownCard(card.key, building.owners[card.key], card.story, card.colour)
            for card in TABLE_CARDS
        ]

    def routes(self) -> list[Route]:
        """The page, its files, its stream, and its buttons."""
        controller = "/demo/controllers/{controller:[a-z0-9-]{1,32}}"
        key = "{key:[a-z0-9-]{1,32}}"
        return [
            Route("GET", "/demo", Who.ANYONE, self._page),
            Route("GET", "/demo/live", Who.ANYONE, self._live),
            Route("GET", "/demo/static/{name:demo\\.(?:css|js)}", Who.ANYONE, self._file),
            Route("POST", "/demo/taps", Who.ANYONE, self._tap),
            Route("POST", f"/demo/doors/{key}/leaf", Who.ANYONE, self._move_leaf),
            Route("POST", f"/demo/tools/{key}/motor", Who.ANYONE, self._switch_motor),
            Route("POST", f"/demo/tools/{key}/stop", Who.ANYONE, self._press_stop),
            Route("POST", f"{controller}/cable", Who.ANYONE, self._switch_cable),
            Route("POST", f"{controller}/reboots", Who.ANYONE, self._reboot),
            Route("POST", "/demo/broker", Who.ANYONE, self._switch_broker),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        await self._building.look()
        return fragment(
            request,
            "demo/page.html",
            building=self._building.view(),
            cards=self._cards,
            logins=[ShownLogin(username, what) for username, what in LOGINS.items()],
            password=PASSWORD,
        )

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(body=self._files[name], content_type=TYPES[name], charset="utf-8")

    async def _tap(self, request: web.Request) -> web.Response:
        fields = await form(request)
        await self._building.tap(fields.get("card", ""), fields.get("door", ""))
        return _done(request)

    async def _move_leaf(self, request: web.Request) -> web.Response:
        move = (await form(request)).get("move", "")
        if move not in set(Move):
            raise BadRequest("A leaf is opened, forced or closed, or somebody leaves through it.")
        await self._building.move_leaf(request.match_info["key"], Move(move))
        return _done(request)

    async def _switch_motor(self, request: web.Request) -> web.Response:
        runs = (await form(request)).get("runs") == "yes"
        self._building.switch_motor(request.match_info["key"], runs=runs)
        return _done(request)

    async def _press_stop(self, request: web.Request) -> web.Response:
        is_stopped = (await form(request)).get("is_stopped") == "yes"
        self._building.press_stop(request.match_info["key"], is_stopped=is_stopped)
        return _done(request)

    async def _switch_cable(self, request: web.Request) -> web.Response:
        is_cut = (await form(request)).get("is_cut") == "yes"
        await self._building.switch_cable(request.match_info["controller"], is_cut=is_cut)
        return _done(request)

    async def _reboot(self, request: web.Request) -> web.Response:
        await self._building.reboot(request.match_info["controller"])
        return _done(request)

    async def _switch_broker(self, request: web.Request) -> web.Response:
        runs = (await form(request)).get("runs") == "yes"
        await self._building.switch_broker(runs=runs)
        return _done(request)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        async with self._building.watched():
            await response.prepare(request)
            with suppress(ConnectionResetError):  # the browser is gone
                await self._pass_on(response, request.app[TEMPLATES])
        return response

    async def _pass_on(self, response: web.StreamResponse, templates: TemplateSets) -> None:
        """Sends each fragment when it has changed, until the demo ends."""
        sent: Mapping[str, str] = {}
        looks = 0
        is_open = True
        while is_open:
            messages = _messages(templates, self._building.view())
            news = {name: html for name, html in messages.items() if sent.get(name) != html}
            for name, html in news.items():
                await response.write(encode(LiveMessage(name, html)))
            sent = messages
            if looks % HEARTBEAT_LOOKS == 0:
                await response.write(beat())
            looks += 1
            is_open = await self._building.next_look()


def _messages(templates: TemplateSets, building: BuildingView) -> Mapping[str, str]:
    """All fragments of the page, as the page itself has them."""
    messages = {
        name: _text(templates, template, building=building)
        for name, template in (("plan", "marks"), ("switches", "switches"), ("tries", "tries"))
    }
    for point in building.points:
        for name in ("point", "moves"):
            messages[f"{name}-{point.key}"] = _text(templates, name, point=point)
    return messages


def _text(templates: TemplateSets, template: str, **context: object) -> str:
    """The demo's own page is in English."""
    return templates.text(Language.ENGLISH, f"demo/{template}.html", context)


def _done(request: web.Request) -> web.Response:
    """The stream shows what came of it; without scripts, the page does."""
    if is_htmx(request):
        return web.Response(status=204)
    raise web.HTTPSeeOther("/demo")
