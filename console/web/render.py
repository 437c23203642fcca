"""Turns a template into a page, or into the fragment of one that htmx asked for.

Decides which templates exist (each feature's folder, named after the feature), that everything is
escaped, and what every template knows.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from console.web import navigation, times
from console.web.requests import is_htmx
from console.web.session import visitor_or_none
from console.web.static_files import StaticFiles
from console.web.user_agent import browser_name

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
FEATURES = Path(__file__).parent.parent


def set_up_templates(app: web.Application, files: StaticFiles) -> jinja2.Environment:
    """Gives the application its templates: `doors/state.html` is in `console/doors/templates`."""
    loaders: dict[str, jinja2.BaseLoader] = {
        folder.parent.name: _Dense(folder) for folder in sorted(FEATURES.glob("*/templates"))
    }
    return aiohttp_jinja2.setup(
        app,
        loader=jinja2.PrefixLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        default_helpers=False,
        filters={
            "static": files.address,
            "browser": browser_name,
            "ago": times.ago_tag,
            "coming": times.coming_tag,
            "left": times.left_tag,
            "day": times.day_tag,
            "when": times.when_tag,
            "clock": times.clock_tag,
        },
    )


class _Dense(jinja2.FileSystemLoader):
    """Leaves the indentation of the templates out: a tenth of a page would be that."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """A template without the blanks at the beginning of its lines."""
        source, path, is_unchanged = super().get_source(environment, template)
        return _INDENTATION.sub("", source), path, is_unchanged


def page(
    request: web.Request, template: str, /, *, status: int = 200, **context: object
) -> web.Response:
    """A whole page: `template` extends `layout`, which is the frame (or bare, for htmx)."""
    layout = "web/bare.html" if is_htmx(request) else "web/frame.html"
    return _rendered(request, template, {**context, "layout": layout}, status)


def fragment(
    request: web.Request, template: str, /, *, status: int = 200, **context: object
) -> web.Response:
    """A part of a page, as it stands in the page."""
    return _rendered(request, template, context, status)


def fragment_text(environment: jinja2.Environment, template: str, /, **context: object) -> str:
    """A part of a page for the live stream, where there is no request."""
    return environment.get_template(template).render(context)


def _rendered(
    request: web.Request, template: str, context: Mapping[str, object], status: int
) -> web.Response:
    run_links = navigation.run_links(request)
    known: Mapping[str, object] = {
        "visitor": visitor_or_none(request),
        "main_links": navigation.main_links(request),
        "run_links": run_links,
        "on_run_page": request.path == "/run" or any(link.is_current for link in run_links),
        "search": request.query.get("q", "")[:100] if request.path == "/members" else "",
    }
    response = aiohttp_jinja2.render_template(template, request, {**known, **context})
    response.set_status(status)
    return response
