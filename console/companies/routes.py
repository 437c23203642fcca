"""Pages of companies: all of them, one of them, making and changing one.

Admins change them, and members of the circle `despot`, as in the old web app. Who works where is
for those who see such things of people.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.companies import employee_routes, page_queries, saving
from console.companies.company import NAME_CHARACTERS_MAX
from console.companies.employee_routes import TypedEmployee, employees_context
from console.companies.saving import Saved, Typed
from console.rights.dry_run import Preview, SaveForm
from console.web.keys import DATABASE
from console.web.mistakes import Mistakes
from console.web.render import fragment, lead_to, page
from console.web.requests import ID, form, is_htmx, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

COMPANIES_MAX = 50
_COMPANY = f"/companies/{{company:{ID}}}"
_ACTIVE = "active"


def routes() -> list[Route]:
    """Everything below /companies."""
    return [
        Route("GET", "/companies", Who.MEMBER, companies_page),
        Route("POST", "/companies", Who.COMPANIES, make_company),
        Route("GET", "/companies/new", Who.COMPANIES, new_form),
        Route("GET", _COMPANY, Who.MEMBER, company_page),
        Route("POST", _COMPANY, Who.COMPANIES, change_company),
        Route("GET", f"{_COMPANY}/change", Who.COMPANIES, change_form),
        *employee_routes.routes(),
    ]


async def companies_page(request: web.Request) -> web.StreamResponse:
    """All companies, or those that were searched for."""
    text = query_text(request, "name")
    async with request.app[DATABASE].reading() as conn:
        rows = await page_queries.company_rows(conn, text=text, limit=COMPANIES_MAX + 1)
    return page(
        request,
        "companies/companies.html",
        companies=rows[:COMPANIES_MAX],
        has_more=len(rows) > COMPANIES_MAX,
        text=text,
        may_change=Who.COMPANIES in visitor(request).roles,
    )


async def company_page(request: web.Request) -> web.StreamResponse:
    """One company, and who works there."""
    async with request.app[DATABASE].reading() as conn:
        context = await employees_context(conn, request)
    return page(request, "companies/company.html", **context, typed=TypedEmployee())


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    return _form_answer(request, {"typed": Typed()})


async def make_company(request: web.Request) -> web.StreamResponse:
    """Makes a company."""
    typed = _typed(await form(request))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await saving.make(conn, typed, actor_id=visitor(request).account_id)
    if isinstance(outcome, Saved):
        return lead_to(request, f"/companies/{outcome.company_id}")
    return _form_answer(request, {"typed": typed, "mistakes": outcome})


async def change_form(request: web.Request) -> web.StreamResponse:
    """The form with the company as it is."""
    return await _change_answer(request)


async def change_company(request: web.Request) -> web.StreamResponse:
    """Shows who gains and who loses what; saves once that was seen."""
    fields = await form(request)
    typed = _typed(fields)
    company_id = path_id(request, "company")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await saving.change(
            conn,
            typed,
            company_id=company_id,
            actor_id=visitor(request).account_id,
            version=fields.get("version", ""),
            seen=fields.get("seen", ""),
        )
    match outcome:
        case None:
            raise web.HTTPNotFound
        case Saved():
            return lead_to(request, f"/companies/{outcome.company_id}")
        case Preview():
            path = f"/companies/{company_id}"
            title = Text("Change “{name}”?", name=typed.name)
            is_danger = bool(outcome.loses.people)
            asked = SaveForm(outcome, title, path, fields, path, Text("Save"), is_danger)
            return await _change_answer(request, typed=typed, asked=asked)
        case mistakes:
            # With a stale form the newest values are shown, else what was typed.
            shown = None if "form" in mistakes else typed
            return await _change_answer(request, typed=shown, mistakes=mistakes)


async def _change_answer(
    request: web.Request,
    *,
    typed: Typed | None = None,
    mistakes: Mistakes | None = None,
    asked: SaveForm | None = None,
) -> web.StreamResponse:
    async with request.app[DATABASE].reading() as conn:
        row = await page_queries.company_row(conn, company_id=path_id(request, "company"))
    if row is None:
        raise web.HTTPNotFound
    context = {
        "company": row,
        "typed": typed or Typed(row.name, row.contact_username, row.is_active),
        "mistakes": mistakes or {},
        "asked": asked,
    }
    return _form_answer(request, context)


def _form_answer(request: web.Request, context: Mapping[str, Any]) -> web.Response:
    whole: Mapping[str, Any] = {
        "company": None,
        "mistakes": {},
        "asked": None,
        "name_max": NAME_CHARACTERS_MAX,
        **context,
    }
    status = 422 if whole["mistakes"] else 200
    if is_htmx(request):
        return fragment(request, "companies/form.html", status=status, **whole)
    return page(request, "companies/form_page.html", status=status, **whole)


def _typed(fields: Mapping[str, str]) -> Typed:
    return Typed(
        name=fields.get("name", "").strip(),
        contact=fields.get("username", "").strip(),
        is_active=_ACTIVE in fields,
    )
