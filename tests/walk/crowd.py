"""Many of everything, as in a makerspace that has been open for years."""

from typing import LiteralString

from console.database import Connection
from tests.walk.private_facts import CONTROLLER

PEOPLE = 600

MANY: tuple[LiteralString, ...] = (
    """
    insert into account (created_at, updated_at, username, email, name)
    select now(), now(), 'crowd-' || n, 'crowd-' || n || '@example.org',
      'Person Number ' || n || ' of the Crowd'
    from generate_series(1, %(people)s) n
    """,
    """
    insert into circle (created_at, created_by, updated_at, updated_by, name, description,
      management_style, admin_circle, comment_required_for_membership)
    select now(), 3, now(), 3, 'crowded circle ' || n, 'Whoever is in it', 'ADMIN_CIRCLE', 1, false
    from generate_series(1, 30) n
    """,
    """
    insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account,
      comment)
    select now(), 3, now(), 3, c.id, a.id, 'has been shown everything, and was very attentive'
    from account a cross join circle c
    where a.username like 'crowd-%%' and c.name in ('door', 'workshop')
      or a.username = 'vera' and c.name ~ 'crowded circle [1-4]$'
    """,
    """
    do $$ begin for n in 1..8 loop
      update circle_member m
      set comment = 'has been shown everything for the ' || n || 'th time, and was very attentive'
      from account a where a.id = m.account and a.username = 'vera';
    end loop; end $$
    """,
    """
    insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
      start_date, end_date, amount, payment_date)
    select now(), a.id, now(), a.id, 'in_' || a.id || '_' || n,
      now() - make_interval(days => 30 * n + 10), now() + make_interval(days => 20 - 30 * n), 500,
      now() - make_interval(days => 30 * n + 10)
    from account a cross join generate_series(0, case a.username when 'vera' then 100 else 0 end) n
    where a.username like 'crowd-%%' or a.username = 'vera'
    """,
    """
    insert into access.card (account, credential_type, site_digest, label)
    select a.id, 'em4100', decode(md5(a.id || '/' || n), 'hex'), 'fob ' || n
    from account a cross join generate_series(1, case when a.username = 'vera' then 2 else 1 end) n
    where a.username like 'crowd-%%' or a.username = 'vera'
    """,
    """
    insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted, kind,
      point, reason, account, credential_type, site_digest, payload)
    select %(controller)s, 'crowd', n, '\\x00', now() - make_interval(mins => n), true,
      case when n %% 3 = 0 then 'access_granted' else 'access_denied' end, 'zinkdoor',
      case when n %% 3 = 1 then 'expired' when n %% 3 = 2 then 'unknown_card' end,
      case when n %% 3 < 2 then (select max(id) from account) - n %% %(people)s end, 'em4100',
      case when n %% 3 = 2 then decode(md5('unknown ' || n), 'hex') end, '{}'
    from generate_series(1, 600) n
    """,
    """
    insert into tool_description (created_at, created_by, updated_at, updated_by, name, description,
      circle)
    select now(), 3, now(), 3, 'Crowded tool ' || n, 'Makes noise and is useful', 2
    from generate_series(1, 25) n
    """,
    """
    insert into access.door (key, name, controller, open_seconds)
    select 'crowded-' || n, 'Crowded door ' || n, %(controller)s, 5 from generate_series(1, 7) n
    """,
    """
    insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted, kind,
      point, payload)
    select %(controller)s, 'alarms', n, '\\x00', now() - make_interval(mins => n), true,
      'door_forced', 'crowded-' || n, '{}'
    from generate_series(1, 7) n
    """,
    """
    insert into company (created_at, created_by, updated_at, updated_by, name, active, contact)
    select now(), 3, now(), 3, 'Crowded company ' || n, true, 3 from generate_series(1, 60) n
    """,
    """
    insert into company_employee (created_at, created_by, updated_at, updated_by, company, account)
    select now(), 3, now(), 3, c.id, a.id
    from company c cross join account a
    where c.name = 'Acme Walk AS' and a.username like 'crowd-%%'
    """,
    """
    insert into badge_description (created_at, created_by, updated_at, updated_by, title)
    select now(), 3, now(), 3, 'Crowded badge ' || n from generate_series(1, 60) n
    """,
    """
    insert into account_badge (created_at, created_by, updated_at, updated_by, account,
      badge_description, awarded_by)
    select now(), a.id, now(), a.id, a.id, b.id, 3
    from account a cross join badge_description b
    where a.username like 'crowd-%%' and b.title = 'Welder'
      or a.username = 'vera' and b.title like 'Crowded %%'
    """,
    "analyze",
)


async def crowd(connection: Connection) -> None:
    """Adds them to a seeded makerspace."""
    for statement in MANY:
        values = {"people": PEOPLE, "controller": CONTROLLER}
        await connection.execute(statement, values if "%(" in statement else None)
