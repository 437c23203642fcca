"""A tap explained: what is said is what the rule says, on the rights of that time."""

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from console.rights.derive import derive, numbered
from console.rights.explain import CardThen, Check, Explained, Mark, Step, Tap, explain
from console.rights.facts import Demands, Door, Facts, Person
from console.rights.missing import access_to_door, access_to_tool
from console.rights.verdict import NOTHING, Ground, Verdict, Window
from sync.credential import entry
from sync.ids import ControllerId, Entry, Epoch, PointKey, Serial
from sync.rights import (
    Assurance,
    Moment,
    Point,
    PointKind,
    Reason,
    Right,
    decide,
)
from sync.rights import (
    Window as Hours,
)
from sync.snapshot import Snapshot
from tests.console.test_derive import (
    CONTROLLERS,
    DOORS,
    FRONT,
    FRONT_PI,
    KARI,
    TOOLS,
    digest_of,
    facts,
    instants,
    people,
)

HERS = CardThen(has_owner=True)
PLACES = [place for place in (*DOORS, *TOOLS) if place.key is not None]
demands = st.builds(
    Demands,
    soft_seconds=st.just(3600),
    hard_seconds=st.just(7200),
    requires_fresh=st.booleans(),
    min_assurance=st.sampled_from(Assurance),
)
NAME = Entry(b"\x01" * 16)
instants_around = st.one_of(st.none(), st.integers(9_000, 11_000))
points = st.builds(
    Point,
    key=st.sampled_from([PointKey("front"), PointKey("side")]),
    kind=st.sampled_from(PointKind),
    unlock_seconds=st.just(5),
    soft_seconds=st.just(3600),
    hard_seconds=st.just(7200),
    requires_fresh=st.booleans(),
    min_assurance=st.sampled_from(Assurance),
)
rights = st.builds(
    Right,
    member=st.just(b"\x00" * 8),
    points=st.frozensets(st.sampled_from([PointKey("front"), PointKey("side")])),
    schedule=st.sampled_from([None, (), (Hours(9_500, 10_500),)]),
    not_before_ms=instants_around,
    not_after_ms=instants_around,
    is_break_glass=st.booleans(),
)
ages_ms = st.sampled_from([0, 3_600_000, 7_200_000])


def snapshot(places: list[Point], entries: dict[Entry, Right]) -> Snapshot:
    return Snapshot(
        ControllerId("front-pi"),
        Epoch(1),
        Serial(1),
        0,
        None,
        {point.key: point for point in places},
        entries,
    )


def tap(answered: str, *, at: int = 10_000, name: Entry | None = NAME, trusted: bool = True) -> Tap:
    return Tap(PointKey("front"), answered, name, Assurance.UID, at, trusted)


def told(
    answered: str,
    rights_then: Snapshot | None,
    *,
    card: CardThen = HERS,
    verdict: Verdict | None = None,
    asked: bool = True,
    at: int = 10_000,
) -> Explained:
    return explain(
        tap(answered, at=at), rights_then, card=card, verdict=verdict, names_rights=asked
    )


def marks(explained: Explained) -> dict[Check, Mark]:
    return {step.check: step.mark for step in explained.steps}


@given(
    st.lists(points, max_size=2, unique_by=lambda point: point.key),
    st.one_of(st.none(), rights),
    st.integers(8_000, 12_000),
    st.booleans(),
    ages_ms,
    st.sampled_from(Assurance),
)
@settings(max_examples=600)
def test_explain_and_decide_never_disagree(
    places: list[Point],
    right: Right | None,
    at: int,
    trusted: bool,
    age_ms: int,
    assurance: Assurance,
):
    """Whatever a controller answers by the rule, the explanation gives that very reason."""
    rights_then = snapshot(places, {} if right is None else {NAME: right})
    point = rights_then.points.get(PointKey("front"))
    said = decide(point, right, assurance, Moment(at, trusted, age_ms)).reason
    asked = Tap(PointKey("front"), said, NAME, assurance, at, trusted)
    explained = explain(asked, rights_then, card=HERS, verdict=None, names_rights=True)
    assert (explained.replayed, explained.agrees) == (said, True)
    noes = [step for step in explained.steps if step.mark is Mark.NO]
    is_told_by_the_verdict = said is Reason.UNKNOWN_CARD
    assert len(noes) == (0 if said is Reason.ALLOWED or is_told_by_the_verdict else 1)
    if said is Reason.ALLOWED:
        assert {step.mark for step in explained.steps} == {Mark.YES}
    elif noes:
        before, _, after = _around(explained.steps, noes[0])
        assert {step.mark for step in before} <= {Mark.YES}
        assert {step.mark for step in after} <= {Mark.NOT_ASKED}


def _around(steps: tuple[Step, ...], one: Step) -> tuple[tuple[Step, ...], Step, tuple[Step, ...]]:
    index = steps.index(one)
    return steps[:index], one, steps[index + 1 :]


@given(st.lists(people, min_size=1, max_size=3, unique_by=lambda p: p.account), instants)
@settings(max_examples=200)
def test_a_tap_on_what_was_published_is_explained_by_the_verdicts_of_then(
    crowd: list[Person], at: int
):
    """From the facts: each no of the controller has a no in the explanation, and each yes none."""
    derived = derive(facts(*crowd), at, UTC)
    for place in (place for place in PLACES if place.controller is not None):
        controller = next(c for c in CONTROLLERS if c.id == place.controller)
        rights_then = numbered(
            controller.id, derived.contents[controller.id], Epoch(1), Serial(1), at, None
        )
        for person in crowd:
            assert place.key is not None
            name = entry(controller.entry_key, digest_of(person))
            right, point = rights_then.entries.get(name), rights_then.points.get(place.key)
            said = decide(point, right, Assurance.UID, Moment(at, is_trusted=True)).reason
            explained = explain(
                Tap(place.key, said, name, Assurance.UID, at, is_trusted=True),
                rights_then,
                card=HERS,
                verdict=derived.verdicts[person.account].of(place.key),
                names_rights=True,
            )
            assert explained.agrees
            has_no = any(step.mark is Mark.NO for step in explained.steps)
            assert has_no == (said is not Reason.ALLOWED)
            assert Mark.NOT_KEPT not in {step.mark for step in explained.steps}


@given(people, instants, demands)
@settings(max_examples=200)
def test_something_is_missing_exactly_where_the_rule_says_no(
    person: Person, at: int, asked: Demands
):
    for place in (*DOORS, *TOOLS):
        with_demands = replace(place, demands=asked)
        access = (
            access_to_door(person, with_demands, at)
            if isinstance(with_demands, Door)
            else access_to_tool(person, with_demands, at)
        )
        assert access.decision.is_allowed == (access.missing == ())


def everything(demanding: Demands = Demands()) -> Snapshot:  # noqa: B008 -- frozen
    crowd = Facts(CONTROLLERS, (replace(FRONT, demands=demanding),), (KARI,), facts(KARI).cards)
    content = derive(crowd, 1500, UTC).contents[FRONT_PI.id]
    right = content.entries[entry(FRONT_PI.entry_key, digest_of(KARI))]
    return snapshot(list(content.points.values()), {NAME: right})


def test_a_yes_has_a_reason_for_each_question():
    explained = told("allowed", everything(), at=1500)
    assert marks(explained) == dict.fromkeys(
        (Check.POINT, Check.CARD, Check.NOT_LOST, Check.GROUND, Check.AGE, Check.MEMBERSHIP),
        Mark.YES,
    )


def test_a_membership_that_ended_is_the_step_that_decided():
    assert marks(told("expired", everything(), at=2001))[Check.MEMBERSHIP] is Mark.NO


def test_a_record_that_bears_a_moment_just_after_the_end_is_no_contradiction():
    explained = told("allowed", everything(), at=2900)
    assert (explained.replayed, explained.agrees) == (Reason.ALLOWED, True)
    assert told("allowed", everything(), at=3001).agrees is False


@pytest.mark.parametrize(
    ("card", "verdict", "expected"),
    [
        (
            CardThen(has_owner=False),
            None,
            {Check.CARD: Mark.NO, Check.NOT_LOST: Mark.NOT_ASKED, Check.GROUND: Mark.NOT_ASKED},
        ),
        (
            CardThen(has_owner=True, is_lost=True),
            Verdict(Ground.CIRCLE, Window()),
            {Check.CARD: Mark.YES, Check.NOT_LOST: Mark.NO, Check.MEMBERSHIP: Mark.NOT_ASKED},
        ),
        (
            HERS,
            Verdict(Ground.CIRCLE, None),
            {Check.NOT_LOST: Mark.YES, Check.MEMBERSHIP: Mark.NO, Check.GROUND: Mark.YES},
        ),
        (
            HERS,
            Verdict(Ground.NO_CIRCLE, Window()),
            {Check.MEMBERSHIP: Mark.YES, Check.GROUND: Mark.NO},
        ),
        (
            HERS,
            Verdict(Ground.NO_CIRCLE, Window(not_before_ms=20_000)),
            {Check.MEMBERSHIP: Mark.NO, Check.GROUND: Mark.NO},
        ),
        (HERS, NOTHING.of(PointKey("front")), {Check.MEMBERSHIP: Mark.NO, Check.GROUND: Mark.NO}),
        (HERS, None, {Check.MEMBERSHIP: Mark.NOT_KEPT, Check.GROUND: Mark.NOT_KEPT}),
    ],
    ids=["nobody's", "lost", "not paying", "no circle", "not yet", "neither", "not kept"],
)
def test_a_card_without_an_entry_is_explained_by_what_was_so_at_that_time(
    card: CardThen, verdict: Verdict | None, expected: dict[Check, Mark]
):
    empty = replace(everything(), entries={})
    explained = told("unknown_card", empty, card=card, verdict=verdict)
    assert expected.items() <= marks(explained).items()
    assert explained.agrees


def test_a_controller_that_says_something_else_than_its_rights_is_found_out():
    for answered, rights_then, at in (
        ("unknown_card", everything(), 1500),
        ("allowed", replace(everything(), entries={}), 1500),
        ("expired", everything(), 1500),
        ("too_stale", replace(everything(), points={}), 1500),
    ):
        explained = told(answered, rights_then, at=at)
        assert explained.agrees is False
        assert explained.replayed is not None
        assert explained.replayed != answered


def test_how_old_its_rights_were_only_the_controller_knows():
    strict = everything(Demands(3600, 7200, requires_fresh=True))
    for answered, check in (("too_stale", Check.AGE), ("not_fresh", Check.FRESH)):
        explained = told(answered, strict, at=1500)
        assert explained.agrees
        assert marks(explained)[check] is Mark.NO


def test_a_door_that_is_locked_down_asks_no_rule():
    explained = told("locked_down", None, asked=False)
    assert (explained.replayed, explained.agrees) == (None, None)
    assert marks(explained)[Check.READY] is Mark.NO
    assert marks(explained)[Check.GROUND] is Mark.NOT_ASKED


@pytest.mark.parametrize(
    ("answered", "check"),
    [("in_use", Check.FREE), ("storage_slow", Check.DONE), ("something_newer", Check.DONE)],
)
def test_what_stood_in_the_way_after_a_yes_comes_last(answered: str, check: Check):
    explained = told(answered, everything(), at=1500)
    assert explained.replayed is Reason.ALLOWED
    assert explained.agrees is None
    assert explained.steps[-1] == Step(check, Mark.NO)


def test_a_yes_that_was_withdrawn_is_no_contradiction():
    withdrawn = structs.replace(tap("unknown_card", at=1500), is_withdrawn=True)
    explained = explain(withdrawn, everything(), card=HERS, verdict=None, names_rights=True)
    assert (explained.agrees, explained.steps[-1].check) == (None, Check.DONE)


@pytest.mark.parametrize("answered", ["allowed", "unknown_card", "expired"])
def test_an_answer_of_the_rule_without_a_number_of_rights_has_rights_that_are_not_kept(
    answered: str,
):
    nameless, kept_no_more = told(answered, None, asked=False), told(answered, None)
    assert nameless == kept_no_more
    assert not nameless.has_own_reason


def test_without_the_snapshot_only_what_the_controller_said_is_told():
    assert told("expired", None).steps == (Step(Check.MEMBERSHIP, Mark.NO),)
    assert Mark.NOT_KEPT in marks(told("allowed", None)).values()
    neither = told("unknown_card", None, verdict=Verdict(Ground.NO_CIRCLE, None))
    assert marks(neither)[Check.GROUND] is Mark.NO
