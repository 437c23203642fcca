"""The console with 5,000 members: the ten most used pages, and 500 pages that are open and live.

Everybody pays or has paid; two circles; six doors and ten tools at one controller; a card each; a
month of taps.
"""

import asyncio
import gzip
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from tests.bench.figures import show, spread_ms
from tests.bench.open_loop import Request, open_loop
from tests.bench.site import as_installed, pss_mb
from tests.support.building import Console

PEOPLE = 5_000
LISTENERS = 500
EVENTS = 400
EVENTS_PER_SECOND = 20

DATA = """
insert into account (created_at, updated_at, username, email, name, phone, system)
  select now(), now(), 'p' || n, 'p' || n || '@example.org', 'Person ' || n, '9' || n, false
    from generate_series(1, 5000) n;
update account set name = 'Event ' || (substr(username, 2)::int - 1000)
  where username like 'p%' and substr(username, 2)::int between 1001 and 1400;
insert into circle (created_at, created_by, updated_at, updated_by, name, description,
    management_style, admin_circle, comment_required_for_membership)
  select now(), 3, now(), 3, name, 'Made for measuring', 'ADMIN_CIRCLE', 1, false
    from unnest(array['machines', 'evenings']) name;
insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account, comment)
  select now(), 3, now(), 3, c.id, a.id, ''
    from account a
    join circle c on c.name = 'evenings' or c.name = 'machines' and a.id % 4 = 0
                     or c.name in ('admin', 'door') and a.username in ('p1', 'p2', 'p3')
   where a.username like 'p%';
insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id, start_date,
    end_date, amount, payment_date)
  select now(), a.id, now(), a.id, 'in_' || a.id || '_' || m, now() - make_interval(months => m),
    now() - make_interval(months => m - 1), 500, now() - make_interval(months => m)
    from account a, generate_series(0, 11) m where a.username like 'p%' and a.id % 5 > 0;
insert into access.controller (id, public_key, entry_key, broker_password_hash, enrolled_at)
  values ('bench', sha256('1'), sha256('2'), 'none', now());
insert into access.door (key, name, controller, open_seconds)
  select 'door-' || n, 'Door ' || n, 'bench', 5 from generate_series(1, 6) n;
insert into access.door_circle (door, circle)
  select 'door-' || n, id from circle, generate_series(1, 6) n where name = 'evenings';
insert into tool_description (created_at, created_by, updated_at, updated_by, name, description,
    circle)
  select now(), 3, now(), 3, 'Tool ' || n, 'Made for measuring', c.id
    from circle c, generate_series(1, 10) n where c.name = 'machines';
insert into access.tool_point (key, tool, controller)
  select 'tool-' || id, id, 'bench' from tool_description where name like 'Tool %' and id % 2 = 0;
insert into access.card (account, credential_type, site_digest, label)
  select id, 'em4100', substr(sha256(username::bytea), 1, 16), 'blue fob'
    from account where username like 'p%';
insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted, kind,
    point, reason, account, card, credential_type, payload)
  select 'bench', 'past', n, sha256(n::text::bytea), now() - make_interval(mins => n::int), true,
    case when n % 9 = 0 then 'access_denied' else 'access_granted' end, 'door-' || (n % 6 + 1),
    case when n % 9 = 0 then 'not_paid' else 'allowed' end, c.account, c.id, 'em4100', '{}'
    from generate_series(1, 40000) n
    join (select account, id, row_number() over (order by id) as k from access.card) c
      on c.k = n % 5000 + 1;
insert into access.session (token_digest, account, expires_at)
  select sha256(('token-' || username)::bytea), id, now() + interval '1 day'
    from account where username like 'p%';
insert into access.session (token_digest, account, expires_at)
  select sha256(('token-' || username || '-' || n)::bytea), id, now() + interval '1 day'
    from account, generate_series(0, 299, 10) n where username in ('p1', 'p2', 'p3');
analyze;
"""

PAGES = (
    ("front page", "/"),
    ("tools", "/tools"),
    ("people", "/members"),
    ("people, searched", "/members?q=person+12"),
    ("me", "/me"),
    ("my access", "/me/access"),
    ("my history", "/me/history"),
    ("a person, for an admin", "/members/{id}"),
    ("doors, for an admin", "/doors"),
    ("a door, for an admin", "/doors/door-1"),
)
FOR_ADMINS = {"/members/{id}", "/doors", "/doors/door-1"}
ADMINS = 3


def measure_pages(work: Path, database_url: str) -> None:
    """How heavy each page is, and how soon it comes while a hundred people ask."""
    with crowded(work, database_url) as (console, first_id):
        show("pages: PSS before load", mb=pss_mb(console.pid))
        asyncio.run(weigh(console, first_id))
        asyncio.run(
            open_loop("pages", [(name, request(console, path, first_id)) for name, path in PAGES])
        )
        show("pages: PSS after load", mb=pss_mb(console.pid))


def measure_streams(work: Path, database_url: str) -> None:
    """What open pages cost, and how soon they hear of an event."""
    with crowded(work, database_url) as (console, _):
        asyncio.run(listen(console, database_url))


@contextmanager
def crowded(work: Path, database_url: str) -> Generator[tuple[Console, int]]:
    """A console with everybody in it; gives the first one's id."""
    console = Console(work, database_url, None)
    console.environment = as_installed(work, "p2k16-console")
    # So that this machine is the proxy: one visitor may not have that many pages open.
    console.environment["P2K16_HTTP_PUBLIC_URL"] = "http://p2k16.example.org"
    console.run("migrate")
    with psycopg.connect(database_url, autocommit=True) as conn:
        for statement in DATA.split(";\n"):
            conn.execute(statement.encode())
        found = conn.execute("select id from account where username = 'p1'").fetchone()
    assert found is not None
    console.start()
    try:
        yield console, int(found[0])
    finally:
        console.end()


def cookie(number: int | str) -> dict[str, str]:
    """Of the person with this number; the first three are admins."""
    return {"Cookie": f"p2k16_session=token-p{number}"}


def request(console: Console, path: str, first_id: int) -> Request:
    """A page, for somebody who may see it."""

    def of(number: int) -> dict[str, object]:
        who = number % ADMINS + 1 if path in FOR_ADMINS else number + ADMINS
        url = console.url + path.format(id=first_id + number)
        return {"method": "GET", "url": url, "headers": cookie(who)}

    return of


async def weigh(console: Console, first_id: int) -> None:
    """The bytes of each page itself: scripts and styles come once."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        for name, path in PAGES:
            async with session.request(**request(console, path, first_id)(7)) as answer:
                body = await answer.read()
            show(
                f"pages: weight: {name}",
                status=answer.status,
                kb=round(len(body) / 1000, 1),
                gzipped_kb=round(len(gzip.compress(body)) / 1000, 1),
            )


async def listen(console: Console, database_url: str) -> None:
    """Opens the pages, one in ten of them an admin's; then events come in."""
    arrived: dict[str, list[float]] = {}
    clock = asyncio.get_running_loop().time
    before_mb = pss_mb(console.pid)
    received = 0
    async with (
        ClientSession(
            timeout=ClientTimeout(total=None),
            connector=TCPConnector(limit=0),
            cookie_jar=DummyCookieJar(),
            read_bufsize=2**20,
        ) as session,
        asyncio.TaskGroup() as tasks,
    ):
        open_pages = 0
        all_open = asyncio.Event()

        async def one(number: int) -> None:
            nonlocal open_pages, received
            is_admin = number % 10 == 0 and number < 300
            # A browser has few streams, so each page of an admin is in a browser of its own.
            who = f"{number % ADMINS + 1}-{number}" if is_admin else number + 10
            await asyncio.sleep(number * 0.02)
            seen: set[str] = set()
            async with session.get(f"{console.url}/live", headers=cookie(who)) as stream:
                assert stream.status == 200, stream.status
                open_pages += 1
                if open_pages == LISTENERS:
                    all_open.set()
                async for line in stream.content:
                    received += len(line)
                    for event in sentinels(line):
                        if event not in seen:
                            seen.add(event)
                            arrived.setdefault(event, []).append(clock())

        listeners = [tasks.create_task(one(number)) for number in range(LISTENERS)]
        await all_open.wait()
        await asyncio.sleep(3)
        now_mb = pss_mb(console.pid)
        show(
            "live: PSS of each open page",
            kb=round((now_mb - before_mb) * 1000 / LISTENERS, 1),
            pages=LISTENERS,
        )
        received = 0
        told = await events(database_url)
        await asyncio.sleep(2)
        for listener in listeners:
            listener.cancel()
    took = [at - told[seen] for seen, times in arrived.items() if seen in told for at in times]
    spread_ms(
        f"live: event committed → told to {LISTENERS} open pages",
        took,
        p95_ms=round(sorted(took)[int(len(took) * 0.95)] * 1000, 1),
        events=len(told),
        told_of_each=round(len(took) / len(told) / LISTENERS, 3),
        sent_mb=round(received / 1e6, 1),
    )
    show("live: PSS after that", mb=pss_mb(console.pid), before_mb=before_mb)


def sentinels(line: bytes) -> list[str]:
    """The events that it tells, by the names of those who did it."""
    return [part.split(b"<")[0].decode() for part in line.split(b"Event ")[1:]]


async def events(database_url: str) -> dict[str, float]:
    """Twenty of them a second, each by somebody with a name of its own; when each was committed."""
    clock = asyncio.get_running_loop().time
    told: dict[str, float] = {}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        due = clock()
        for number in range(1, EVENTS + 1):
            await asyncio.sleep(max(0.0, due - clock()))
            due += 1 / EVENTS_PER_SECOND
            await conn.execute(
                """
                with stored as (
                  insert into access.event (controller, journal_id, seq, hash, happened_at,
                      clock_trusted, kind, point, reason, account, credential_type, payload)
                    select 'bench', 'now', %(n)s, sha256('now'), now(), true, 'access_granted',
                      'door-' || (%(n)s %% 6 + 1), 'allowed', id, 'em4100', '{}'
                      from account where name = 'Event ' || %(n)s
                  returning id
                )
                select pg_notify('access_event', id::text) from stored
                """,
                {"n": number},
            )
            told[str(number)] = clock()
    return told
