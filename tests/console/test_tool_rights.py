"""Who may use a tool: whoever is in its circle, and pays or is employed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.database import Connection
from console.rights.access import Answer, Standing, may_use_tool, standings, weigh_tool
from console.rights.facts import CircleRef, Paid, Person, Tool
from sync.ids import AccountRef
from sync.rights import Reason
from tests.support import makerspace

NOW = datetime.now(UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY = timedelta(days=1)

instants = st.integers(0, 60)
circles = st.sampled_from([CircleRef(2), CircleRef(5)])
people = st.builds(
    Person,
    account=st.just(AccountRef(1)),
    is_employed=st.booleans(),
    circles=st.frozensets(circles),
    paid=st.lists(st.builds(Paid, instants, instants), max_size=4).map(tuple),
)


@given(people, st.none() | circles, instants)
@settings(max_examples=500)
def test_the_answer_is_what_the_rule_says(person: Person, circle: CircleRef | None, at: int):
    is_paying = any(period.start_ms <= at <= period.end_ms for period in person.paid)
    said = weigh_tool(person, Tool(7, circle), at)
    expected = circle in person.circles and (is_paying or person.is_employed)
    assert said.decision.is_allowed == expected


class Workshop:
    """A laser for a circle of its own, which opens no door, and one person."""

    def __init__(self, connection: Connection, *, laser: int, circle: int, kari: int) -> None:
        self.connection = connection
        self.laser = laser
        self.circle = circle
        self.kari = kari

    async def ask(self, tool: int | None = None) -> Answer | None:
        return await may_use_tool(
            self.connection,
            account_id=self.kari,
            tool=self.laser if tool is None else tool,
            now_ms=NOW_MS,
        )

    async def reason(self, tool: int | None = None) -> Reason:
        answer = await self.ask(tool)
        assert answer is not None
        return answer.decision.reason

    async def join(self) -> None:
        await makerspace.circle_member(self.connection, account=self.kari, circle=self.circle)

    async def employ(self, *, active: bool = True) -> None:
        company = await makerspace.company(self.connection, active=active)
        await makerspace.employee(self.connection, account=self.kari, company=company)


async def tool(connection: Connection, circle: int | None) -> int:
    cursor = await connection.execute(
        """
        insert into tool_description
          (created_at, created_by, updated_at, updated_by, name, circle)
        values (now(), 3, now(), 3, 'Laser', %s) returning id
        """,
        [circle],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
async def workshop(connection: Connection) -> Workshop:
    circle = await makerspace.circle(connection, name="laser")
    return Workshop(
        connection,
        laser=await tool(connection, circle),
        circle=circle,
        kari=await makerspace.account(connection, username="kari"),
    )


async def test_who_pays_and_is_in_the_circle_may(workshop: Workshop):
    await workshop.join()
    await makerspace.payment(workshop.connection, account=workshop.kari)
    assert await workshop.reason() is Reason.ALLOWED


async def test_paying_alone_is_not_enough(workshop: Workshop):
    await makerspace.payment(workshop.connection, account=workshop.kari)
    answer = await workshop.ask()
    assert answer is not None
    assert answer.decision.reason is Reason.NO_RIGHT
    assert not answer.is_in_circle
    assert answer.window is not None


async def test_employment_does_not_replace_the_circle(workshop: Workshop):
    await workshop.employ()
    assert await workshop.reason() is Reason.NO_RIGHT
    await workshop.join()
    assert await workshop.reason() is Reason.ALLOWED


async def test_employment_by_a_closed_company_counts_for_nothing(workshop: Workshop):
    await workshop.employ(active=False)
    await workshop.join()
    assert await workshop.reason() is Reason.NO_RIGHT


async def test_a_payment_that_is_over_is_told_from_none(workshop: Workshop):
    await workshop.join()
    answer = await workshop.ask()
    assert answer is not None
    assert answer.is_in_circle
    assert answer.window is None
    await makerspace.payment(
        workshop.connection, account=workshop.kari, start=NOW - 40 * DAY, end=NOW - 10 * DAY
    )
    assert await workshop.reason() is Reason.EXPIRED


async def test_a_tool_without_a_circle_serves_nobody(workshop: Workshop):
    await workshop.employ()
    await makerspace.payment(workshop.connection, account=workshop.kari)
    orphan = await tool(workshop.connection, None)
    assert await workshop.reason(orphan) is Reason.NO_RIGHT


async def test_there_may_be_no_such_tool_or_person(workshop: Workshop):
    assert await workshop.ask(tool=0) is None
    workshop.kari = 0
    assert await workshop.reason() is Reason.NO_RIGHT


async def test_standings_tell_who_pays_and_who_is_employed(workshop: Workshop):
    conn = workshop.connection
    payer = await makerspace.account(conn)
    await makerspace.payment(conn, account=payer)
    later = await makerspace.account(conn)
    await makerspace.payment(conn, account=later, start=NOW + DAY, end=NOW + 30 * DAY)
    in_slack = await makerspace.account(conn)
    await makerspace.payment(
        conn, account=in_slack, start=NOW - 30 * DAY, end=NOW - timedelta(hours=23)
    )
    free = await makerspace.account(conn)
    await makerspace.payment(conn, account=free, amount=0)
    system = await makerspace.account(conn, system=True)
    await makerspace.payment(conn, account=system)
    await workshop.employ()

    everybody = await standings(conn, now_ms=NOW_MS)
    assert {
        "payer": everybody[payer],
        "later": everybody[later],
        "in slack": everybody[in_slack],
        "free": everybody[free],
        "system": everybody[system],
        "kari": everybody[workshop.kari],
    } == {
        "payer": Standing(is_paying=True, is_employed=False),
        "later": Standing(is_paying=False, is_employed=False),
        "in slack": Standing(is_paying=True, is_employed=False),
        "free": Standing(is_paying=False, is_employed=False),
        "system": Standing(is_paying=False, is_employed=False),
        "kari": Standing(is_paying=False, is_employed=True),
    }
    assert await standings(conn, now_ms=NOW_MS, account_id=payer) == {payer: everybody[payer]}
    assert await standings(conn, now_ms=NOW_MS, account_id=0) == {}
