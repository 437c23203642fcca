"""`/members/{account}/payments`: the treasurer enters a payment by hand, and takes one back.

Decides that it is shown before it is saved until when doors open by it, and who gains or loses
what. What Stripe has told of is changed at Stripe.
"""

from datetime import date, datetime
from functools import partial
from typing import Any

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from console.accounts.finding import one_called, person_or_404
from console.accounts.queries import Person
from console.database import Connection
from console.membership import hand_payment_queries as queries
from console.membership.hand_payment import (
    AMOUNT_CHARACTERS_MAX,
    Entry,
    Typed,
    offered,
    read,
)
from console.membership.hand_payment_queries import PaymentRow
from console.membership.standing import SLACK
from console.rights.dry_run import Preview, SaveForm, dry_run, take_turn
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.mistakes import Mistaken, Mistakes
from console.web.render import fragment, lead_to, page
from console.web.requests import ID, form, is_htmx, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text
from sync.ids import AccountRef

PAYMENTS_MAX = 40
OVERLAPS_MAX = 3
_PAYMENTS = f"/members/{{account:{ID}}}/payments"
SAID = {
    "entered": Text("The payment is entered."),
    "taken-back": Text("The payment is taken back."),
}
BY_STRIPE = Text("Stripe has told of this payment, so it is changed at Stripe.")


class Effect(Struct, frozen=True):
    """What an entry comes to. `opens_until`: doors, the slack included."""

    begins: datetime
    ends: datetime
    entry: Entry
    overlaps: list[PaymentRow]

    @property
    def opens_until(self) -> datetime:
        """The last moment at which doors open by it."""
        return self.ends + SLACK


class Shown(Struct, frozen=True):
    """The form, or the question that is asked before something is saved."""

    typed: Typed | None = None
    mistakes: Mistakes = {}
    asked: SaveForm | None = None
    effect: Effect | None = None
    taken: PaymentRow | None = None
    said: Text | None = None

    @property
    def status(self) -> int:
        """Of the answer."""
        return 422 if self.mistakes else 200


def routes() -> list[Route]:
    """All of them."""
    return [
        Route("GET", "/money/by-hand", Who.TREASURER, whose),
        Route("GET", _PAYMENTS, Who.TREASURER, payments_page),
        Route("POST", _PAYMENTS, Who.TREASURER, enter),
        Route("POST", f"{_PAYMENTS}/{{payment:{ID}}}/removal", Who.TREASURER, take_back),
    ]


async def whose(request: web.Request) -> web.StreamResponse:
    """Asks whose payment it is."""
    typed, mistake = query_text(request, "username"), None
    if "username" in request.query:
        async with request.app[DATABASE].reading() as conn:
            found = await one_called(conn, typed)
        if not isinstance(found, Text):
            return lead_to(request, _path(found.account_id))
        mistake = found
    return page(
        request,
        "membership/whose.html",
        status=422 if mistake else 200,
        typed=typed,
        mistake=mistake,
    )


async def payments_page(request: web.Request) -> web.StreamResponse:
    """Somebody's payments, and the form for another one."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
        shown = Shown(said=SAID.get(request.query.get("said", "")))
        return await _answer(request, conn, person, shown)


async def enter(request: web.Request) -> web.StreamResponse:
    """Shows what a payment does, then saves it."""
    fields = await form(request)
    typed = Typed(
        first=fields.get("from", "").strip(),
        last=fields.get("until", "").strip(),
        amount=fields.get("amount", "").strip(),
    )
    entry = read(typed, _today(request))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        person = await person_or_404(conn, request)
        if not isinstance(entry, Entry):
            return await _answer(request, conn, person, Shown(typed, entry))
        begins, ends = entry.moments(request.app[SETTINGS].site.time_zone)
        await take_turn(conn)
        await queries.hold(conn, account_id=person.account_id)
        overlaps = await queries.overlapping(
            conn, account_id=person.account_id, begins=begins, ends=ends, limit=OVERLAPS_MAX
        )
        effect = Effect(begins, ends, entry, overlaps)
        change = partial(
            _enter,
            person=person,
            effect=effect,
            actor_id=visitor(request).account_id,
            version=fields.get("version", ""),
        )
        outcome = await _tried(conn, change, person, seen=fields.get("seen", ""))
        match outcome:
            case None:
                said = "entered"
            case Mistaken(mistakes):
                return await _answer(request, conn, person, Shown(typed, mistakes))
            case Preview():
                title = Text("Enter this payment for {name}?", name=person.shown_name)
                save = Text("Enter the payment")
                asked = SaveForm(outcome, title, request.path, fields, request.path, save)
                return await _answer(request, conn, person, Shown(asked=asked, effect=effect))
    return lead_to(request, f"{_path(person.account_id)}?said={said}")


async def take_back(request: web.Request) -> web.StreamResponse:
    """Shows what is lost by it, then removes a payment that was entered by hand."""
    fields = await form(request)
    payment_id = path_id(request, "payment")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        person = await person_or_404(conn, request)
        await take_turn(conn)
        await queries.hold(conn, account_id=person.account_id)
        row = await queries.payment(conn, account_id=person.account_id, payment_id=payment_id)
        if row is None or not row.is_by_hand:
            gone = Text("This payment isn't there any more.")
            wrong = gone if row is None else BY_STRIPE
            return await _answer(request, conn, person, Shown(mistakes={"form": wrong}))
        change = partial(_take_back, person=person, payment_id=payment_id)
        outcome = await _tried(conn, change, person, seen=fields.get("seen", ""))
        match outcome:
            case None:
                said = "taken-back"
            case Mistaken(mistakes):
                return await _answer(request, conn, person, Shown(mistakes=mistakes))
            case Preview():
                title = Text("Take back this payment of {name}?", name=person.shown_name)
                save, back = Text("Take the payment back"), _path(person.account_id)
                asked = SaveForm(outcome, title, request.path, {}, back, save, is_danger=True)
                return await _answer(request, conn, person, Shown(asked=asked, taken=row))
    return lead_to(request, f"{_path(person.account_id)}?said={said}")


async def _tried(
    conn: Connection, change: "partial[Any]", person: Person, *, seen: str
) -> Mistaken | Preview | None:
    account = AccountRef(person.account_id)
    return await dry_run(conn, change, seen=seen, account=account, always=True)


async def _enter(
    conn: Connection, *, person: Person, effect: Effect, actor_id: int, version: str
) -> Mistaken | None:
    if version != await queries.version(conn, account_id=person.account_id):
        return Mistaken({"form": CHANGED_MEANWHILE})
    await queries.insert(
        conn,
        account_id=person.account_id,
        begins=effect.begins,
        ends=effect.ends,
        amount=effect.entry.amount,
        actor_id=actor_id,
    )
    return None


async def _take_back(conn: Connection, *, person: Person, payment_id: int) -> Mistaken | None:
    is_done = await queries.delete(conn, account_id=person.account_id, payment_id=payment_id)
    return None if is_done else Mistaken({"form": BY_STRIPE})


async def _answer(
    request: web.Request, conn: Connection, person: Person, shown: Shown
) -> web.StreamResponse:
    account_id, zone = person.account_id, request.app[SETTINGS].site.time_zone
    rows = await queries.payments(conn, account_id=account_id, limit=PAYMENTS_MAX + 1)
    if shown.typed is None:
        ends = [
            row.end_date.astimezone(zone).date()
            for row in rows
            if row.amount.is_finite() and row.amount > 0
        ]
        shown = replace(shown, typed=offered(max(ends, default=None), _today(request)))
    context: dict[str, Any] = {
        "person": person,
        "path": _path(account_id),
        "payments": rows[:PAYMENTS_MAX],
        "has_more": len(rows) > PAYMENTS_MAX,
        "version": await queries.version(conn, account_id=account_id),
        "shown": shown,
        "amount_max": AMOUNT_CHARACTERS_MAX,
    }
    if is_htmx(request):
        return fragment(request, "membership/payments.html", status=shown.status, **context)
    return page(request, "membership/payments_page.html", status=shown.status, **context)


def _today(request: web.Request) -> date:
    return times.now().astimezone(request.app[SETTINGS].site.time_zone).date()


def _path(account_id: int) -> str:
    return f"/members/{account_id}/payments"
