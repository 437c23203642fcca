"""`/money`: what the treasurer looks at once a month."""

from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web

from console.membership import hand_payment_routes, money_queries, payer_queries
from console.membership.bars import bars
from console.membership.money import (
    Period,
    PeriodMistake,
    csv_lines,
    month_begins,
    read_period,
    this_year,
)
from console.membership.money_queries import ExportRow
from console.membership.payer_queries import Listing
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment, page
from console.web.requests import is_htmx, query_text
from console.web.routing import Route, Who

PEOPLE_MAX = 30
COMPANIES_MAX = 50
NAMES_MAX = 8
"""Of each company's people."""
BATCH = 500
EXPORT_MAX = 100_000
COLUMNS = ("Paid", "User name", "Name", "From", "Until", "Amount", "Invoice")


def routes() -> list[Route]:
    """Everything below /money, and somebody's payments."""
    return [
        Route("GET", "/money", Who.TREASURER, money_page),
        Route("GET", "/money/people", Who.TREASURER, people_page),
        Route("GET", "/money/payments.csv", Who.TREASURER, payments_csv),
        *hand_payment_routes.routes(),
    ]


async def money_page(request: web.Request) -> web.StreamResponse:
    """This month and the ones before it, who is in which list, companies."""
    return await _money_page(request)


async def people_page(request: web.Request) -> web.StreamResponse:
    """One of the lists of people."""
    text, asked = query_text(request, "name"), request.query.get("list", Listing.ACTIVE.value)
    listing = Listing(asked) if asked in {one.value for one in Listing} else Listing.ACTIVE
    async with request.app[DATABASE].reading() as conn:
        found = await payer_queries.people(conn, listing=listing, text=text, limit=PEOPLE_MAX + 1)
        counts = await payer_queries.counts(conn)
    context: dict[str, Any] = {
        "people": found[:PEOPLE_MAX],
        "has_more": len(found) > PEOPLE_MAX,
        "listing": listing.value,
        "text": text,
        "counts": counts,
    }
    if is_htmx(request):
        return fragment(request, "membership/payers.html", **context)
    return page(request, "membership/payers_page.html", **context)


async def payments_csv(request: web.Request) -> web.StreamResponse:
    """The payments of some days, for a spreadsheet, sent while they are read."""
    first, last = query_text(request, "from"), query_text(request, "until")
    period = read_period(first, last)
    if isinstance(period, PeriodMistake):
        return await _money_page(request, first=first, last=last, mistake=period)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": (
                f'attachment; filename="payments-{period.first}-{period.last}.csv"'
            ),
        }
    )
    batches = _batches(request, period)
    # The first one is read before the answer begins: a database that is away is told as such.
    head = await anext(batches)
    await response.prepare(request)
    if request.method != "HEAD":
        # Excel takes a file without the mark for one in an old code page.
        await response.write(b"\xef\xbb\xbf" + csv_lines([COLUMNS]).encode() + head)
        async for batch in batches:
            await response.write(batch)
    return response


async def _batches(request: web.Request, period: Period) -> AsyncGenerator[bytes]:
    """Lines, some hundred at a time; a connection is held only while it reads, however slow she is.

    An error in the middle breaks the answer off, so that half a table isn't taken for a whole one.
    """
    zone = request.app[SETTINGS].site.time_zone
    begins, ends = period.moments(zone)
    after, count = None, 0
    while True:
        async with request.app[DATABASE].reading() as conn:
            rows = await money_queries.export(
                conn, begins=begins, ends=ends, after=after, limit=BATCH
            )
        lines = csv_lines(_columns(row, request) for row in rows)
        count += len(rows)
        if count >= EXPORT_MAX and len(rows) == BATCH:
            lines += csv_lines([[f"Only the first {EXPORT_MAX} payments: ask for fewer days."]])
            yield lines.encode()
            return
        yield lines.encode()
        if len(rows) < BATCH:
            return
        after = (rows[-1].paid_at, rows[-1].id)


def _columns(row: ExportRow, request: web.Request) -> tuple[Any, ...]:
    zone = request.app[SETTINGS].site.time_zone
    return (
        row.paid_at.astimezone(zone).date(),
        row.username,
        row.name,
        row.start_date.astimezone(zone).date(),
        row.end_date.astimezone(zone).date(),
        row.amount,
        row.invoice,
    )


async def _money_page(
    request: web.Request, *, first: str = "", last: str = "", mistake: PeriodMistake | None = None
) -> web.StreamResponse:
    now, zone = times.now(), request.app[SETTINGS].site.time_zone
    async with request.app[DATABASE].reading() as conn:
        months = await money_queries.months(conn, begins=month_begins(now, zone))
        counts = await payer_queries.counts(conn)
        companies = await money_queries.companies(conn, limit=COMPANIES_MAX + 1, names=NAMES_MAX)
    offered = this_year(now, zone)
    return page(
        request,
        "membership/money.html",
        status=422 if mistake else 200,
        months=list(reversed(months)),
        this=months[-1],
        before=months[-2],
        bars=bars([month.revenue for month in months]),
        counts=counts,
        companies=companies[:COMPANIES_MAX],
        has_more_companies=len(companies) > COMPANIES_MAX,
        first=first or offered.first.isoformat(),
        last=last or offered.last.isoformat(),
        mistake=mistake,
    )
