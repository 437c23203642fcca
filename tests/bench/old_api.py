"""The old API under load: the requests that the old web application was measured with.

On the same data: 514 accounts, all extra ones in circle `door`, 300 of them paying with 12 payments
each, 100 events of 81 people. Closed loop by wrk for the ratio to the old figures; open loop with
100 people who each ask every 2 s, whatever the answers take. Of what was measured then, GET
/membership is left out: it gave a constant, and isn't there any more.
"""

import asyncio
import base64
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from aiohttp import ClientSession, web

from console.accounts.passwords import hash_password
from tests.bench.figures import show
from tests.bench.open_loop import Request, answered, open_loop
from tests.bench.site import as_installed, pss_mb
from tests.support.replay import OldApi, old_api

PEOPLE = 514
CLOSED_LOOP_SECONDS = 5
PASSWORD = "correct horse battery"

DATA = """
insert into account (created_at, updated_at, username, email, name, phone, password, system)
  select now(), now(), 'p' || n, 'p' || n || '@example.org', 'Person ' || n, '9' || n, %(hash)s,
      false
    from generate_series(1, %(people)s - 2) n;
insert into circle (created_at, created_by, updated_at, updated_by, name, description,
    management_style, admin_circle, comment_required_for_membership)
  values (now(), 3, now(), 3, 'api', '', 'ADMIN_CIRCLE', 1, false);
insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account, comment)
  select now(), 3, now(), 3, 2, id, '' from account where username like 'p%%';
insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account, comment)
  select now(), 3, now(), 3, c.id, a.id, '' from circle c, account a
   where c.name = 'api' and a.username = 'p1';
insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id, start_date,
    end_date, amount, payment_date)
  select now(), a.id, now(), a.id, 'in_' || a.id || '_' || m, now() - make_interval(months => m),
    now() - make_interval(months => m - 1), 500, now() - make_interval(months => m)
    from (select id from account where username like 'p%%' order by id limit 300) a,
      generate_series(0, 11) m;
insert into event (created_at, created_by, domain, name, text1)
  select now() - make_interval(mins => n::int), a.id, 'door', 'open', 'bv9-f2-entrance'
    from generate_series(1, 100) n
    join (select id, row_number() over (order by id) as k from account where username like 'p%%') a
      on a.k = n %% 81 + 1;
insert into access.session (token_digest, account, expires_at)
  select sha256(('token-' || username)::bytea), id, now() + interval '1 day'
    from account where username like 'p%%';
analyze;
"""


@dataclass(frozen=True)
class Asked:
    """A request; `old_per_second`: what one worker of the old application did of it.

    At 1, 10 and 100 connections; None: not measured. Source: its own figures.
    """

    name: str
    path: str
    old_per_second: tuple[float | None, float | None, float | None]
    method: str = "GET"
    body: str | None = None
    is_basic: bool = False


REQUESTS = (
    Asked("GET /", "/", (11.0, 10.8, 10.9)),
    Asked("GET /api/memberinfo", "/api/memberinfo?username=p2", (3.5, 3.5, 3.5), is_basic=True),
    Asked("GET /data/profile-summary", "/data/profile-summary", (7.8, 7.6, None)),
    # Two answers, after 10.4 and 12.2 s; of many at once it finished none within 9 s.
    Asked("GET /data/profile", "/data/profile", (0.09, None, None)),
    Asked("GET /service/recent-events", "/service/recent-events", (6.2, 7.2, 7.6)),
    Asked(
        "POST /service/door/open",
        "/service/door/open",
        (40.2, 36.4, 34.7),
        method="POST",
        body='{"doors":["bv9-f2-entrance"]}',
    ),
)


def measure(work: Path, database_url: str) -> None:
    """Fills the database, then the closed and the open loop."""
    with (
        old_api(work, database_url, environment=as_installed(work, "p2k16-console")) as api,
        door_controller(api.ports.dlock),
    ):
        password = hash_password(PASSWORD)
        with psycopg.connect(database_url, autocommit=True) as conn:
            for statement in DATA.split(";\n"):
                if statement.strip():
                    values = {"hash": password, "people": PEOPLE}
                    conn.execute(statement.encode(), values if "%" in statement else None)
        pid = api_pid(api)
        show("old API: PSS before load", mb=pss_mb(pid))
        if shutil.which("wrk"):
            for asked in REQUESTS:
                for place, connections in enumerate((1, 10, 100)):
                    closed_loop(work, api, asked, connections, asked.old_per_second[place])
        else:
            show("old API: closed loop", skipped="wrk isn't installed: apt-get install wrk")
        asyncio.run(ask_openly(api))
        show("old API: PSS after load", mb=pss_mb(pid), goal_mb=60)


def api_pid(api: OldApi) -> int:
    """The console's process."""
    found = subprocess.run(
        ["pgrep", "-f", f"p2k16-console serve --config {api.config}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(found.stdout.split()[0])


def headers(asked: Asked, number: int) -> dict[str, str]:
    """Of the person with this number."""
    if asked.is_basic:
        credentials = base64.b64encode(f"p1:{PASSWORD}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}
    return {"Cookie": f"p2k16_session=token-p{number}", "Content-Type": "application/json"}


def closed_loop(
    work: Path, api: OldApi, asked: Asked, connections: int, old_per_second: float | None
) -> None:
    """As many requests as `connections` that wait for their answers can make."""
    script = work / "wrk.lua"
    body = f"wrk.body = '{asked.body}'\n" if asked.body else ""
    lines = "".join(f'wrk.headers["{k}"] = "{v}"\n' for k, v in headers(asked, 1).items())
    script.write_text(f'wrk.method = "{asked.method}"\n{body}{lines}')
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{CLOSED_LOOP_SECONDS}s", "--latency"),
            *("--timeout", "10s", "-s", str(script), f"{api.url}{asked.path}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", done)
    assert found, done
    per_second = float(found[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    show(
        f"old API: {asked.name}",
        connections=connections,
        per_second=round(per_second, 1),
        times_the_old=None if old_per_second is None else round(per_second / old_per_second, 1),
        refused=int(bad[1]) if bad else 0,
    )


async def ask_openly(api: OldApi) -> None:
    """Basic credentials are verified once before, as by anybody who asks regularly."""

    def request(asked: Asked) -> Request:
        return lambda number: {
            "method": asked.method,
            "url": f"{api.url}{asked.path}",
            "data": asked.body,
            "headers": headers(asked, number),
        }

    async with ClientSession() as session:
        await answered(session, request(REQUESTS[1])(1))
    await open_loop("old API", [(asked.name, request(asked)) for asked in REQUESTS])


@contextmanager
def door_controller(port: int) -> Generator[None]:
    """Answers 200 to everything, in a thread of its own."""

    async def serve(stop: asyncio.Event) -> None:
        async def ok(_request: web.Request) -> web.Response:
            return web.Response()

        app = web.Application()
        app.router.add_route("*", "/{any:.*}", ok)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await stop.wait()
        await runner.cleanup()

    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(loop.run_until_complete, serve(stop))
        time.sleep(0.2)
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stop.set)
            running.result(10)
