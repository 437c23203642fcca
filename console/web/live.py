"""`GET /live`: the stream of server-sent events that keeps an open page true.

Decides the form of the stream and when it ends: when the session does, or when the visitor's
rights change, or when the browser has newer ones. What is sent is for `live_hub.py` and the
features.
"""

import asyncio

from aiohttp import web

from console.errors import DatabaseUnavailable
from console.web import times
from console.web.keys import LIVE
from console.web.language import language_of
from console.web.numbers import read_id
from console.web.routing import Route, Who
from console.web.server_sent import LiveMessage, encode
from console.web.session import Visitor, is_still, renew_cookie, session_key, visitor
from console.web.subscription import Subscription

HEARTBEAT_SECONDS = 15
"""A beat this often keeps proxies from closing the stream, and finds dead ones; the page that hears
three too few says that it is no longer live (console.js)."""
WRITE_SECONDS = 20
"""A browser that takes nothing for so long is gone."""


def routes() -> list[Route]:
    """The stream."""
    return [Route("GET", "/live", Who.MEMBER, live)]


async def live(request: web.Request) -> web.StreamResponse:
    """Everything as it is now, unless the page has just come and shows it; then every change."""
    me = visitor(request)
    audience = next(who for who in (Who.ADMIN, Who.FRONT_DESK, Who.MEMBER) if who in me.roles)
    language = language_of(request)
    hub = request.app[LIVE]
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    with hub.subscribe(audience, language, me.account_id, session_key(request)) as subscription:
        since_ms = read_id(request.query.get("since", "")) or 0
        is_old = hub.has_changed(since_ms=since_ms)
        first = await hub.current(audience, language) if is_old else b""
        renew_cookie(request, response)
        try:
            await response.prepare(request)
            await _write(response, first + beat())
            await _pass_on(request, response, subscription, me)
        except TimeoutError:  # nothing more can be sent, not even an end
            if request.transport is not None:
                request.transport.abort()
        except (ConnectionResetError, DatabaseUnavailable):
            pass  # the browser is gone, or what it shows can't be kept true: it connects again
    return response


async def _pass_on(
    request: web.Request, response: web.StreamResponse, subscription: Subscription, me: Visitor
) -> None:
    clock = asyncio.get_running_loop().time
    next_check = clock() + HEARTBEAT_SECONDS
    while not subscription.is_dropped:
        chunk = await subscription.next(seconds=max(0.0, next_check - clock()))
        is_doubtful, subscription.is_doubtful = subscription.is_doubtful, False
        if (is_doubtful or clock() >= next_check) and not await is_still(request, me):
            return
        if chunk:
            await _write(response, chunk)
        if clock() >= next_check:
            next_check = clock() + HEARTBEAT_SECONDS
            await _write(response, beat())
    if subscription.is_paused:
        await _write(response, encode(LiveMessage("pause", "")))


def beat() -> bytes:
    """That all until now was sent, and what time that is in the space. It is an event, since the
    script of a page never sees comments."""
    return encode(LiveMessage("beat", times.hour_and_minute(times.now())))


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)
