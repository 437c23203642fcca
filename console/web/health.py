"""`GET /healthz`: whether database and broker answer, for whoever watches the console."""

import asyncio

from aiohttp import web

from console.web.keys import BROKER_ANSWERS, DATABASE
from console.web.routing import Route, Who


def routes() -> list[Route]:
    """The one address."""
    return [Route("GET", "/healthz", Who.ANYONE, healthz)]


async def healthz(request: web.Request) -> web.Response:
    """200 when both answer, else 503; the body says which."""
    database, broker = await asyncio.gather(
        request.app[DATABASE].answers(), request.app[BROKER_ANSWERS]()
    )
    return web.json_response(
        {"database": _word(database), "broker": _word(broker)},
        status=200 if database and broker else 503,
    )


def _word(answers: bool) -> str:
    return "answers" if answers else "does not answer"
