"""Why somebody may use a point or may not: the rights follow from it, and it is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.rights import verdict_queries
from console.rights.derive import derive
from console.rights.facts import Facts, Person, Tool
from console.rights.verdict import NOTHING, Ground, Verdicts, Window, verdicts_of
from sync.credential import entry
from sync.ids import AccountRef, PointKey
from tests.console.test_derive import (
    CONTROLLERS,
    DOORS,
    FRONT,
    KARI,
    LASER,
    LOOSE,
    TOOLS,
    digest_of,
    facts,
    instants,
    people,
)
from tests.support import makerspace
from tests.support.site import RightsSite

FRONT_KEY = PointKey("front")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@given(st.lists(people, max_size=3, unique_by=lambda p: p.account), instants)
@settings(max_examples=200)
def test_a_card_has_a_right_where_the_verdict_is_yes_and_nowhere_else(crowd: list[Person], at: int):
    derived = derive(facts(*crowd), at, UTC)
    for controller in CONTROLLERS:
        entries = derived.contents[controller.id].entries
        for person in crowd:
            right = entries.get(entry(controller.entry_key, digest_of(person)))
            verdicts = derived.verdicts[person.account]
            for place in (p for p in (*DOORS, *TOOLS) if p.controller == controller.id):
                assert place.key is not None
                said = verdicts.of(place.key).is_yes
                assert said == (right is not None and place.key in right.points)
            if right is not None:
                assert verdicts.window == Window(right.not_before_ms, right.not_after_ms)


@given(people, st.integers(0, 60))
@settings(max_examples=200)
def test_everybody_who_is_alike_gets_the_same_and_nobody_is_left_out(person: Person, at: int):
    twin = Person(AccountRef(9), person.is_employed, person.circles, ())
    found = verdicts_of(facts(person, twin), at)
    assert found[twin.account].grounds is found[person.account].grounds
    assert set(found[person.account].grounds) == {
        *(door.key for door in DOORS),
        *("laser", "saw", "drill", "tool-12"),
    }


def verdict_on(person: Person, place: str, at: int = 1500) -> tuple[Ground, Window | None]:
    verdict = verdicts_of(facts(person), at)[person.account].of(PointKey(place))
    return verdict.ground, verdict.window


def test_a_verdict_says_on_what_it_rests():
    holds = Window(not_after_ms=2000)
    assert verdict_on(KARI, "front") == (Ground.CIRCLE, holds)
    assert verdict_on(KARI, "lab") == (Ground.NO_CIRCLE, holds)
    assert verdict_on(KARI, "store") == (Ground.NO_CIRCLE, holds)
    assert verdict_on(KARI, "drill") == (Ground.NO_CIRCLE, holds)
    employee = Person(AccountRef(5), True, KARI.circles, ())
    assert verdict_on(employee, "lab") == (Ground.EMPLOYED, Window())
    assert verdict_on(employee, "saw") == (Ground.CIRCLE, Window())
    assert verdict_on(employee, "laser") == (Ground.NO_CIRCLE, Window())


def test_a_membership_that_is_over_is_none_and_one_ahead_is_one():
    assert verdict_on(KARI, "front", 2001) == (Ground.CIRCLE, None)
    assert verdict_on(KARI, "front", 5) == (Ground.CIRCLE, Window(1000, 2000))


def test_a_tool_with_the_key_of_a_door_has_no_verdict_of_its_own():
    thief = Tool(7, LASER.circle, FRONT.key, FRONT.controller)
    crowd = Facts(CONTROLLERS, (FRONT,), (KARI,), (), (thief, LOOSE))
    assert verdicts_of(crowd, 1500)[KARI.account].grounds == {
        "front": Ground.CIRCLE,
        "tool-12": Ground.NO_CIRCLE,
    }


@dataclass
class Clock:
    """Moves when it is told to."""

    now: datetime = BEGIN

    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


async def at(site: RightsSite, moment: datetime, account: int | None = None) -> Verdicts | None:
    return await verdict_queries.at(
        site.connection,
        account=AccountRef(account or site.kari),
        moment=moment,
        kept_days=100_000,
    )


@pytest.fixture
async def clock(rights_site: RightsSite) -> Clock:
    """Kari pays from long before the clock's beginning until long after."""
    await rights_site.change(
        "update stripe_payment set start_date = '2026-01-01', end_date = '2027-01-01'"
    )
    return Clock()


async def test_each_change_is_kept_with_the_moments_between_which_it_held(
    rights_site: RightsSite, clock: Clock
):
    publisher = rights_site.publisher(clock.ms)
    first = clock.now
    await publisher.publish_changes()
    left = clock.later(hours=1)
    await rights_site.change("delete from circle_member where account = %s", rights_site.kari)
    await publisher.publish_changes()
    again = clock.later(hours=1)
    await rights_site.change("update stripe_payment set end_date = '2026-02-01'")
    await publisher.publish_changes()
    clock.later(hours=1)
    await publisher.publish_changes()

    async def said(moment: datetime) -> tuple[Ground, bool] | None:
        verdicts = await at(rights_site, moment)
        if verdicts is None:
            return None
        verdict = verdicts.of(FRONT_KEY)
        return verdict.ground, verdict.window is not None

    assert await said(first - timedelta(milliseconds=1)) is None
    assert await said(first) == (Ground.CIRCLE, True)
    assert await said(left - timedelta(milliseconds=1)) == (Ground.CIRCLE, True)
    assert await said(left) == (Ground.NO_CIRCLE, True)
    assert await said(again) == (Ground.NO_CIRCLE, False)
    assert await said(clock.later(days=1)) == (Ground.NO_CIRCLE, False)


async def test_without_a_change_nothing_is_written(rights_site: RightsSite, clock: Clock):
    for _ in range(3):
        clock.later(hours=1)
        await rights_site.publisher(clock.ms).publish_changes()
    rows = await rights_site.rows("select since, until from access.verdict")
    assert rows == [(BEGIN + timedelta(hours=1), None)]


async def test_a_change_of_one_writes_one_row(rights_site: RightsSite, clock: Clock):
    other = await makerspace.account(rights_site.connection, username="per")
    await makerspace.circle_member(rights_site.connection, account=other)
    publisher = rights_site.publisher(clock.ms)
    await publisher.publish_changes()
    clock.later(hours=1)
    await makerspace.payment(rights_site.connection, account=other, end=BEGIN + timedelta(days=9))
    await rights_site.change("update stripe_payment set start_date = '2026-01-01'")
    await publisher.publish_changes()
    rows = await rights_site.rows(
        "select account, pays, not_after_ms is not null from access.verdict order by account, since"
    )
    assert rows == [
        (rights_site.kari, True, True),
        (other, False, False),
        (other, True, True),
    ]


async def test_somebody_of_whom_there_was_nothing_to_say_is_known_to_have_had_nothing(
    rights_site: RightsSite, clock: Clock
):
    stranger = await makerspace.account(rights_site.connection, username="per")
    await rights_site.publisher(clock.ms).publish_changes()
    assert await at(rights_site, clock.now, stranger) == NOTHING
    assert await at(rights_site, clock.now - timedelta(seconds=1), stranger) is None


async def test_in_a_new_house_everybody_is_known_to_have_had_nothing(
    rights_site: RightsSite, clock: Clock
):
    await rights_site.change("delete from circle_member")
    await rights_site.change("delete from stripe_payment")
    first = clock.now
    for _ in range(2):
        await rights_site.publisher(clock.ms).publish_changes()
        clock.later(hours=1)
    assert await at(rights_site, first) == NOTHING
    assert await rights_site.rows("select since from access.verdicts_kept") == [(first,)]


async def test_a_clock_that_was_set_back_breaks_nothing(rights_site: RightsSite, clock: Clock):
    publisher = rights_site.publisher(clock.ms)
    await publisher.publish_changes()
    for back in (0, 3600):
        clock.later(seconds=-back)
        await rights_site.change("delete from circle_member")
        await publisher.publish_changes()
        await makerspace.circle_member(rights_site.connection, account=rights_site.kari)
        await publisher.publish_changes()
    rows = await rights_site.rows("select count(*) from access.verdict where until is null")
    assert rows == [(1,)]
    verdicts = await at(rights_site, clock.later(hours=2))
    assert verdicts is not None
    assert verdicts.of(FRONT_KEY).ground is Ground.CIRCLE


async def test_what_was_otherwise_long_ago_goes_and_what_holds_stays(
    rights_site: RightsSite, clock: Clock
):
    publisher = rights_site.publisher(clock.ms)
    await publisher.publish_changes()
    clock.later(hours=1)
    await rights_site.change("delete from circle_member")
    await publisher.publish_changes()
    for age, deleted in (("89 days", 0), ("91 days", 1)):
        await rights_site.change(
            "update access.verdict set since = now() - interval '300 days',"
            " until = now() - %s::interval where until is not null",
            age,
        )
        async with rights_site.database.writing() as conn:
            assert await verdict_queries.prune(conn, days=90) == deleted
    (row,) = await rights_site.rows("select until from access.verdict")
    assert row == (None,)


async def test_of_a_moment_before_what_is_kept_nothing_is_claimed(rights_site: RightsSite):
    await rights_site.publisher().publish_changes()
    await rights_site.change("update access.verdict set since = now() - interval '300 days'")
    await rights_site.change("update access.verdicts_kept set since = now() - interval '300 days'")
    account, now = AccountRef(rights_site.kari), datetime.now(UTC)
    for days, is_kept in ((89, True), (91, False)):
        found = await verdict_queries.at(
            rights_site.connection, account=account, moment=now - timedelta(days=days), kept_days=90
        )
        assert (found is not None) == is_kept
