"""What a change does, told before it is saved: who gains, who loses, who keeps."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from console.rights.facts import CircleRef, Demands, Door, Person, Tool, WeeklyHours
from console.rights.preview import Concern, Effect, Rules, effect
from console.rights.verdict import key_of
from sync.ids import AccountRef, PointKey
from sync.rights import Assurance
from tests.console.test_derive import (
    DOOR_CIRCLE,
    DOORS,
    FRONT,
    KARI,
    LAB,
    LAB_CIRCLE,
    SIDE,
    TOOLS,
    instants,
    oracle,
    people,
)

NOW = 1500
HER_FRONT = Concern(KARI.account, PointKey("front"))


def rules(
    *crowd: Person, doors: tuple[Door, ...] = DOORS, tools: tuple[Tool, ...] = TOOLS
) -> Rules:
    return Rules(crowd, doors, tools)


def told(before: Rules, after: Rules) -> dict[str, set[str]]:
    found = effect(before, after, NOW)
    return {
        name: {concern.point for concern in concerns}
        for name, concerns in (
            ("gains", found.gains),
            ("loses", found.loses),
            ("keeps", found.keeps),
            ("waits", found.waits),
        )
        if concerns
    }


crowds = st.lists(people, max_size=3, unique_by=lambda person: person.account)
circles = st.frozensets(st.sampled_from([DOOR_CIRCLE, LAB_CIRCLE]))
doors_somehow = st.tuples(*(circles.map(lambda c, d=door: replace(d, circles=c)) for door in DOORS))
tools_somehow = st.tuples(
    *(
        st.sampled_from([None, DOOR_CIRCLE, LAB_CIRCLE]).map(lambda c, t=tool: replace(t, circle=c))
        for tool in TOOLS
    )
)


@given(crowds, crowds, doors_somehow, tools_somehow, instants)
@settings(max_examples=300)
def test_whoever_could_and_will_not_loses_and_the_other_way_round(
    now: list[Person],
    then: list[Person],
    doors: tuple[Door, ...],
    tools: tuple[Tool, ...],
    at: int,
):
    before, after = rules(*now), rules(*then, doors=doors, tools=tools)

    def yes(said: Rules) -> set[Concern]:
        places = [(door.key, door) for door in said.doors]
        places += [(key_of(tool), tool) for tool in said.tools]
        return {
            Concern(person.account, key)
            for person in said.people
            for key, place in places
            if oracle(person, place, at)
        }

    found = effect(before, after, at)
    assert found.gains == yes(after) - yes(before)
    assert found.loses == yes(before) - yes(after)
    assert found.keeps <= yes(before) & yes(after)
    assert not found.waits & (yes(before) | yes(after))


def test_somebody_who_pays_gains_what_her_new_circle_opens():
    outsider = replace(KARI, circles=frozenset[CircleRef]())
    assert told(rules(outsider), rules(KARI)) == {"gains": {"front", "side", "saw"}}
    assert told(rules(KARI), rules(outsider)) == {"loses": {"front", "side", "saw"}}


def test_somebody_who_does_not_pay_waits():
    poor = replace(KARI, paid=())
    joined = replace(poor, circles=frozenset({DOOR_CIRCLE, LAB_CIRCLE}))
    assert told(rules(poor), rules(joined)) == {"waits": {"lab", "laser", "tool-12"}}


def test_an_employee_keeps_the_doors_of_a_circle_that_she_leaves_and_loses_its_tools():
    employee = replace(KARI, is_employed=True)
    left = replace(employee, circles=frozenset[CircleRef]())
    assert told(rules(employee), rules(left)) == {"keeps": {"front", "side"}, "loses": {"saw"}}


def test_a_door_that_asks_for_another_circle_changes_hands():
    carol = replace(KARI, account=AccountRef(7), circles=frozenset({LAB_CIRCLE}))
    moved = tuple(replace(d, circles=frozenset({LAB_CIRCLE})) if d is FRONT else d for d in DOORS)
    found = effect(rules(KARI, carol), rules(KARI, carol, doors=moved), NOW)
    assert found.gains == {Concern(carol.account, PointKey("front"))}
    assert found.loses == {HER_FRONT}


def test_a_tool_without_a_circle_is_lost_to_everybody():
    bare = tuple(replace(tool, circle=None) for tool in TOOLS)
    assert told(rules(KARI), rules(KARI, tools=bare)) == {"loses": {"saw"}}


def test_a_door_that_asks_for_a_better_card_is_lost_from_here():
    strict = replace(SIDE, demands=Demands(min_assurance=Assurance(2)))
    doors = (FRONT, strict, LAB)
    assert told(rules(KARI, doors=(FRONT, SIDE, LAB)), rules(KARI, doors=doors)) == {
        "loses": {"side"}
    }


def test_an_effect_has_the_name_of_what_it_does_and_not_of_how():
    def of(*points: str) -> Effect:
        gains = frozenset(Concern(KARI.account, PointKey(point)) for point in points)
        return Effect(gains, frozenset(), frozenset(), frozenset())

    assert of("front", "lab").seen == of("lab", "front").seen
    assert of("front").seen != of("lab").seen
    assert of("front").seen != structs.replace(of(), loses=of("front").gains).seen
    assert of().is_nothing
    assert of().seen != structs.replace(of(), waits=of("front").gains).seen, "who waits is named"


def test_hours_in_which_a_door_stands_open_are_gained_and_lost_by_everybody():
    evening = WeeklyHours(2, 18 * 60, 22 * 60)
    open_door = replace(FRONT, open_hours=(evening,))
    begins = effect(rules(KARI), rules(KARI, doors=(open_door, *DOORS[1:])), NOW)
    ends = effect(rules(KARI, doors=(open_door, *DOORS[1:])), rules(KARI), NOW)
    assert (begins.hours, ends.hours) == ({FRONT.key: (evening,)}, {FRONT.key: ()})
    assert not begins.is_nothing
    assert len({begins.seen, ends.seen, effect(rules(KARI), rules(KARI), NOW).seen}) == 3
