"""Why somebody may use a point, or may not: the rule from which all rights follow. Pure.

An employee of an active company opens every door. Otherwise she must be paying, and in one of the
door's circles. For a tool she must be in its circle, and paying or employed: at a door, employment
stands for the circle as well, at a tool it doesn't. Source: the contract of the old API, §7.

What is said here holds for a person, whatever card she has. Whether it holds at a given moment is
decided in `sync.rights.decide`.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from console.rights.facts import CircleRef, Door, Facts, Person, Tool
from console.rights.periods import merged
from sync.ids import AccountRef, PointKey


class Ground(StrEnum):
    """On what somebody's access to a point rests; the last one is what she lacks."""

    EMPLOYED = "employed"
    """By an active company. It stands for a door's circle, never for a tool's."""
    CIRCLE = "circle"
    NO_CIRCLE = "no_circle"

    @property
    def is_enough(self) -> bool:
        """Whether she may use the point as long as her window holds."""
        return self is not Ground.NO_CIRCLE


class Window(Struct, frozen=True):
    """When a person's rights hold, in Unix time, both ends included; None is no bound."""

    not_before_ms: int | None = None
    not_after_ms: int | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether it lies in the past."""
        return self.not_after_ms is not None and self.not_after_ms < now_ms

    def has_begun(self, now_ms: int) -> bool:
        """Whether it doesn't lie in the future."""
        return self.not_before_ms is None or self.not_before_ms <= now_ms


ALWAYS = Window()


class Verdict(Struct, frozen=True):
    """What the rule says of a person and a point. `window` None: it is over, or there is none."""

    ground: Ground
    window: Window | None

    @property
    def is_yes(self) -> bool:
        """Whether there is a right at all, now or later."""
        return self.ground.is_enough and self.window is not None

    def holds(self, now_ms: int) -> bool:
        """Whether she pays, or is employed, at that time."""
        window = self.window
        return window is not None and window.has_begun(now_ms) and not window.is_over(now_ms)


class Verdicts(Struct, frozen=True):
    """The same for every point. `granted`: those of which the answer is yes."""

    grounds: Mapping[PointKey, Ground]
    granted: frozenset[PointKey]
    window: Window | None

    def of(self, point: PointKey) -> Verdict:
        """Of one point; of one that isn't known, that she lacks its circle."""
        return Verdict(self.grounds.get(point, Ground.NO_CIRCLE), self.window)


NOTHING = Verdicts({}, frozenset(), None)
"""Of somebody who neither pays nor is employed nor in any circle that a point asks for."""


def verdicts_of(facts: Facts, now_ms: int) -> dict[AccountRef, Verdicts]:
    """The verdicts of everybody on every point, as of `now_ms`. A window that is over is none."""
    doors = {door.key for door in facts.doors}
    # A tool's circle must never open a door.
    tools = [tool for tool in facts.tools if key_of(tool) not in doors]
    # Few people differ in this: so 5,000 of them and 20 points stay cheap.
    known: dict[tuple[bool, frozenset[CircleRef]], Verdicts] = {}
    found: dict[AccountRef, Verdicts] = {}
    for person in facts.people:
        likeness = (person.is_employed, person.circles)
        if likeness not in known:
            grounds = grounds_of(person, facts.doors, tools)
            granted = frozenset(key for key, ground in grounds.items() if ground.is_enough)
            known[likeness] = Verdicts(grounds, granted, None)
        window = window_of(person, now_ms)
        alike = known[likeness]
        if window is not None and not window.is_over(now_ms):
            found[person.account] = Verdicts(alike.grounds, alike.granted, window)
        else:
            found[person.account] = alike
    return found


def grounds_of(
    person: Person, doors: Iterable[Door], tools: Iterable[Tool] = ()
) -> dict[PointKey, Ground]:
    """On what the person's access to each of these rests, whether she pays or not."""
    return {door.key: ground_at_door(person, door) for door in doors} | {
        key_of(tool): ground_at_tool(person, tool) for tool in tools
    }


def opened_by(
    circle: CircleRef, doors: Collection[Door], tools: Iterable[Tool]
) -> frozenset[PointKey]:
    """What somebody may use while she pays, who is in this circle alone and employed by nobody."""
    alone = Person(AccountRef(0), is_employed=False, circles=frozenset({circle}), paid=())
    keys = {door.key for door in doors}
    grounds = grounds_of(alone, doors, (tool for tool in tools if key_of(tool) not in keys))
    return frozenset(key for key, ground in grounds.items() if ground.is_enough)


def ground_at_door(person: Person, door: Door) -> Ground:
    """On what her access to the door rests."""
    if person.is_employed:
        return Ground.EMPLOYED
    return Ground.CIRCLE if person.circles & door.circles else Ground.NO_CIRCLE


def ground_at_tool(person: Person, tool: Tool) -> Ground:
    """On what her access to the tool rests."""
    return Ground.CIRCLE if tool.circle in person.circles else Ground.NO_CIRCLE


def window_of(person: Person, now_ms: int) -> Window | None:
    """When the person's rights hold: the period that holds now, else the next, else the last one.

    None: never. Periods that touch or overlap count as one. A period that has begun gets no
    beginning, so that a controller whose clock runs late doesn't refuse who has paid.
    """
    if person.is_employed:
        return ALWAYS
    periods = merged(person.paid)
    for period in periods:
        if now_ms <= period.end_ms:
            begins_later = period.start_ms > now_ms
            return Window(period.start_ms if begins_later else None, period.end_ms)
    return Window(not_after_ms=periods[-1].end_ms) if periods else None


def key_of(tool: Tool) -> PointKey:
    """Its point's key; where no controller powers it, one that stands for it."""
    return tool.key or PointKey(f"tool-{tool.id}")
