"""The old API of companies and their employees.

Source of shapes and texts: the contract of the old API, §4, §7 and §13.
"""

from aiohttp import web

from console.companies import keeping, queries
from console.companies.company import NAME_CHARACTERS_MAX, Draft, Flaw, Refused
from console.companies.queries import Company, Employee
from console.database import Connection
from console.errors import BadRequest
from console.legacy.answers import Audit, Json, answer, object_not_found
from console.legacy.bodies import Body, read_body
from console.web.keys import DATABASE
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor

_COMPANY = f"/data/company/{{id:{ID}}}"


def routes() -> list[Route]:
    """Its paths. Saving by POST and by PUT are the same."""
    return [
        Route("GET", "/data/company", Who.MEMBER, list_companies),
        Route("POST", "/data/company", Who.DESPOT, save_company, form=_form),
        Route("PUT", "/data/company", Who.DESPOT, save_company, form=_form),
        Route("GET", _COMPANY, Who.MEMBER, get_company),
        Route("POST", f"{_COMPANY}/cmd/add-employee", Who.DESPOT, add_employee),
        Route("POST", f"{_COMPANY}/cmd/remove-employee", Who.DESPOT, remove_employee),
    ]


async def list_companies(request: web.Request) -> web.StreamResponse:
    """Every company, without its employees."""
    async with request.app[DATABASE].reading() as conn:
        return answer([_company(row) for row in await queries.companies(conn)])


async def get_company(request: web.Request) -> web.StreamResponse:
    """One company with its employees."""
    async with request.app[DATABASE].reading() as conn:
        return answer(await _with_employees(conn, path_id(request, "id")))


async def save_company(request: web.Request) -> web.StreamResponse:
    """Changes the company whose id is given, or makes one where none is."""
    body = await _form(request)
    company_id = body.number("id", or_text=True) if body.has_value("id") else None
    draft = Draft(
        name=body.text("name", least=1, most=NAME_CHARACTERS_MAX),
        contact_id=body.number("contact"),
        is_active=body.flag("active"),
    )
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        saved = await keeping.save(
            conn, draft, company_id=company_id, actor_id=visitor(request).account_id
        )
        match saved:
            case Flaw.NO_SUCH_CONTACT:
                raise BadRequest(f"No such account: {body.as_given('contact')}")
            case Flaw.NO_SUCH_COMPANY:
                raise web.HTTPNotFound
            case Flaw.NAME_TAKEN:
                raise web.HTTPConflict(text=f"name: there is a company called {draft.name} already")
            case int():
                return answer(await _with_employees(conn, saved))


async def add_employee(request: web.Request) -> web.StreamResponse:
    """Employs an account."""
    account_id = _account_id(await read_body(request))
    company_id = path_id(request, "id")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refused = await keeping.employ(
            conn,
            company_id=company_id,
            account_id=account_id,
            actor_id=visitor(request).account_id,
        )
        _raise(refused)
        return answer(await _with_employees(conn, company_id))


async def remove_employee(request: web.Request) -> web.StreamResponse:
    """Ends an employment."""
    account_id = _account_id(await read_body(request))
    company_id = path_id(request, "id")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refused = await keeping.dismiss(conn, company_id=company_id, account_id=account_id)
        _raise(refused)
        return answer(await _with_employees(conn, company_id))


async def _form(request: web.Request) -> Body:
    """What the old web app looked at before it asked who somebody is."""
    body = await read_body(request)
    body.text("name", least=1)
    body.number("contact")
    if body.has("active"):
        body.flag("active")
    return body


def _account_id(body: Body) -> int:
    """The account of the body; null is one that isn't there."""
    if body.has("accountId") and not body.has_value("accountId"):
        return 0
    return body.number("accountId", or_text=True)


def _raise(refused: Refused | None) -> None:
    match refused:
        case None:
            return
        case Refused.NO_SUCH_COMPANY:
            raise object_not_found()
        case Refused.NO_SUCH_ACCOUNT | Refused.NOT_EMPLOYED:
            raise web.HTTPNotFound
        case Refused.ALREADY_EMPLOYED:
            raise web.HTTPConflict(text="accountId: is employed there already")


async def _with_employees(conn: Connection, company_id: int) -> Json:
    """The company with its employees. Raises: HTTPNotFound."""
    found = await queries.companies(conn, company_id=company_id)
    if not found:
        raise web.HTTPNotFound
    rows = await queries.employees(conn, company_id=company_id)
    return {**_company(found[0]), "employees": [_employee(row) for row in rows]}


def _company(row: Company) -> Json:
    return {**_audit(row), "name": row.name, "active": row.is_active, "contact": row.contact_id}


def _employee(row: Employee) -> Json:
    return {
        **_audit(row),
        "account_id": row.account_id,
        "account": {"username": row.account_username},
        "company_id": row.company_id,
    }


def _audit(row: Company | Employee) -> Json:
    return Audit(row.id, row.created_at, row.created_by, row.updated_at, row.updated_by).spelled()
