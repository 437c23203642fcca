"""What somebody would need to use a door or tool. Pure.

The answer itself is `sync.rights.decide`'s; here is only what stands in its way.
"""

from enum import StrEnum

from msgspec import Struct

from console.rights.access import Answer, weigh, weigh_tool
from console.rights.derive import point, tool_point
from console.rights.facts import Door, Person, Tool
from console.rights.verdict import Ground, Verdict, ground_at_door, ground_at_tool
from sync.rights import Assurance, Decision, Point


class Missing(StrEnum):
    """Each of them has to be there."""

    CIRCLE = "circle"
    """To be in one of its circles, or for a door to work for an active company."""
    PAYMENT = "payment"
    TIME = "time"
    """The membership begins later."""
    BETTER_CARD = "better_card"


class Access(Struct, frozen=True):
    """What holds now for one person at one point. `missing` is empty where the answer is yes.

    The verdict's window may be over: it then says since when.
    """

    point: Point
    verdict: Verdict
    decision: Decision
    missing: tuple[Missing, ...]


def access_to_door(person: Person, door: Door, now_ms: int) -> Access:
    """What holds for the person at the door."""
    return _access(point(door), ground_at_door(person, door), weigh(person, door, now_ms), now_ms)


def access_to_tool(person: Person, tool: Tool, now_ms: int) -> Access:
    """What holds for the person at the tool."""
    answer = weigh_tool(person, tool, now_ms)
    return _access(tool_point(tool), ground_at_tool(person, tool), answer, now_ms)


def _access(place: Point, ground: Ground, answer: Answer, now_ms: int) -> Access:
    verdict = Verdict(ground, answer.window)
    return Access(place, verdict, answer.decision, _missing(verdict, place, now_ms))


def _missing(verdict: Verdict, place: Point, now_ms: int) -> tuple[Missing, ...]:
    missing: list[Missing] = []
    if verdict.window is None or verdict.window.is_over(now_ms):
        missing.append(Missing.PAYMENT)
    elif not verdict.window.has_begun(now_ms):
        missing.append(Missing.TIME)
    if not verdict.ground.is_enough:
        missing.append(Missing.CIRCLE)
    if place.min_assurance > Assurance.UID:
        missing.append(Missing.BETTER_CARD)
    return tuple(missing)
