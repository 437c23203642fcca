"""What a change does to who may use what: before it is saved. Pure.

Compares the facts before the change with those after it; who may use a point is asked of the rule
each time. So it tells the truth about any change, whatever it was.
"""

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from console.rights.facts import Door, Person, Tool, WeeklyHours
from console.rights.missing import Access, access_to_door, access_to_tool
from console.rights.verdict import key_of
from console.rights.weekly_hours import words
from sync.ids import AccountRef, PointKey


class Rules(Struct, frozen=True):
    """The facts that say who may use what: people, and doors and tools by their circles."""

    people: tuple[Person, ...]
    doors: tuple[Door, ...]
    tools: tuple[Tool, ...]


class Concern(Struct, frozen=True):
    """A person and a door or tool. `point`: of a tool that no controller powers, as `key_of`."""

    account: AccountRef
    point: PointKey


class Effect(Struct, frozen=True):
    """What a change does at the moment at which it is asked.

    `keeps`: may use it as before, but for another reason. `waits`: would get it (or lose it), but
    has no membership now, so that nothing changes yet. `hours`: when each door of which that
    changes will stand unlocked for everybody.
    """

    gains: frozenset[Concern]
    loses: frozenset[Concern]
    keeps: frozenset[Concern]
    waits: frozenset[Concern]
    hours: Mapping[PointKey, tuple[WeeklyHours, ...]] = MappingProxyType({})

    @property
    def is_nothing(self) -> bool:
        """Whether nobody gains or loses anything, nor does everybody."""
        return not self.gains and not self.loses and not self.hours

    @property
    def seen(self) -> str:
        """Names the effect: a form tells by it which one somebody has seen before she saves."""
        told: list[object] = [
            sorted((concern.account, concern.point) for concern in concerns)
            for concerns in (self.gains, self.loses, self.waits)
        ]
        if self.hours:
            told.append(sorted((door, words(*hours)) for door, hours in self.hours.items()))
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def effect(before: Rules, after: Rules, now_ms: int) -> Effect:
    """Who gains and who loses what."""
    was, will_be = _in_question(before, after), _in_question(after, before)
    gains: set[Concern] = set()
    loses: set[Concern] = set()
    keeps: set[Concern] = set()
    waits: set[Concern] = set()
    for concern in was.keys() | will_be.keys():
        old, new = was.get(concern, _NOTHING), will_be.get(concern, _NOTHING)
        if old.rests_on() == new.rests_on():
            continue
        could, can = old.access(now_ms), new.access(now_ms)
        if can and not could:
            gains.add(concern)
        elif could and not can:
            loses.add(concern)
        elif can:
            keeps.add(concern)
        elif old.is_enough() != new.is_enough():
            waits.add(concern)
    return Effect(
        frozenset(gains),
        frozenset(loses),
        frozenset(keeps),
        frozenset(waits),
        _hours(before, after),
    )


def _hours(before: Rules, after: Rules) -> Mapping[PointKey, tuple[WeeklyHours, ...]]:
    """Of each door of which they differ. A door that is gone stands open no more."""
    were = {door.key: door.open_hours for door in before.doors if door.open_hours}
    will_be = {door.key: door.open_hours for door in after.doors if door.open_hours}
    doors = were.keys() | will_be.keys()
    return {
        door: will_be.get(door, ())
        for door in sorted(doors)
        if {*were.get(door, ())} != {*will_be.get(door, ())}
    }


class _Question(Struct, frozen=True):
    """A person and a place, before or after. None: there is no such person or place."""

    person: Person | None
    place: Door | Tool | None

    def rests_on(self) -> object:
        """All that the rule can look at: equal ones have equal answers."""
        if self.person is None or self.place is None:
            return None
        person, place = self.person, self.place
        circles = place.circles if isinstance(place, Door) else {place.circle}
        hers = frozenset(person.circles & circles)
        return (person.is_employed, hers, person.paid, place.demands)

    def access(self, now_ms: int) -> bool:
        """Whether she may use it now."""
        access = self._access(now_ms)
        return access is not None and access.decision.is_allowed

    def is_enough(self) -> bool:
        """Whether she could if she paid."""
        access = self._access(0)
        return access is not None and access.verdict.ground.is_enough

    def _access(self, now_ms: int) -> Access | None:
        if self.person is None or self.place is None:
            return None
        if isinstance(self.place, Door):
            return access_to_door(self.person, self.place, now_ms)
        return access_to_tool(self.person, self.place, now_ms)


_NOTHING = _Question(None, None)


def _in_question(rules: Rules, other: Rules) -> Mapping[Concern, _Question]:
    """Of whatever differs between the two; the rest can't make a difference."""
    places: list[tuple[PointKey, Door | Tool]] = [(door.key, door) for door in rules.doors]
    places += [(key_of(tool), tool) for tool in rules.tools]
    same_people, same_places = frozenset(other.people), {*other.doors, *other.tools}
    changed = [(key, place) for key, place in places if place not in same_places]
    return {
        Concern(person.account, key): _Question(person, place)
        for person in rules.people
        for key, place in (changed if person in same_people else places)
    }
