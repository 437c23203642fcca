"""Saving a company from its form: what is wrong with it, what it would do, or that it is done."""

from msgspec import Struct

from console.accounts.finding import one_called
from console.companies import keeping, queries
from console.companies.company import NAME_CHARACTERS_MAX, Draft, Flaw
from console.companies.page_queries import CompanyRow, company_row
from console.database import Connection
from console.rights.dry_run import Preview, dry_run, take_turn
from console.web.mistakes import Mistakes
from console.web.one_line import line_mistake
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text


class Typed(Struct, frozen=True):
    """What stands in the form. `contact`: a name or a user name."""

    name: str = ""
    contact: str = ""
    is_active: bool = True


class Saved(Struct, frozen=True):
    """It is saved."""

    company_id: int


async def make(conn: Connection, typed: Typed, *, actor_id: int) -> Saved | Mistakes:
    """Makes a company, once if the form is sent twice.

    Nobody works there yet, so it changes nothing for anybody.
    """
    draft = await _draft(conn, typed, None)
    if not isinstance(draft, Draft):
        return draft
    saved = await keeping.save(conn, draft, company_id=None, actor_id=actor_id)
    if saved is Flaw.NAME_TAKEN:
        saved = await queries.made_just_now(conn, draft=draft, actor_id=actor_id) or saved
    return flawed(saved) if isinstance(saved, Flaw) else Saved(saved)


async def change(
    conn: Connection, typed: Typed, *, company_id: int, actor_id: int, version: str, seen: str
) -> Saved | Mistakes | Preview | None:
    """Changes a company if its effect was seen. None: there is no such company."""
    await take_turn(conn)
    await queries.hold_company(conn, company_id=company_id)
    row = await company_row(conn, company_id=company_id)
    if row is None:
        return None
    draft = await _draft(conn, typed, row)
    if not isinstance(draft, Draft):
        return draft
    if draft == row.draft:
        return Saved(company_id)
    if version != row.version:
        return {"form": CHANGED_MEANWHILE}

    async def save(conn: Connection) -> Flaw | None:
        saved = await keeping.save(conn, draft, company_id=company_id, actor_id=actor_id)
        return saved if isinstance(saved, Flaw) else None

    outcome = await dry_run(conn, save, seen=seen)
    match outcome:
        case None:
            return Saved(company_id)
        case Flaw():
            return flawed(outcome)
        case Preview():
            return outcome


def flawed(flaw: Flaw) -> Mistakes:
    """Why it can't be so, beside the field."""
    match flaw:
        case Flaw.NAME_TAKEN:
            return {"name": Text("There is a company with this name already.")}
        case Flaw.NO_SUCH_CONTACT:
            return {"contact": Text("The contact has no account any more.")}
        case Flaw.NO_SUCH_COMPANY:
            return {"form": Text("This company doesn't exist any more.")}


async def _draft(conn: Connection, typed: Typed, row: CompanyRow | None) -> Draft | Mistakes:
    mistakes: dict[str, Text] = {}
    wrong = line_mistake(typed.name, characters_max=NAME_CHARACTERS_MAX)
    if wrong is not None:
        mistakes["name"] = wrong
    contact = await _contact_id(conn, typed.contact, row)
    if isinstance(contact, Text):
        return mistakes | {"contact": contact}
    return mistakes or Draft(typed.name, contact, typed.is_active)


async def _contact_id(conn: Connection, typed: str, row: CompanyRow | None) -> int | Text:
    """The account to turn to; one that isn't a person's only if it is so already."""
    if row is not None and typed.lower() == row.contact_username.lower():
        return row.contact_id
    found = await one_called(conn, typed)
    return found if isinstance(found, Text) else found.account_id
