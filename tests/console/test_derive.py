"""Laws of the rights: `derive` and `decide` together say what the rule says, at any instant."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from console.rights.derive import (
    Content,
    content_digest,
    derive,
    merged,
    right_of,
    window_of,
)
from console.rights.facts import Card, CircleRef, Controller, Door, Facts, Paid, Person
from sync.credential import entry, member_ref
from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest
from sync.rights import Assurance, Moment, Reason, decide

FRONT_PI = Controller(ControllerId("front-pi"), b"\x01" * 32)
BACK_PI = Controller(ControllerId("back-pi"), b"\x02" * 32)
DOOR_CIRCLE, LAB_CIRCLE = CircleRef(2), CircleRef(5)
FRONT = Door(PointKey("front"), FRONT_PI.id, 5, frozenset({DOOR_CIRCLE}))
SIDE = Door(PointKey("side"), FRONT_PI.id, 7, frozenset({DOOR_CIRCLE, LAB_CIRCLE}))
LAB = Door(PointKey("lab"), BACK_PI.id, 3, frozenset({LAB_CIRCLE}))
STORE = Door(PointKey("store"), BACK_PI.id, 3, frozenset())
DOORS = (FRONT, SIDE, LAB, STORE)
CONTROLLERS = (FRONT_PI, BACK_PI)
KARI = Person(AccountRef(101), False, frozenset({DOOR_CIRCLE}), (Paid(1000, 2000),))


def digest_of(person: Person, number: int = 0) -> SiteDigest:
    return SiteDigest(bytes([number]) * 8 + person.account.to_bytes(8, "big"))


def facts(*people: Person, cards: int = 1) -> Facts:
    held = [Card(p.account, digest_of(p, number)) for p in people for number in range(cards)]
    return Facts(CONTROLLERS, DOORS, people, tuple(held))


def verdict(
    content: Content, controller: Controller, door: Door, person: Person, at: int
) -> Reason:
    """What the controller says to the person's first card."""
    right = content.entries.get(entry(controller.entry_key, digest_of(person)))
    point = content.points.get(door.key)
    return decide(point, right, Assurance.UID, Moment(at, is_trusted=True)).reason


def oracle(person: Person, door: Door, at: int) -> bool:
    """The rule, as the contract says it: no merging, no windows, no cases."""
    is_paying = any(period.start_ms <= at <= period.end_ms for period in person.paid)
    return person.is_employed or (is_paying and bool(person.circles & door.circles))


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
    contents = derive(facts(*crowd), at).contents
    for controller in CONTROLLERS:
        for door in (d for d in DOORS if d.controller == controller.id):
            for person in crowd:
                said = verdict(contents[controller.id], controller, door, person, at)
                assert (said is Reason.ALLOWED) == oracle(person, door, at)


@given(people, instants)
def test_the_console_says_the_same_as_the_controller(person: Person, at: int):
    for door in DOORS:
        assert door.controller is not None
        point = derive(facts(), at).contents[door.controller].points[door.key]
        answer = decide(point, right_of(person, DOORS, at), Assurance.UID, Moment(at, True))
        assert answer.is_allowed == oracle(person, door, at)


@given(people, instants, instants)
def test_an_old_snapshot_never_lets_in_whom_the_rule_keeps_out(person: Person, made: int, at: int):
    made, at = sorted((made, at))
    contents = derive(facts(person), made).contents
    for door in DOORS:
        controller = next(c for c in CONTROLLERS if c.id == door.controller)
        if verdict(contents[controller.id], controller, door, person, at) is Reason.ALLOWED:
            assert oracle(person, door, at)


@given(people, instants)
@settings(max_examples=300)
def test_nothing_changes_by_time_before_the_next_change(person: Person, at: int):
    before = derive(facts(person), at)
    until = 70 if before.next_change_ms is None else before.next_change_ms
    assert until > at
    for later in range(at, until):
        assert derive(facts(person), later).contents == before.contents


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
    content = derive(facts(KARI), 900).contents[FRONT_PI.id]
    assert verdict(content, FRONT_PI, FRONT, KARI, 999) is Reason.NOT_YET_VALID
    assert verdict(content, FRONT_PI, FRONT, KARI, 1000) is Reason.ALLOWED
    assert verdict(content, FRONT_PI, FRONT, KARI, 2001) is Reason.EXPIRED


def test_every_card_of_a_person_carries_the_right_and_no_stranger_stands_in_a_snapshot():
    outsider = Person(AccountRef(102), False, frozenset(), (Paid(0, 9999),))
    ended = replace(KARI, account=AccountRef(103), paid=(Paid(0, 999),))
    contents = derive(facts(KARI, outsider, ended, cards=3), 1500).contents
    front = contents[FRONT_PI.id]
    member = member_ref(FRONT_PI.entry_key, KARI.account)
    assert {right.member for right in front.entries.values()} == {member}
    assert len(front.entries) == 3
    assert not contents[BACK_PI.id].entries


def test_a_card_of_an_account_that_is_gone_carries_nothing():
    orphan = Card(AccountRef(999), SiteDigest(b"\x09" * 16))
    crowd = replace(facts(KARI), cards=(orphan,))
    assert not derive(crowd, 1500).contents[FRONT_PI.id].entries


def test_an_employee_opens_every_door_for_as_long_as_it_lasts():
    employee = replace(KARI, is_employed=True, circles=frozenset[CircleRef](), paid=())
    derived = derive(facts(employee), 5)
    assert derived.next_change_ms is None
    for controller in CONTROLLERS:
        (right,) = derived.contents[controller.id].entries.values()
        assert right.points == {d.key for d in DOORS if d.controller == controller.id}
        assert (right.not_before_ms, right.not_after_ms) == (None, None)


def test_the_content_digest_names_the_content():
    content = derive(facts(KARI), 1500).contents[FRONT_PI.id]
    again = derive(facts(KARI), 1600).contents[FRONT_PI.id]
    assert content_digest(FRONT_PI, content) == content_digest(FRONT_PI, again)
    longer = derive(facts(replace(KARI, paid=(Paid(1000, 2001),))), 1500).contents[FRONT_PI.id]
    assert content_digest(FRONT_PI, content) != content_digest(FRONT_PI, longer)
