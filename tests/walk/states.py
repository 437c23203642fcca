"""What makes forms show that no page has by itself: what is under way, taken, or retired."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import LiteralString

from console.database import Connection
from tests.support.stripe_cloud import StripeCloud
from tests.walk.private_facts import CONTROLLER
from tests.walk.roles import Role

IDLE_CONTROLLER = "idle-pi"
"""Nothing hangs there, so it may be retired."""
CUSTOMER = "cus_of_admin"
OPEN_INVOICE = "in_failed"

_VALUES: Mapping[str, object] = MappingProxyType(
    {
        "member": Role.MEMBER.value,
        "waits": Role.INSTRUCTOR.value,
        "is_asked": Role.KEEPER.value,
        "pays": Role.ADMIN.value,
        "controller": CONTROLLER,
        "idle": IDLE_CONTROLLER,
        "customer": CUSTOMER,
        "invoice": OPEN_INVOICE,
        "digest": b"f" * 16,
        "session": b"s" * 32,
    }
)

_STATEMENTS: tuple[LiteralString, ...] = (
    # Tools that somebody has.
    """
    insert into tool_checkout (created_at, created_by, updated_at, updated_by, tool_description,
      account, started)
    select now(), a.id, now(), a.id, t.id, a.id, now()
    from tool_description t
    join account a on (t.name, a.username)
      in (('Lathe', 'vera'), ('Anvil', 'quinn'), ('Saw', %(member)s))
    """,
    # What is out of use.
    """
    insert into access.door (key, name, controller, open_seconds, retired_at)
    values ('walled-up', 'Walled-up door', %(controller)s, 5, now())
    """,
    """
    insert into access.retired_tool (tool, circle)
    select id, 2 from tool_description where name = 'Forge'
    """,
    "insert into access.controller (id) values (%(idle)s)",
    # A second browser, a photo.
    """
    insert into access.session (token_digest, account, expires_at, user_agent)
    select %(session)s, id, now() + interval '1 day', 'Elsewhere/1.0'
    from account where username = %(member)s
    """,
    """
    insert into access.avatar (account, version, jpeg)
    select id, 'fedcba9876543210', '\\xffd8ff' from account where username = %(member)s
    """,
    # First cards: one waits for hers to be read, another is asked whether it was hers.
    """
    insert into access.card_claim (account, door, code, began_at, ends_at)
    select id, 'walled-up', '0417', now(), now() + interval '1 hour'
    from account where username = %(waits)s
    """,
    """
    with card as (
      insert into access.card (account, credential_type, site_digest)
      select id, 'em4100', %(digest)s from account where username = %(is_asked)s
      returning id, account
    )
    insert into access.card_claim (account, door, code, began_at, ends_at, outcome, card)
    select account, 'zinkdoor', '1704', now(), now() + interval '1 minute', 'assigned', id
    from card
    """,
    # Money: cash of Vera's, and an admin whose payment failed. The member never paid by herself.
    """
    insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
      start_date, end_date, amount, payment_date)
    select now(), id, now(), id, 'by-hand:walk', '1999-03-01', '1999-04-01', 400, now()
    from account where username = 'vera'
    """,
    """
    insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)
    select now(), id, now(), id, %(customer)s from account where username = %(pays)s
    """,
    """
    insert into access.failed_payment (invoice, customer, failed_at)
    values (%(invoice)s, %(customer)s, now())
    """,
)


_NEWS: tuple[LiteralString, ...] = (
    """
    insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted, kind,
      point, reason, account, card, credential_type, site_digest, payload)
    select controller, 'news', seq, hash, happened_at, clock_trusted, kind, point, reason, account,
      card, credential_type, case when card is null then sha256(hash) end, payload
    from access.event
    """,
    "select pg_notify('access_event', id::text) from access.event where journal_id = 'news'",
    "update access.controller_report set received_at = now()",
    "select pg_notify('access_report', %(controller)s)",
    "update tool_checkout set started = now()",
    "update access.card_claim set note = 'taken' where outcome is null",
)


async def add_states(connection: Connection) -> None:
    """Adds them to a seeded makerspace."""
    await _run(connection, _STATEMENTS)


async def something_happens(connection: Connection) -> None:
    """Every event once more, and whatever else open pages hear of."""
    await _run(connection, _NEWS)


async def _run(connection: Connection, statements: Iterable[LiteralString]) -> None:
    for statement in statements:
        values = {name: one for name, one in _VALUES.items() if f"%({name})s" in statement}
        await connection.execute(statement, values or None)


def fill(cloud: StripeCloud) -> None:
    """What Stripe holds: two memberships to choose from, and an invoice that is open."""
    if not cloud.products:
        cloud.sell("Full member", "price_500", 50000, "Door access$Vote")
        cloud.sell("Supporting member", "price_300", 30050)
    cloud.sessions = {}
    cloud.subscriptions = {CUSTOMER: ["past_due"]}
    cloud.prices_of = {CUSTOMER: "price_500"}
    cloud.cards = {CUSTOMER: ["pm_of_admin"]}
    cloud.invoices = {CUSTOMER: [OPEN_INVOICE]}
