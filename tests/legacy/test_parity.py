"""`parity` finds where the old rule and ours differ, tells why, and is silent where they don't."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.database import Connection, Database, open_database
from console.parity.comparison import (
    EARLY_MS,
    Difference,
    Place,
    Someone,
    Verdict,
    Why,
    World,
    differences,
)
from console.parity.old_rule import DAY_MS, OldMoment, OldPerson, Payment
from console.parity.report import Report, as_json, as_text, compare, read_world
from console.rights.facts import CircleRef, Demands, Door, Paid, Person, Tool
from sync.ids import AccountRef, PointKey
from sync.rights import Assurance
from tests.support import makerspace
from tests.support.postgres import Postgres, console_settings

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Told = tuple[str | None, str, Verdict, Verdict, tuple[Why, ...]]


def told(found: Sequence[Difference]) -> list[Told]:
    return [(d.username, d.place.name, d.old, d.ours, d.why) for d in found]


async def compared(database: Database) -> list[Told]:
    return told((await compare(database, now_ms=NOW_MS)).differences)


async def tool(conn: Connection, name: str, circle: int | None) -> None:
    await conn.execute(
        """
        insert into tool_description (created_at, created_by, updated_at, updated_by, name, circle)
        values (now(), 3, now(), 3, %s, %s)
        """,
        [name, circle],
    )


@pytest.fixture
async def ordinary(connection: Connection) -> Connection:
    """Doors, tools, and people of every ordinary kind."""
    await makerspace.controller(connection)
    await makerspace.door(connection, key="front", name="Front")
    lab = await makerspace.circle(connection, name="lab")
    await makerspace.door(connection, key="lab", name="Lab", circles=(lab, 5))
    await makerspace.door(connection, key="store", name="Store", circles=())
    await tool(connection, "Laser", 5)
    await tool(connection, "Mill", lab)
    company = await makerspace.company(connection)
    closed = await makerspace.company(connection, active=False)
    for number in range(64):
        someone = await makerspace.account(connection, username=f"ordinary-{number}")
        for bit, circle in enumerate((2, lab, 5)):
            if number >> bit & 1:
                await makerspace.circle_member(connection, account=someone, circle=circle)
        if number & 8:
            await makerspace.payment(connection, account=someone)
        if number & 16:
            await makerspace.employee(connection, account=someone, company=company)
        if number & 32:
            await makerspace.employee(connection, account=someone, company=closed)
            await makerspace.payment(
                connection, account=someone, start=NOW - 60 * DAY, end=NOW - 30 * DAY
            )
            end = NOW - timedelta(hours=23) if number & 1 else NOW - timedelta(hours=25)
            await makerspace.payment(connection, account=someone, start=NOW - 30 * DAY, end=end)
    return connection


async def member(conn: Connection, username: str, *, system: bool = False) -> int:
    """In the circle of the front door, and in no other."""
    account = await makerspace.account(conn, username=username, system=system)
    await makerspace.circle_member(conn, account=account)
    return account


async def test_an_ordinary_makerspace_has_no_difference(ordinary: Connection, database: Database):
    report = await compare(database, now_ms=NOW_MS)
    assert report.differences == []
    assert (report.people, report.doors, report.tools) == (65, 3, 2)
    assert as_text(report) == "65 people, 3 doors, 2 tools: 325 compared, 0 differences."


async def test_payments_that_only_the_old_rule_counts(ordinary: Connection, database: Database):
    nothing = await member(ordinary, "nothing")
    await makerspace.payment(ordinary, account=nothing, amount=0)
    later = await member(ordinary, "later")
    await makerspace.payment(ordinary, account=later, start=NOW + DAY, end=NOW + 30 * DAY)
    soon = await member(ordinary, "soon")
    await makerspace.payment(ordinary, account=soon, start=NOW + HOUR, end=NOW + 30 * DAY)
    begun = await member(ordinary, "begun")
    await makerspace.payment(ordinary, account=begun, start=NOW, end=NOW + 30 * DAY)
    backwards = await member(ordinary, "backwards")
    await makerspace.payment(ordinary, account=backwards, start=NOW + 30 * DAY, end=NOW + DAY)
    both = await member(ordinary, "both")
    await makerspace.payment(ordinary, account=both, amount=Decimal("-5"), start=NOW + DAY)
    await makerspace.payment(ordinary, account=both, start=NOW + DAY, end=NOW + 30 * DAY)
    yes, no = Verdict.YES, Verdict.NO
    assert await compared(database) == [
        ("nothing", "Front", yes, no, (Why.NOTHING_PAID,)),
        ("later", "Front", yes, no, (Why.BEGINS_LATER,)),
        ("soon", "Front", yes, no, (Why.BEGINS_LATER,)),
        ("backwards", "Front", yes, no, (Why.ENDS_BEFORE_IT_BEGINS,)),
        ("both", "Front", yes, no, (Why.NOTHING_PAID, Why.BEGINS_LATER)),
    ]
    # One that counts here as well is enough.
    await makerspace.payment(ordinary, account=both)
    assert "both" not in {username for username, *_ in await compared(database)}


async def test_a_system_account(ordinary: Connection, database: Database):
    robot = await member(ordinary, "robot", system=True)
    await makerspace.circle_member(ordinary, account=robot, circle=5)
    await makerspace.payment(ordinary, account=robot)
    assert await compared(database) == [
        ("robot", name, Verdict.YES, Verdict.NO, (Why.SYSTEM_ACCOUNT,))
        for name in ("Front", "Lab", "Laser")
    ]


async def test_a_tool_without_circle_fails_for_everybody(ordinary: Connection, database: Database):
    await tool(ordinary, "Orphan", None)
    assert await compared(database) == [
        (None, "Orphan", Verdict.ERROR, Verdict.NO, (Why.NO_CIRCLE,))
    ]


@pytest.mark.parametrize(
    ("zone", "ended_hours_ago", "expected"),
    [
        ("UTC", 23.5, None),
        ("UTC", 24.5, None),
        ("Etc/GMT-2", 24.5, (Verdict.YES, Verdict.NO)),
        ("Etc/GMT-2", 25.5, (Verdict.YES, Verdict.NO)),
        ("Etc/GMT-2", 26.5, None),
        ("Etc/GMT+3", 20.5, None),
        ("Etc/GMT+3", 21.5, (Verdict.NO, Verdict.YES)),
        ("Etc/GMT+3", 24.5, None),
    ],
)
async def test_the_zone_of_the_database(
    zone: str,
    ended_hours_ago: float,
    expected: tuple[Verdict, Verdict] | None,
    connection: Connection,
    database_url: str,
):
    """The old application compares UTC as if it were local time: POSIX names count westwards."""
    await makerspace.controller(connection)
    await makerspace.door(connection, name="Front")
    kari = await member(connection, "kari")
    await makerspace.payment(
        connection, account=kari, start=NOW - 30 * DAY, end=NOW - ended_hours_ago * HOUR
    )
    name = connection.info.dbname
    await connection.execute(f"alter database {name} set timezone = '{zone}'".encode())
    settings = console_settings(Path("/nonexistent"), database_url=database_url)
    async with open_database(settings) as database:
        found = await compared(database)
    is_old_yes = ended_hours_ago < 24 if expected is None else expected[0] is Verdict.YES
    assert is_paying_by_the_old_query(kari, database_url) == is_old_yes
    expectation = [] if expected is None else [("kari", "Front", *expected, (Why.TIME_ZONE,))]
    assert found == expectation


def is_paying_by_the_old_query(account: int, url: str) -> bool:
    """Asks as the old application does: naive UTC, in a session as the server gives it."""
    moment = datetime.fromtimestamp(NOW_MS / 1000, UTC).replace(tzinfo=None)
    with psycopg.connect(url) as session:
        found = session.execute(
            "select exists (select from stripe_payment where created_by = %s and end_date >= %s)",
            [account, moment - DAY],
        ).fetchone()
    return found == (True,)


async def test_the_zone_of_the_old_applications_role_goes_before_the_databases(
    postgres: Postgres, connection: Connection, database_url: str
):
    name = connection.info.dbname
    await connection.execute(f"alter database {name} set timezone = 'Etc/GMT+3'".encode())
    role = f'alter role "p2k16-web" in database {name} '
    await connection.execute(f"{role} set timezone = 'Etc/GMT-5'".encode())
    settings = console_settings(Path("/nonexistent"), database_url=database_url)
    async with open_database(settings) as database:
        world = await read_world(database, now_ms=NOW_MS)
    assert world.moment == OldMoment(NOW_MS, 5 * 3600 * 1000)


instants = st.integers(0, 12).map(lambda hours: hours * 12 * 3600 * 1000)


@given(
    payments=st.lists(st.builds(Payment, instants, instants, st.booleans()), max_size=4),
    circles=st.frozensets(st.sampled_from([CircleRef(2), CircleRef(5)])),
    is_employed=st.booleans(),
    is_system=st.booleans(),
    now_ms=instants,
    offset_ms=st.sampled_from([-12, -3, 0, 2, 14]).map(lambda hours: hours * 3600 * 1000),
)
def test_every_difference_is_explained(
    payments: list[Payment],
    circles: frozenset[CircleRef],
    is_employed: bool,
    is_system: bool,
    now_ms: int,
    offset_ms: int,
):
    old = OldPerson(7, "kari", is_system, is_employed, frozenset(circles), tuple(payments))
    paid = tuple(
        Paid(p.start_ms - EARLY_MS, p.end_ms + DAY_MS) for p in payments if p.is_above_zero
    )
    ours = None if is_system else Person(AccountRef(7), is_employed, circles, paid)
    front = Door(PointKey("front"), None, 5, frozenset({CircleRef(2)}))
    laser = Tool(9, CircleRef(5))
    world = World(
        OldMoment(now_ms, offset_ms), [Someone(old, ours)], [(front, "Front")], [(laser, "Laser")]
    )
    for difference in differences(world):
        assert Why.UNEXPLAINED not in difference.why
        assert difference.why


def test_a_place_that_demands_a_better_card_is_a_difference_of_its_own():
    payment = Payment(NOW_MS - DAY_MS, NOW_MS + DAY_MS, is_above_zero=True)
    old = OldPerson(7, "kari", False, False, frozenset({2}), (payment,))
    ours = Person(AccountRef(7), False, frozenset({CircleRef(2)}), (Paid(0, NOW_MS + DAY_MS),))
    demands = Demands(min_assurance=Assurance.UID_AND_SECOND_FACTOR)
    vault = Door(PointKey("vault"), None, 5, frozenset({CircleRef(2)}), demands)
    laser = Tool(9, CircleRef(2), demands=demands)
    world = World(
        OldMoment(NOW_MS, 0), [Someone(old, ours)], [(vault, "Vault")], [(laser, "Laser")]
    )
    assert told(list(differences(world))) == [
        ("kari", "Vault", Verdict.YES, Verdict.NO, (Why.COPIED_EASILY,)),
        ("kari", "Laser", Verdict.YES, Verdict.NO, (Why.COPIED_EASILY,)),
    ]


def test_the_table_and_the_json():
    difference = Difference(
        7,
        "ka\x1b[2Jri",
        Place("door", "front", "Front"),
        Verdict.YES,
        Verdict.NO,
        (Why.NOTHING_PAID, Why.BEGINS_LATER),
    )
    orphan = Difference(
        None, None, Place("tool", "9", "Saw"), Verdict.ERROR, Verdict.NO, (Why.NO_CIRCLE,)
    )
    report = Report(people=2, doors=1, tools=1, differences=[orphan, difference])
    assert as_text(report).splitlines() == [
        "PERSON     DOOR OR TOOL        OLD    OURS  WHY",
        "everybody  tool Saw (9)        error  no    tool without circle",
        "ka?[2Jri   door Front (front)  yes    no    "
        "payment amount not above zero, payment begins later",
        "",
        "2 people, 1 doors, 1 tools: 4 compared, 2 differences.",
    ]
    assert json.loads(as_json(report)) == {
        "people": 2,
        "doors": 1,
        "tools": 1,
        "compared": 4,
        "differences": [
            {
                "account": None,
                "username": None,
                "kind": "tool",
                "key": "9",
                "name": "Saw",
                "old": "error",
                "ours": "no",
                "why": ["tool without circle"],
            },
            {
                "account": 7,
                "username": "ka\x1b[2Jri",
                "kind": "door",
                "key": "front",
                "name": "Front",
                "old": "yes",
                "ours": "no",
                "why": ["payment amount not above zero", "payment begins later"],
            },
        ],
    }


def run(url: str, folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).parent / "p2k16-console", "parity", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "P2K16_DATABASE_URL": url, "P2K16_DATA_DIR": str(folder)},
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


async def test_the_command(connection: Connection, database_url: str, tmp_path: Path):
    await makerspace.controller(connection)
    await makerspace.door(connection, name="Front")
    assert run(database_url, tmp_path, "--check") == (
        0,
        "1 people, 1 doors, 0 tools: 1 compared, 0 differences.\n",
    )
    await makerspace.payment(connection, account=await member(connection, "kari"), amount=0)
    status, shown = run(database_url, tmp_path)
    assert (status, shown.count("\n")) == (0, 4)
    status, shown = run(database_url, tmp_path, "--json", "--check")
    assert status == 1
    assert [d["username"] for d in json.loads(shown)["differences"]] == ["kari"]


async def test_thousands_of_people_take_seconds(connection: Connection, database: Database):
    await makerspace.controller(connection)
    for number in range(10):
        await makerspace.door(connection, key=f"door-{number}")
    for number in range(20):
        await tool(connection, f"tool {number}", 5)
    await connection.execute(
        b"""
        insert into account (created_at, updated_at, username, email)
          select now(), now(), 'member-' || n, n || '@example.org' from generate_series(1, 5000) n;
        insert into circle_member (created_at, created_by, updated_at, updated_by, circle, account)
          select now(), 3, now(), 3, c, a.id from account a, unnest(array[2, 5]) c where not system;
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
            start_date, end_date, amount)
          select now(), a.id, now(), a.id, 'in', now() - n * interval '30 days',
            now() - (n - 1) * interval '30 days', 500
          from account a, generate_series(1, 20) n where not system;
        """
    )
    began = time.monotonic()
    report = await compare(database, now_ms=NOW_MS)
    seconds = time.monotonic() - began
    print(f"{report.compared} compared in {seconds:.1f} s")
    assert (report.compared, report.differences) == (5001 * 30, [])
    assert seconds < 20
