"""What a visitor sees when something stops a request: a page, a fragment, or JSON for a program.

Decides the words and the status; never shows a stack trace. Also writes the one line per request
into the log.
"""

import json
import time

import structlog
from aiohttp import web
from msgspec import Struct
from psycopg import errors as pg_errors

from console.errors import BadRequest, Busy, ConsoleError, DatabaseUnavailable, Forbidden
from console.web.render import fragment, page
from console.web.requests import is_htmx, wants_data
from console.web.routing import Handler
from console.web.session import renew_cookie, visitor_or_none
from console.words import Text

log = structlog.get_logger()

RETRY_SECONDS = 5

_TITLES = {
    400: Text("That can't be done"),
    401: Text("Log in first"),
    403: Text("Not for you"),
    404: Text("Not here"),
    405: Text("Not this way"),
    413: Text("Too much at once"),
    429: Text("Too often"),
    503: Text("Not now"),
}
_WORDS = {
    404: Text("There is nothing at this address. It may have been removed, or the link is wrong."),
    405: Text("This address doesn't take that kind of request."),
    413: Text("At most 64 kB can be sent at once."),
}


_DATA_WORDS = {
    401: "Unauthorized: The server could not verify that you are authorized to access the URL"
    " requested. You either supplied the wrong credentials (e.g. a bad password), or your browser"
    " doesn't understand how to supply the credentials required.",
    403: "Forbidden: You don't have the permission to access the requested resource. It is either"
    " read-protected or not readable by the server.",
    404: "Not Found: The requested URL was not found on the server. If you entered the URL manually"
    " please check your spelling and try again.",
    405: "Method Not Allowed: The method is not allowed for the requested URL.",
}
"""For programs, unless there are words of the route's own: clients of the old web app compare them.
Source: the contract of its API, §1."""


_IN_EACH_OTHERS_WAY = (
    *(pg_errors.QueryCanceled, pg_errors.LockNotAvailable),
    *(pg_errors.DeadlockDetected, pg_errors.SerializationFailure),
)
"""Several changes at once, some of them perhaps the old web app's: try again."""


class Problem(Struct, frozen=True):
    """What stopped a request. `words` are for the visitor."""

    status: int
    words: str

    @property
    def title(self) -> str:
        """A short heading."""
        return _TITLES.get(self.status, Text("Something went wrong"))


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever stops a request into an answer, and logs the request."""
    started = time.monotonic()
    response = await _answer(request, handler)
    renew_cookie(request, response)
    resource = request.match_info.route.resource
    log.info(
        "request.answered",
        method=request.method,
        route=resource.canonical if resource else None,
        status=response.status,
        ms=round((time.monotonic() - started) * 1000, 1),
    )
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            return web.Response(status=error.status, headers=error.headers)
        response = _response(request, Problem(error.status, _words(request, error)))
        for name in ("Allow", "HX-Redirect", "Retry-After"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except ConsoleError as error:
        return _response(request, _console_problem(error))
    except _IN_EACH_OTHERS_WAY as error:
        log.warning("database.busy", reason=type(error).__name__)
        return _response(
            request,
            Problem(503, Text("The database is too busy at the moment. Nothing was changed.")),
        )
    except Exception:
        log.exception("request.failed", method=request.method)
        return _response(
            request,
            Problem(500, Text("This is a fault of the console, not yours. It was written down.")),
        )


def _words(request: web.Request, error: web.HTTPException) -> str:
    default = f"{error.status}: {error.reason}"
    own = error.text if error.text and error.text != default else ""
    if wants_data(request):
        return own or _DATA_WORDS.get(error.status) or _WORDS.get(error.status) or error.reason
    return _WORDS.get(error.status) or own or error.reason


def _console_problem(error: ConsoleError) -> Problem:
    match error:
        case BadRequest():
            return Problem(400, error.words)
        case Forbidden():
            return Problem(403, error.words)
        case Busy():
            return Problem(503, error.words)
        case DatabaseUnavailable():
            log.warning("database.unavailable")
            return Problem(
                503,
                Text(
                    "The database doesn't answer, so nothing can be shown or changed here."
                    " Doors go on working with cards. Try again in a moment."
                ),
            )
        case _:
            log.error("request.stopped", error=type(error).__name__)
            return Problem(500, Text("The console can't do this now. The log says why."))


def _response(request: web.Request, problem: Problem) -> web.Response:
    if wants_data(request):
        response = web.Response(
            body=json.dumps({"message": problem.words}).encode("ascii"),
            status=problem.status,
            content_type="application/vnd.error+json",
        )
    elif is_htmx(request):
        response = fragment(request, "web/problem.html", status=problem.status, problem=problem)
    else:
        response = page(
            request,
            "web/error.html",
            status=problem.status,
            problem=problem,
            log_in=problem.status in {401, 403} and visitor_or_none(request) is None,
        )
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
