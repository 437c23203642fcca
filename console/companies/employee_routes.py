"""Who works for a company: shown, added and removed; what that does is shown before it is saved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web
from msgspec import Struct

from console.accounts.finding import one_called
from console.accounts.queries import Person, person
from console.audit.undoing import Done
from console.companies import keeping, page_queries
from console.companies.company import Refused
from console.companies.page_queries import CompanyRow
from console.database import Connection
from console.rights.dry_run import Preview, SaveForm, dry_run
from console.rights.joining import Joining
from console.web.keys import DATABASE
from console.web.render import fragment, page
from console.web.requests import ID, form, is_htmx, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text
from sync.ids import AccountRef

EMPLOYEES_MAX = 25
SEEN_BY = frozenset({Who.COMPANIES, Who.FRONT_DESK, Who.TREASURER})
"""Who sees who works where: whoever changes it, and those who see it of a person."""
_EMPLOYEES = f"/companies/{{company:{ID}}}/employees"


class TypedEmployee(Struct, frozen=True):
    """What stood in a form that isn't saved: why it was refused, or what it would do.

    `done`: what was just done, and how to take it back.
    """

    username: str = ""
    mistake: str | None = None
    asked: SaveForm | None = None
    done: Done | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to say or to ask."""
        return self.mistake is None and self.asked is None


def routes() -> list[Route]:
    """Everything below a company's employees."""
    return [
        Route("POST", _EMPLOYEES, Who.COMPANIES, add_employee),
        Route("POST", f"{_EMPLOYEES}/{{account:{ID}}}/removal", Who.COMPANIES, remove_employee),
    ]


async def employees_context(conn: Connection, request: web.Request) -> Mapping[str, Any]:
    """What the page of a company shows. Raises: HTTPNotFound."""
    row = await page_queries.company_row(conn, company_id=path_id(request, "company"))
    if row is None:
        raise web.HTTPNotFound
    roles = visitor(request).roles
    text = query_text(request, "employee")
    employees = None
    if not SEEN_BY.isdisjoint(roles):
        employees = await page_queries.employee_rows(
            conn, company_id=row.id, text=text, limit=EMPLOYEES_MAX
        )
    return {
        "company": row,
        "employees": employees,
        "text": text,
        "may_change": Who.COMPANIES in roles,
    }


async def add_employee(request: web.Request) -> web.StreamResponse:
    """Employs the person whose name was typed, once it was seen what that does."""
    fields = await form(request)
    username = fields.get("username", "").strip()
    company_id = path_id(request, "company")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        company = await page_queries.company_row(conn, company_id=company_id)
        if company is None:
            raise web.HTTPNotFound
        found = await one_called(conn, username)
        if isinstance(found, Text):
            typed = TypedEmployee(username, found)
        else:
            change = partial(
                keeping.employ,
                company_id=company_id,
                account_id=found.account_id,
                actor_id=visitor(request).account_id,
            )
            outcome = await _tried(conn, change, found, seen=fields.get("seen", ""))
            typed = _typed(request, outcome, company.name, found, Joining.ADDITION)
    return await _answer(request, typed)


async def remove_employee(request: web.Request) -> web.StreamResponse:
    """Removes one employee, once it was seen what that does; or undoes that."""
    fields = await form(request)
    company_id = path_id(request, "company")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        company = await page_queries.company_row(conn, company_id=company_id)
        if company is None:
            raise web.HTTPNotFound
        who = await person(conn, account_id=path_id(request, "account"))
        if who is None:
            typed = TypedEmployee(mistake=Text("There is nobody with this number any more."))
        else:
            typed = await _removal(request, conn, company, who, fields)
    return await _answer(request, typed)


async def _removal(
    request: web.Request,
    conn: Connection,
    company: CompanyRow,
    who: Person,
    fields: Mapping[str, str],
) -> TypedEmployee:
    dismiss = partial(keeping.dismiss, company_id=company.id, account_id=who.account_id)
    put_back = partial(
        keeping.put_back,
        company_id=company.id,
        account_id=who.account_id,
        actor_id=visitor(request).account_id,
    )
    seen = fields.get("seen", "")
    if fields.get("undo") == "yes":
        outcome = await _tried(conn, put_back, who, seen=seen)
        return _typed(request, outcome, company.name, who, Joining.PUTTING_BACK)
    outcome = await _tried(conn, dismiss, who, seen=seen, always=True)
    if outcome is not None:
        return _typed(request, outcome, company.name, who, Joining.REMOVAL)
    back = await _tried(conn, put_back, who, seen="", always=True)
    way_back = back.seen if isinstance(back, Preview) else None
    told = Joining.REMOVAL.done(who.shown_name)
    return TypedEmployee(done=Done.of(told, request.path, seen=way_back))


async def _tried(
    conn: Connection,
    change: "partial[Any]",
    who: Person,
    *,
    seen: str,
    always: bool = False,
) -> Refused | Preview | None:
    return await dry_run(
        conn,
        change,
        seen=seen,
        account=AccountRef(who.account_id),
        always=always,
    )


def _typed(
    request: web.Request,
    outcome: Refused | Preview | None,
    company: str,
    who: Person,
    kind: Joining,
) -> TypedEmployee:
    name = who.shown_name
    match outcome:
        case None:
            return TypedEmployee(done=Done.of(kind.done(name), request.path, seen=None))
        case Preview():
            asked = SaveForm(
                outcome,
                kind.question(name, company),
                request.path,
                _posted(kind, who),
                f"/companies/{path_id(request, 'company')}",
                kind.button(name),
                is_danger=kind is Joining.REMOVAL,
            )
            return TypedEmployee(asked=asked)
        case refused:
            typed = who.handle if kind is Joining.ADDITION else ""
            return TypedEmployee(typed, _words(refused, name))


def _posted(kind: Joining, who: Person) -> Mapping[str, str]:
    match kind:
        case Joining.ADDITION:
            return {"username": who.handle}
        case Joining.REMOVAL:
            return {}
        case Joining.PUTTING_BACK:
            return {"undo": "yes"}


def _words(refused: Refused, name: str) -> Text:
    match refused:
        case Refused.ALREADY_EMPLOYED:
            return Text("{name} works there already.", name=name)
        case Refused.NOT_EMPLOYED:
            return Text("{name} doesn't work there any more.", name=name)
        case Refused.NO_SUCH_ACCOUNT:
            return Text("There is nobody with this number any more.")
        case Refused.NO_SUCH_COMPANY:
            return Text("This company doesn't exist any more.")


async def _answer(request: web.Request, typed: TypedEmployee) -> web.StreamResponse:
    status = 422 if typed.mistake else 200
    if typed.is_done and not is_htmx(request):
        raise web.HTTPSeeOther(f"/companies/{path_id(request, 'company')}")
    async with request.app[DATABASE].reading() as conn:
        context = await employees_context(conn, request)
    if is_htmx(request):
        return fragment(request, "companies/employees.html", status=status, **context, typed=typed)
    return page(request, "companies/company.html", status=status, **context, typed=typed)
