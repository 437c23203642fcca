"""Turns a template into a page, or into the fragment of one that htmx asked for.

Decides what every template knows, and that an answer is in the visitor's language.
"""

from collections.abc import Mapping
from functools import partial

from aiohttp import web

from console.web import navigation, times
from console.web.keys import ALARM_BAR, ASKED_MS
from console.web.language import language_of
from console.web.requests import TYPED, is_htmx
from console.web.routing import Who
from console.web.session import visitor_or_none
from console.web.template_sets import TemplateSets
from console.web.versions import CHANGED_MEANWHILE, form_version, typed_texts

TEMPLATES = web.AppKey("templates", TemplateSets)


def page(
    request: web.Request, template: str, /, *, status: int = 200, **context: object
) -> web.Response:
    """A whole page: `template` extends `layout`, which is the frame (or bare, for htmx)."""
    layout = "web/bare.html" if is_htmx(request) else "web/frame.html"
    return _rendered(request, template, {**context, "layout": layout}, status)


def fragment(
    request: web.Request, template: str, /, *, status: int = 200, **context: object
) -> web.Response:
    """A part of a page, as it stands in the page.

    After something was done, the rest of the page may say something else: `changed` tells it so.
    """
    response = _rendered(request, template, context, status)
    if request.method == "POST" and status == 200:
        response.headers["HX-Trigger-After-Swap"] = "changed"
    return response


def lead_to(request: web.Request, path: str) -> web.Response:
    """Answers a form that is done, also by htmx: the browser goes to where it is seen."""
    if is_htmx(request):
        return web.Response(headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})


def _rendered(
    request: web.Request, template: str, context: Mapping[str, object], status: int
) -> web.Response:
    run_links = navigation.run_links(request)
    me = visitor_or_none(request)
    typed = request.get(TYPED, {})
    known: Mapping[str, object] = {
        "visitor": me,
        "bar": request.app[ALARM_BAR](Who.ADMIN if me.is_admin else Who.MEMBER) if me else None,
        "now_ms": times.ms(times.now()),
        "asked_ms": request.get(ASKED_MS, 0),
        "here": request.path_qs if request.method in {"GET", "HEAD"} else "/",
        "changed_meanwhile": CHANGED_MEANWHILE,
        "typed_texts": typed_texts(typed),
        "form_version": partial(form_version, typed=typed),
        "main_links": navigation.main_links(request),
        "run_links": run_links,
        "on_run_page": request.path == "/run" or any(link.is_current for link in run_links),
        "search": request.query.get("q", "")[:100]
        if request.path in {"/members", "/search"}
        else "",
    }
    text = request.app[TEMPLATES].text(language_of(request), template, {**known, **context})
    return web.Response(text=text, content_type="text/html", status=status)
