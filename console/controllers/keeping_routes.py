"""Enrols controllers on pages, gives them new keys, retires them.

Decides that the bundle is fetched once, by whoever made it, and that a form sent twice doesn't give
new keys twice: the first bundle would be worth nothing.
"""

from aiohttp import web
from msgspec import Struct

from console.controllers import keeping_queries, queries, said
from console.controllers.enrol import (
    EnrolmentRefused,
    broker_url_for_bundle,
    enrol_by,
    new_bundle,
    refuse_name,
    told_of,
)
from console.controllers.queries import ControllerRow
from console.controllers.routes import view
from console.controllers.unrecorded import unrecorded
from console.controllers.waiting_bundles import BUNDLES
from console.database import Connection
from console.errors import BadRequest
from console.link.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from console.site_keys import SiteIdentity
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.mistakes import Mistakes
from console.web.render import page
from console.web.requests import form
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.web.versions import CHANGED_MEANWHILE, version_of
from console.words import Text
from sync.bundle import Bundle, encode_bundle
from sync.errors import WireError
from sync.ids import ControllerId, controller_id

NEW = "/controllers/_new"
"""No name of a controller has such a character."""
_CONTROLLER = "/controllers/{controller:[a-z0-9-]{1,32}}"
BROKER_CHARACTERS_MAX = 300
IDENTITY = web.AppKey("identity", SiteIdentity)


class Typed(Struct, frozen=True):
    """The form as it was sent."""

    name: str = ""
    broker: str = ""


def routes() -> list[Route]:
    """Below /controllers."""
    return [
        Route("GET", NEW, Who.ADMIN, new_form),
        Route("POST", NEW, Who.ADMIN, enrol_new),
        Route("GET", _CONTROLLER, Who.ADMIN, controller_page),
        Route("POST", f"{_CONTROLLER}/enrolment", Who.ADMIN, enrol_known),
        Route("GET", f"{_CONTROLLER}/bundle", Who.ADMIN, bundle_page),
        Route("POST", f"{_CONTROLLER}/bundle", Who.ADMIN, fetch_bundle),
        Route("POST", f"{_CONTROLLER}/retirement", Who.ADMIN, retire),
    ]


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    return _new(request, Typed(), {})


async def enrol_new(request: web.Request) -> web.StreamResponse:
    """Makes a controller with keys, or gives keys to one that a door names already."""
    fields = await form(request)
    typed = Typed(fields.get("name", "").strip(), fields.get("broker", "").strip())
    mistakes = dict(_name_mistakes(request, typed.name))
    broker = _broker(request, typed.broker)
    if isinstance(broker, Text):
        mistakes["broker"] = broker
    if mistakes or isinstance(broker, Text):
        return _new(request, typed, mistakes)
    name = ControllerId(typed.name)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        known = await queries.controller(conn, controller=name)
        if known is not None and known.retired_at is not None:
            words = Text("A retired controller has this name. Enrol that one again.")
            return _new(request, typed, {"name": words})
        bundle = await _enrol(request, conn, name, broker, replace=False)
    if bundle is not None:
        request.app[BUNDLES].put(bundle, account=visitor(request).account_id)
    elif not _is_waiting(request, name):  # else the form was sent twice
        words = Text("There is a controller with this name already.")
        return _new(request, typed, {"name": words})
    raise web.HTTPSeeOther(f"/controllers/{name}/bundle")


async def controller_page(request: web.Request) -> web.StreamResponse:
    """One controller: how it is, its keys, and retiring it."""
    return await _page(request, {})


async def enrol_known(request: web.Request) -> web.StreamResponse:
    """Gives new keys to a controller; those before are worth nothing from then on."""
    fields = await form(request)
    name, text = _named(request), fields.get("broker", "").strip()
    broker = _broker(request, text)
    if isinstance(broker, Text):
        return await _page(request, {"broker": broker}, text)
    bundle = None
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await keeping_queries.lock(conn, controller=name)
        known = await queries.controller(conn, controller=name)
        if known is None:
            raise web.HTTPNotFound
        if _version(known) == fields.get("version"):
            bundle = await _enrol(request, conn, name, broker, replace=True)
    if bundle is not None:
        request.app[BUNDLES].put(bundle, account=visitor(request).account_id)
    elif not _is_waiting(request, name):
        return await _page(request, {"form": CHANGED_MEANWHILE}, text)
    raise web.HTTPSeeOther(f"/controllers/{name}/bundle")


async def bundle_page(request: web.Request) -> web.StreamResponse:
    """Where the bundle is fetched, and what to do with it."""
    name = _named(request)
    bundle = request.app[BUNDLES].waiting(name, account=visitor(request).account_id)
    async with request.app[DATABASE].reading() as conn:
        if await queries.controller(conn, controller=name) is None:
            raise web.HTTPNotFound
    told = None if bundle is None else told_of(parse_broker_url(bundle.broker_url))
    return page(
        request,
        "controllers/bundle.html",
        name=name,
        told=told,
        has_mosquitto=request.app[SETTINGS].mqtt.url is not None,
    )


async def fetch_bundle(request: web.Request) -> web.StreamResponse:
    """The file, once."""
    name = _named(request)
    bundle = request.app[BUNDLES].take(name, account=visitor(request).account_id)
    if bundle is None:
        raise BadRequest(
            Text("This bundle was fetched already, or is too old. New keys give another one.")
        )
    return web.Response(
        body=encode_bundle(bundle),
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
    )


async def retire(request: web.Request) -> web.StreamResponse:
    """Takes its keys away, unless something hangs there."""
    await form(request)
    name = _named(request)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        if not await keeping_queries.lock(conn, controller=name):
            raise web.HTTPNotFound
        hanging = await keeping_queries.hanging(conn, controller=name)
        if not hanging:
            await keeping_queries.retire(conn, controller=name)
    if hanging:
        words = Text(
            "Something hangs there: {names}. Retire that first, or move it to another controller.",
            names=", ".join(hanging),
        )
        return await _page(request, {"retirement": words})
    request.app[BUNDLES].drop(name)
    raise web.HTTPSeeOther("/controllers")


async def _enrol(
    request: web.Request, conn: Connection, name: ControllerId, broker: BrokerUrl, *, replace: bool
) -> Bundle | None:
    """Its bundle, which counts from the commit on; None: it has keys, and keeps them."""
    identity = request.app.get(IDENTITY)
    if identity is None:
        raise web.HTTPNotFound
    bundle = new_bundle(
        identity, controller=name, broker=broker, prefix=request.app[SETTINGS].mqtt.prefix
    )
    return bundle if await enrol_by(conn, bundle, replace=replace) else None


def _is_waiting(request: web.Request, name: ControllerId) -> bool:
    account = visitor(request).account_id
    return request.app[BUNDLES].waiting(name, account=account) is not None


def _name_mistakes(request: web.Request, name: str) -> Mistakes:
    try:
        refuse_name(controller_id(name), request.app[SETTINGS].mqtt)
    except WireError:
        return {"name": Text("1 to 32 of a-z, 0-9 and -")}
    except EnrolmentRefused:
        return {"name": Text("The console itself has this name at the broker.")}
    return {}


def _broker(request: web.Request, text: str) -> BrokerUrl | Text:
    try:
        if len(text) > BROKER_CHARACTERS_MAX:
            raise BrokerUrlError(text[:20])
        return broker_url_for_bundle(text or None, request.app[SETTINGS].mqtt)
    except BrokerUrlError:
        return Text("An address such as mqtts://console.example.org or mqtt://10.0.0.5:1883")
    except EnrolmentRefused:
        return Text("Say by which address the controller reaches this machine.")


def _named(request: web.Request) -> ControllerId:
    return ControllerId(request.match_info["controller"])


def _version(known: ControllerRow) -> str:
    return version_of(
        *(
            moment.isoformat() if moment else None
            for moment in (known.enrolled_at, known.retired_at)
        )
    )


def _new(request: web.Request, typed: Typed, mistakes: Mistakes) -> web.Response:
    status = 422 if mistakes else 200
    return page(request, "controllers/new.html", status=status, typed=typed, mistakes=mistakes)


async def _page(request: web.Request, mistakes: Mistakes, broker: str = "") -> web.Response:
    name, now = _named(request), times.now()
    async with request.app[DATABASE].reading() as conn:
        known = await queries.controller(conn, controller=name)
        if known is None:
            raise web.HTTPNotFound
        rows = await queries.listed(conn, controller=name)
        views = [view(row, now, await unrecorded(conn, row.id, row.report, now)) for row in rows]
        unsent = said.journal(rows[0].report)[0] if rows and rows[0].report else None
        hanging = await keeping_queries.hanging(conn, controller=name)
    return page(
        request,
        "controllers/controller.html",
        status=422 if mistakes else 200,
        known=known,
        controllers=views,
        unsent=unsent,
        hanging=hanging,
        version=_version(known),
        broker=broker,
        mistakes=mistakes,
    )
