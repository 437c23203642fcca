"""An existing database of the web app before us, and that app's role at work in it.

It is made as that app's migrations have made it: by their role, which owns the tables, with a
history of their own and with people in it.
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import psycopg
import pytest

from console.database import SESSION, Database, open_database
from console.migrate import migrate
from console.migrations.files import LEGACY, read_migrations
from tests.support.postgres import Postgres, console_settings

WATCHED = (
    "account",
    "circle",
    "circle_member",
    "company",
    "company_employee",
    "stripe_payment",
    "tool_description",
)
AS_WEB_APP = b"""set role "p2k16-web" """

HISTORY_OF_THEIRS = b"""
create table schema_version (
  installed_rank integer primary key, version varchar(50), description varchar(200) not null,
  type varchar(20) not null, script varchar(1000) not null, checksum integer,
  installed_by varchar(100) not null, installed_on timestamp not null default now(),
  execution_time integer not null, success boolean not null
);
insert into schema_version
values (31, '001.031', 'last', 'SQL', 'V001.031__last.sql', 1, 'p2k16-flyway', now(), 3, true);
"""

PEOPLE = b"""
insert into account (id, created_at, updated_at, username, email, password)
values (1, now(), now(), 'super', 'super@example.org', '$2b$12$abc'),
  (101, now(), now(), 'ada', 'ada@example.org', null);
insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account)
values (now(), 1, now(), 1, 2, 101);
insert into company (id, created_at, created_by, updated_at, updated_by, name, active, contact)
values (201, now(), 1, now(), 1, 'Acme', true, 101);
insert into company_employee (created_at, created_by, updated_at, updated_by, company, account)
values (now(), 1, now(), 1, 201, 101);
insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id, start_date,
  end_date, amount)
values (now(), 101, now(), 101, 'in_1', now(), now() + interval '30 days', 500);
insert into badge_description (id, created_at, created_by, updated_at, updated_by, title)
values (301, now(), 1, now(), 1, 'welder');
insert into tool_description (id, created_at, created_by, updated_at, updated_by, name, circle)
values (401, now(), 1, now(), 1, 'Laser', 5);
insert into "transaction" (id, issued_at)
values (nextval('transaction_id_seq'), '2026-11-23 10:00:00.000000');
"""

CHANGES = {
    "account": (
        b"insert into account (created_at, updated_at, username, email) "
        b"values (now(), now(), 'bob', 'bob@example.org')",
        b"update account set phone = '1' where username = 'bob'",
        b"delete from account where username = 'bob'",
    ),
    "circle": (
        b"insert into circle (created_at, created_by, updated_at, updated_by, name, "
        b"management_style) values (now(), 1, now(), 1, 'new', 'SELF_ADMIN')",
        b"update circle set description = 'x' where name = 'new'",
        b"delete from circle where name = 'new'",
    ),
    "circle_member": (
        b"insert into circle_member (created_at, created_by, updated_at, updated_by, circle, "
        b"account) values (now(), 1, now(), 1, 3, 101)",
        b"update circle_member set comment = 'x' where circle = 3",
        b"delete from circle_member where circle = 3",
    ),
    "company": (
        b"insert into company (created_at, created_by, updated_at, updated_by, name, active, "
        b"contact) values (now(), 1, now(), 1, 'new', true, 101)",
        b"update company set active = false where name = 'new'",
        b"delete from company where name = 'new'",
    ),
    "company_employee": (
        b"insert into company_employee (created_at, created_by, updated_at, updated_by, company, "
        b"account) values (now(), 1, now(), 1, 201, 1)",
        b"update company_employee set updated_at = now() where account = 1",
        b"delete from company_employee where account = 1",
    ),
    "stripe_payment": (
        b"insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id, "
        b"start_date, end_date, amount) values (now(), 1, now(), 1, 'in_2', now(), now(), 5)",
        b"update stripe_payment set amount = 6 where stripe_id = 'in_2'",
        b"delete from stripe_payment where stripe_id = 'in_2'",
    ),
    "account_badge": (
        b"insert into account_badge (created_at, created_by, updated_at, updated_by, account, "
        b"awarded_by, badge_description) values (now(), 1, now(), 1, 101, 1, 301)",
        b"update account_badge set awarded_by = null",
        b"delete from account_badge",
    ),
    "badge_description": (
        b"insert into badge_description (created_at, created_by, updated_at, updated_by, title) "
        b"values (now(), 1, now(), 1, 'new')",
        b"update badge_description set color = 'red' where title = 'new'",
        b"delete from badge_description where title = 'new'",
    ),
    "membership": (
        b"insert into membership (created_at, created_by, updated_at, updated_by, "
        b"first_membership, start_membership, fee) "
        b"values (now(), 101, now(), 101, now(), now(), 5)",
        b"update membership set fee = 6",
        b"delete from membership",
    ),
    "stripe_customer": (
        b"insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id) "
        b"values (now(), 101, now(), 101, 'cus_1')",
        b"update stripe_customer set stripe_id = 'cus_2'",
        b"delete from stripe_customer",
    ),
    "tool_description": (
        b"insert into tool_description (created_at, created_by, updated_at, updated_by, name) "
        b"values (now(), 1, now(), 1, 'new')",
        b"update tool_description set circle = 2 where name = 'new'",
        b"delete from tool_description where name = 'new'",
    ),
    "tool_checkout": (
        b"insert into tool_checkout (created_at, created_by, updated_at, updated_by, "
        b"tool_description, account, started) values (now(), 1, now(), 1, 401, 101, now())",
        b"update tool_checkout set account = 1",
        b"delete from tool_checkout",
    ),
}
"""What the web app does to each table with versions: add a row, change it, delete it."""


@pytest.fixture
def legacy_url(postgres: Postgres, empty_database_url: str) -> str:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(b'grant create on schema public to "p2k16-flyway"')
        connection.execute(b'set role "p2k16-flyway"')
        for migration in read_migrations():
            if migration.version.startswith(LEGACY):
                connection.execute(migration.sql)
        connection.execute(HISTORY_OF_THEIRS)
        connection.execute(PEOPLE)
    return empty_database_url


@pytest.fixture
async def taken_over(legacy_url: str) -> str:
    await migrate(legacy_url)
    return legacy_url


@pytest.fixture
async def listener(taken_over: str) -> AsyncGenerator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(taken_over, autocommit=True) as connection:
        await connection.execute("listen access_changed")
        yield connection


@pytest.fixture
async def beside(taken_over: str) -> AsyncGenerator[Database]:
    """The console's connections to the web app's database."""
    settings = console_settings(Path("/nonexistent"), database_url=taken_over)
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
def ours(taken_over: str) -> Generator[psycopg.Connection]:
    """One connection to it, set up as the console's are, in autocommit mode."""
    with psycopg.connect(taken_over, autocommit=True) as connection:
        connection.execute(SESSION)
        yield connection


@pytest.fixture
def web_app(taken_over: str) -> Generator[psycopg.Connection]:
    with psycopg.connect(taken_over, autocommit=True) as connection:
        connection.execute(AS_WEB_APP)
        yield connection
