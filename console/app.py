"""Builds the web application: the only place where features, frame and database meet.

To add a feature: its `routes()` to `_routes`, its live source to `_live_sources`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from aiohttp import web

import console.accounts.routes as accounts
import console.audit.routes as audit
import console.avatars.routes as avatars
import console.badges.routes as badges
import console.cards.break_glass_routes as break_glass
import console.cards.reach_routes as reach
import console.cards.routes as cards
import console.circles.routes as circles
import console.companies.routes as companies
import console.controllers.keeping_routes as controller_keeping
import console.controllers.routes as controllers
import console.doors.routes as doors
import console.events.log_routes as log
import console.explain.routes as explain
import console.first_card.routes as first_card
import console.front.alarm_routes as past_alarms
import console.front.routes as front
import console.in_force.routes as in_force
import console.labels.routes as labels
import console.legacy.routes as legacy
import console.membership.money_routes as money
import console.membership.routes as membership
import console.membership.treasury as treasury
import console.people.history as history
import console.people.routes as people
import console.search.routes as search
import console.tools.routes as tools
from console.cards.live import UnknownCards
from console.controllers.live import ControllerStates
from console.controllers.order_pages import ORDERS
from console.controllers.orders import Orders
from console.controllers.waiting_bundles import BUNDLES, WaitingBundles
from console.database import Database
from console.doors.any_door import AnyDoor
from console.doors.dlock import Dlock
from console.doors.live import DoorStates
from console.doors.old_door import OldDoors
from console.doors.opening import Opener
from console.events.recent import RecentEvents
from console.first_card.live import CardClaims
from console.front.alarms import ALARMS, Alarms
from console.mail import Mailer
from console.rights.publish import unix_ms
from console.settings import ConsoleSettings
from console.site_keys import SiteIdentity
from console.supervision import end, keep_running
from console.tools.checkout import CHECKOUTS, Checkouts
from console.tools.live import ToolStates
from console.web import health, language, live
from console.web.errors import answer_errors
from console.web.headers import add_headers
from console.web.keys import (
    ALARM_BAR,
    BROKER_ANSWERS,
    DATABASE,
    LIVE,
    MAILER,
    MQTT,
    SETTINGS,
    SITE_SALT,
    NoBroker,
    Publishes,
)
from console.web.live_hub import LiveHub, LiveSource
from console.web.origin import origin_check
from console.web.permit import permit
from console.web.phrasebooks import read_phrasebooks
from console.web.render import TEMPLATES
from console.web.requests import BODY_BYTES_MAX
from console.web.routing import Route, refuse_routes_without_rule, register
from console.web.slashes import merge_slashes
from console.web.static_files import read_static_files
from console.web.template_sets import set_up_template_sets


async def build_app(
    *,
    settings: ConsoleSettings,
    database: Database,
    site_salt: bytes,
    broker_answers: Callable[[], Awaitable[bool]],
    orders: Orders | None = None,
    broker: Publishes | None = None,
    identity: SiteIdentity | None = None,
    routes: Sequence[Route] = (),
) -> web.Application:
    """The application, ready to be served. `routes`: further ones, of the demo.

    `orders` None: there is no way to the controllers. `broker` None: messages to hardware of the
    old web app get nowhere. `identity` None: pages enrol no controllers.
    Raises: FilesMissing, RouteWithoutRule.
    """
    app = web.Application(
        middlewares=[
            answer_errors,
            origin_check(settings.http.public_url),
            merge_slashes,
            permit,
        ],
        client_max_size=BODY_BYTES_MAX,
    )
    files = read_static_files()
    app[TEMPLATES] = set_up_template_sets(app, files, read_phrasebooks())
    app[SETTINGS] = settings
    app[DATABASE] = database
    app[SITE_SALT] = site_salt
    app[BROKER_ANSWERS] = broker_answers
    app[MQTT] = broker or NoBroker()
    app[BUNDLES] = WaitingBundles(now=time.monotonic)
    if identity is not None:
        app[controller_keeping.IDENTITY] = identity
    if orders is not None:
        app[ORDERS] = orders
    app[doors.ANY_DOOR] = _any_door(app, database, settings, orders)
    app[CHECKOUTS] = Checkouts(
        database, app[MQTT], prefix=settings.mqtt.legacy_tool_prefix, now_ms=unix_ms
    )
    app[MAILER] = Mailer(settings.mail)
    accounts.set_up(app)
    treasury.set_up(app)
    avatars.set_up(app)
    app[ALARMS] = Alarms(database)
    app[ALARM_BAR] = app[ALARMS].bar
    sources = [*_live_sources(database), app[ALARMS]]
    app[LIVE] = LiveHub(database.conninfo, sources, app[TEMPLATES])
    register(app, [*_routes(), *files.routes(), *routes])
    refuse_routes_without_rule(app)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_live_updates)
    app.cleanup_ctx.append(_alarms)
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(_end_mail)
    return app


def _routes() -> list[Route]:
    return [
        *health.routes(),
        *live.routes(),
        *language.routes(),
        *accounts.routes(),
        *audit.routes(),
        *avatars.routes(),
        *circles.routes(),
        *companies.routes(),
        *badges.routes(),
        *cards.routes(),
        *reach.routes(),
        *break_glass.routes(),
        *first_card.routes(),
        *labels.routes(),
        *people.routes(),
        *membership.routes(),
        *money.routes(),
        *history.routes(),
        *log.routes(),
        *explain.routes(),
        *doors.routes(),
        *tools.routes(),
        *controllers.routes(),
        *controller_keeping.routes(),
        *search.routes(),
        *in_force.routes(),
        *front.routes(),
        *past_alarms.routes(),
        *legacy.routes(),
    ]


def _any_door(
    app: web.Application, database: Database, settings: ConsoleSettings, orders: Orders | None
) -> AnyDoor:
    dlock = Dlock(settings.legacy)

    async def end_connections(_app: web.Application) -> None:
        await dlock.close()

    app.on_cleanup.append(end_connections)
    old_doors = OldDoors(database, dlock, app[MQTT], mqtt=settings.mqtt, now_ms=unix_ms)
    opener = None if orders is None else Opener(database, orders, now_ms=unix_ms)
    return AnyDoor(database, controllers=opener, old_doors=old_doors, now_ms=unix_ms)


def _live_sources(database: Database) -> Sequence[LiveSource]:
    return [
        RecentEvents(database),
        log.LogMark(database),
        UnknownCards(database),
        DoorStates(database),
        ToolStates(database),
        ControllerStates(database),
        CardClaims(database),
    ]


async def _live_updates(app: web.Application) -> AsyncGenerator[None]:
    running = asyncio.create_task(app[LIVE].run(), name="live hub")
    yield
    await end(running)


async def _alarms(app: web.Application) -> AsyncGenerator[None]:
    running = asyncio.create_task(keep_running("alarms", app[ALARMS].run), name="alarms")
    yield
    await end(running)


async def _end_streams(app: web.Application) -> None:
    app[LIVE].close()


async def _end_mail(app: web.Application) -> None:
    app[MAILER].close()
