"""Laws of the rights: `derive` and `decide` together say what the rule says, at any instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.rights.access import weigh, weigh_tool
from console.rights.derive import (
    Content,
    content_digest,
    derive,
)
from console.rights.facts import (
    Card,
    CircleRef,
    Controller,
    Demands,
    Door,
    Facts,
    Paid,
    Person,
    Tool,
    WeeklyHours,
)
from console.rights.periods import merged
from console.rights.verdict import window_of
from sync.credential import entry, member_ref
from sync.errors import TooLarge
from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest
from sync.rights import Assurance, Moment, Point, PointKind, Reason, decide, stands_open

FRONT_PI = Controller(ControllerId("front-pi"), b"\x01" * 32)
BACK_PI = Controller(ControllerId("back-pi"), b"\x02" * 32)
DOOR_CIRCLE, LAB_CIRCLE = CircleRef(2), CircleRef(5)
FRONT = Door(PointKey("front"), FRONT_PI.id, 5, frozenset({DOOR_CIRCLE}))
SIDE = Door(PointKey("side"), FRONT_PI.id, 7, frozenset({DOOR_CIRCLE, LAB_CIRCLE}))
LAB = Door(PointKey("lab"), BACK_PI.id, 3, frozenset({LAB_CIRCLE}))
STORE = Door(PointKey("store"), BACK_PI.id, 3, frozenset())
DOORS = (FRONT, SIDE, LAB, STORE)
LASER = Tool(9, LAB_CIRCLE, PointKey("laser"), FRONT_PI.id)
SAW = Tool(10, DOOR_CIRCLE, PointKey("saw"), BACK_PI.id)
DRILL = Tool(11, None, PointKey("drill"), BACK_PI.id)
LOOSE = Tool(12, LAB_CIRCLE)
TOOLS = (LASER, SAW, DRILL, LOOSE)
CONTROLLERS = (FRONT_PI, BACK_PI)
KARI = Person(AccountRef(101), False, frozenset({DOOR_CIRCLE}), (Paid(1000, 2000),))


def digest_of(person: Person, number: int = 0) -> SiteDigest:
    return SiteDigest(bytes([number]) * 8 + person.account.to_bytes(8, "big"))


def facts(*people: Person, cards: int = 1) -> Facts:
    held = [Card(p.account, digest_of(p, number)) for p in people for number in range(cards)]
    return Facts(CONTROLLERS, DOORS, people, tuple(held), TOOLS)


def verdict(
    content: Content, controller: Controller, place: Door | Tool, person: Person, at: int
) -> Reason:
    """What the controller says to the person's first card."""
    assert place.key is not None
    right = content.entries.get(entry(controller.entry_key, digest_of(person)))
    point = content.points.get(place.key)
    return decide(point, right, Assurance.UID, Moment(at, is_trusted=True)).reason


def oracle(person: Person, place: Door | Tool, at: int) -> bool:
    """The rule, as the contract says it: no merging, no windows, no cases."""
    is_paying = any(period.start_ms <= at <= period.end_ms for period in person.paid)
    if isinstance(place, Tool):
        return place.circle in person.circles and (is_paying or person.is_employed)
    return person.is_employed or (is_paying and bool(person.circles & place.circles))


instants = st.integers(0, 60)
people = st.builds(
    Person,
    account=st.integers(1, 3).map(AccountRef),
    is_employed=st.sampled_from([False, False, False, True]),
    circles=st.frozensets(st.sampled_from([DOOR_CIRCLE, LAB_CIRCLE])),
    paid=st.lists(st.builds(Paid, instants, instants), max_size=4).map(tuple),
)


@given(st.lists(people, max_size=3, unique_by=lambda p: p.account), instants)
@settings(max_examples=300)
def test_a_fresh_snapshot_says_what_the_rule_says(crowd: list[Person], at: int):
    contents = derive(facts(*crowd), at, UTC).contents
    for controller in CONTROLLERS:
        for place in (p for p in (*DOORS, *TOOLS) if p.controller == controller.id):
            for person in crowd:
                said = verdict(contents[controller.id], controller, place, person, at)
                assert (said is Reason.ALLOWED) == oracle(person, place, at)


@given(people, instants)
def test_the_console_says_the_same_as_the_controller(person: Person, at: int):
    for door in DOORS:
        assert weigh(person, door, at).decision.is_allowed == oracle(person, door, at)
    for tool in TOOLS:
        assert weigh_tool(person, tool, at).decision.is_allowed == oracle(person, tool, at)


@given(people, instants, instants)
def test_an_old_snapshot_never_lets_in_whom_the_rule_keeps_out(person: Person, made: int, at: int):
    made, at = sorted((made, at))
    contents = derive(facts(person), made, UTC).contents
    for door in DOORS:
        controller = next(c for c in CONTROLLERS if c.id == door.controller)
        if verdict(contents[controller.id], controller, door, person, at) is Reason.ALLOWED:
            assert oracle(person, door, at)


@given(people, instants)
@settings(max_examples=300)
def test_nothing_changes_by_time_before_the_next_change(person: Person, at: int):
    before = derive(facts(person), at, UTC)
    until = 70 if before.next_change_ms is None else before.next_change_ms
    assert until > at
    for later in range(at, until):
        assert derive(facts(person), later, UTC).contents == before.contents


@given(st.lists(st.builds(Paid, instants, instants), max_size=6))
def test_merged_periods_cover_the_same_instants_and_keep_apart(periods: list[Paid]):
    union = merged(periods)
    for at in range(62):
        inside = any(p.start_ms <= at <= p.end_ms for p in periods)
        assert inside == any(p.start_ms <= at <= p.end_ms for p in union)
    assert all(a.end_ms + 1 < b.start_ms for a, b in pairwise(union))


def test_a_payment_that_has_begun_has_no_beginning_for_a_late_clock():
    window = window_of(KARI, 1500)
    assert window is not None
    assert (window.not_before_ms, window.not_after_ms) == (None, 2000)


def test_a_payment_ahead_lets_an_offline_controller_open_when_it_begins():
    content = derive(facts(KARI), 900, UTC).contents[FRONT_PI.id]
    assert verdict(content, FRONT_PI, FRONT, KARI, 999) is Reason.NOT_YET_VALID
    assert verdict(content, FRONT_PI, FRONT, KARI, 1000) is Reason.ALLOWED
    assert verdict(content, FRONT_PI, FRONT, KARI, 2001) is Reason.EXPIRED


def test_every_card_of_a_person_carries_the_right_and_no_stranger_stands_in_a_snapshot():
    outsider = Person(AccountRef(102), False, frozenset(), (Paid(0, 9999),))
    ended = replace(KARI, account=AccountRef(103), paid=(Paid(0, 999),))
    contents = derive(facts(KARI, outsider, ended, cards=3), 1500, UTC).contents
    front = contents[FRONT_PI.id]
    member = member_ref(FRONT_PI.entry_key, KARI.account)
    assert {right.member for right in front.entries.values()} == {member}
    assert len(front.entries) == 3
    back = contents[BACK_PI.id]
    assert {right.points for right in back.entries.values()} == {frozenset({"saw"})}
    assert len(back.entries) == 3


def test_a_card_of_an_account_that_is_gone_carries_nothing():
    orphan = Card(AccountRef(999), SiteDigest(b"\x09" * 16))
    crowd = replace(facts(KARI), cards=(orphan,))
    assert not derive(crowd, 1500, UTC).contents[FRONT_PI.id].entries


def test_an_employee_opens_every_door_for_as_long_as_it_lasts():
    employee = replace(KARI, is_employed=True, circles=frozenset[CircleRef](), paid=())
    derived = derive(facts(employee), 5, UTC)
    assert derived.next_change_ms is None
    for controller in CONTROLLERS:
        (right,) = derived.contents[controller.id].entries.values()
        assert right.points == {d.key for d in DOORS if d.controller == controller.id}
        assert not right.points & {t.key for t in TOOLS}
        assert (right.not_before_ms, right.not_after_ms) == (None, None)


def test_the_content_digest_names_the_content():
    content = derive(facts(KARI), 1500, UTC).contents[FRONT_PI.id]
    again = derive(facts(KARI), 1600, UTC).contents[FRONT_PI.id]
    assert content_digest(FRONT_PI, content) == content_digest(FRONT_PI, again)
    longer = derive(facts(replace(KARI, paid=(Paid(1000, 2001),))), 1500, UTC).contents[FRONT_PI.id]
    assert content_digest(FRONT_PI, content) != content_digest(FRONT_PI, longer)


def test_a_tool_stands_in_the_snapshot_of_the_controller_that_powers_it_and_in_no_other():
    contents = derive(facts(), 0, UTC).contents
    tools = {
        controller: {point.key for point in content.points.values() if point.kind is PointKind.TOOL}
        for controller, content in contents.items()
    }
    assert tools == {FRONT_PI.id: {"laser"}, BACK_PI.id: {"saw", "drill"}}


def test_a_tool_with_the_key_of_a_door_is_left_out_wherever_it_hangs():
    carol = replace(KARI, circles=frozenset({LAB_CIRCLE}))
    for controller in CONTROLLERS:
        thief = replace(LASER, key=FRONT.key, controller=controller.id)
        content = derive(replace(facts(carol), tools=(thief,)), 1500, UTC).contents[FRONT_PI.id]
        assert content.points[FRONT.key].kind is PointKind.DOOR
        assert verdict(content, FRONT_PI, FRONT, carol, 1500) is Reason.NO_RIGHT


def test_what_a_point_demands_is_what_its_controller_is_told():
    demands = Demands(3600, 7200, requires_fresh=True, min_assurance=Assurance(2))
    crowd = replace(
        facts(),
        doors=(replace(FRONT, demands=demands),),
        tools=(replace(LASER, demands=demands),),
    )
    points = derive(crowd, 0, UTC).contents[FRONT_PI.id].points
    assert points[FRONT.key] == Point(
        FRONT.key, PointKind.DOOR, 5, 3600, 7200, True, Assurance.MUTUAL_AUTHENTICATION
    )
    assert points[PointKey("laser")] == Point(
        PointKey("laser"), PointKind.TOOL, 60, 3600, 7200, True, Assurance.MUTUAL_AUTHENTICATION
    )


def test_a_break_glass_card_works_however_old_the_rights_are_and_opens_nothing_else():
    ordinary, special = facts(KARI, cards=2).cards
    cards = (ordinary, replace(special, is_break_glass=True))
    content = derive(replace(facts(KARI), cards=cards), 1500, UTC).contents[FRONT_PI.id]
    old = Moment(1600, is_trusted=False, age_ms=8 * 24 * 3600 * 1000)

    def said(card: Card, place: Door) -> Reason:
        right = content.entries.get(entry(FRONT_PI.entry_key, card.site_digest))
        return decide(content.points[place.key], right, Assurance.UID, old).reason

    assert said(ordinary, FRONT) is Reason.TOO_STALE
    assert said(special, FRONT) is Reason.ALLOWED
    away = replace(KARI, circles=frozenset[CircleRef]())
    outside = derive(replace(facts(away), cards=cards), 1500, UTC).contents[FRONT_PI.id]
    assert not outside.entries


def test_more_break_glass_cards_than_a_controller_takes_are_not_published():
    cards = tuple(replace(card, is_break_glass=True) for card in facts(KARI, cards=6).cards)
    content = derive(replace(facts(KARI), cards=cards), 1500, UTC).contents[FRONT_PI.id]
    with pytest.raises(TooLarge, match="5 break-glass cards"):
        content_digest(FRONT_PI, content)


OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2026, 6, 3, 12, 0, tzinfo=OSLO)
"""A Wednesday in summer."""


def unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def open_house(*hours: WeeklyHours, demands: Demands | None = None) -> Facts:
    door = replace(FRONT, open_hours=hours, demands=demands or FRONT.demands)
    return replace(facts(), doors=(door,))


def front(of: Facts, at: datetime) -> Point:
    return derive(of, unix_ms(at), OSLO).contents[FRONT_PI.id].points[FRONT.key]


def test_a_door_stands_open_in_its_hours_by_the_clock_on_the_wall():
    point = front(open_house(WeeklyHours(2, 18 * 60, 22 * 60)), NOON)

    def is_open(at: datetime) -> bool:
        return stands_open(point, Moment(unix_ms(at), is_trusted=True)) is not None

    next_tuesday = datetime(2026, 6, 9, tzinfo=OSLO)
    assert not is_open(next_tuesday.replace(hour=17, minute=59, second=59))
    assert is_open(next_tuesday.replace(hour=18))
    assert is_open(next_tuesday.replace(hour=21, minute=59, second=59))
    assert not is_open(next_tuesday.replace(hour=22))
    assert not is_open(next_tuesday.replace(day=10, hour=18))


def test_the_hours_reach_a_week_further_than_the_rights_do():
    for days in (7, 30, 90):
        crowd = open_house(WeeklyHours(3, 0, 60), demands=Demands(3600, days * 24 * 3600))
        for at in (NOON - timedelta(days=2, hours=12), NOON, NOON + timedelta(days=4)):
            last = front(crowd, at).open_hours[-1]
            # A week less what lies between the last Wednesday and the end of what is written out.
            assert last.end_ms >= unix_ms(at) + days * 24 * 3600 * 1000


def test_the_content_changes_on_monday_at_midnight_and_at_no_other_time():
    crowd = open_house(WeeklyHours(2, 18 * 60, 22 * 60), WeeklyHours(7, 23 * 60, 26 * 60))
    hours = [NOON + timedelta(hours=number) for number in range(15 * 24)]
    contents = [derive(crowd, unix_ms(at), OSLO) for at in hours]
    changes = [
        later
        for (before, _), (after, later) in pairwise(zip(contents, hours, strict=True))
        if before.contents != after.contents
    ]
    mondays = [datetime(2026, 6, day, tzinfo=OSLO) for day in (8, 15)]
    assert changes == mondays
    assert contents[0].next_change_ms == unix_ms(mondays[0])
    assert derive(facts(), unix_ms(NOON), OSLO).next_change_ms is None


def test_the_most_hours_at_the_longest_limit_still_fit_into_a_snapshot():
    hours = tuple(
        WeeklyHours(day, quarter * 360, quarter * 360 + 300)
        for day in range(1, 8)
        for quarter in range(4)
    )
    doors = tuple(
        Door(PointKey(f"d{n}"), FRONT_PI.id, 5, frozenset(), Demands(3600, 90 * 24 * 3600), hours)
        for n in range(50)
    )
    content = derive(replace(facts(), doors=doors), unix_ms(NOON), OSLO).contents[FRONT_PI.id]
    assert len(content_digest(FRONT_PI, content)) == 32
    assert len(content.points[PointKey("d0")].open_hours) < 1000
