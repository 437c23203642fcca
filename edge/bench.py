"""What a technician at the device may ask of the running daemon: how it is, what it would say to a
card, and to move a relay once.

Whoever reaches the socket is the daemon's own user or root. What moves a relay is recorded first,
as always; nothing here decides who may in.
"""

import asyncio
from collections.abc import Mapping

from edge.assembly import House
from edge.lease import LEASE_MS_MAX, GrantId
from edge.status import WAIT_SECONDS_MAX
from sync.events import EventKind, Occurrence
from sync.ids import PointKey

PULSE_SECONDS = LEASE_MS_MAX / 1000 * 0.8
MOVE_SECONDS = 2.0
"""A relay that has not moved by then does not move."""

LOOK_SECONDS = 0.005


class Refused(Exception):
    """What can't be done, in words for the technician."""


async def answer(house: House, question: Mapping[str, object]) -> Mapping[str, object]:
    """The answer to a question; `refused` and why, if there is none."""
    try:
        match question.get("ask"):
            case None | "status":
                return house.health.state()
            case "rights":
                return await _rights(house, question)
            case "self-test":
                return await _self_test(house, question)
            case _:
                raise Refused("the daemon doesn't know this question: is it an older one?")
    except Refused as refused:
        return {"refused": str(refused)}


async def _rights(house: House, question: Mapping[str, object]) -> Mapping[str, object]:
    """What would be said to the next card on a reader; nothing moves, and nothing is recorded."""
    inside, point = house.health.inside, _point(house, question)
    if inside is None:
        raise Refused("not now: the controller isn't enrolled, or its store can't be opened")
    seconds = question.get("seconds")
    if type(seconds) is not int or not 1 <= seconds <= WAIT_SECONDS_MAX:  # a bool is no number
        raise Refused(f"seconds: expected a whole number from 1 to {WAIT_SECONDS_MAX}")
    try:
        async with asyncio.timeout(seconds):
            return await inside.entrances[point].ask()
    except TimeoutError:
        raise Refused(f"no card was read at {point} within {seconds} s") from None


async def _self_test(house: House, question: Mapping[str, object]) -> Mapping[str, object]:
    """Moves a locked point's relay for less than half a second, and times it."""
    inside, point = house.health.inside, _point(house, question)
    state = str(house.posts[point].status()["state"])
    if inside is None or state != "locked":
        raise Refused(f"{point} is {state}: only a locked point's relay is tested")
    told = Occurrence(EventKind.SELF_TESTED, point=point)
    unrecorded = await inside.recorder.record(told)
    if unrecorded is not None:
        raise Refused(f"it can't be recorded ({unrecorded}), so the relay stays where it is")
    loop = asyncio.get_running_loop()
    began = loop.time()
    grant = GrantId(house.outside.random_bytes(16).hex())
    if not house.relays.lease(point, grant, began + PULSE_SECONDS):
        raise Refused("the relay guard can't be asked now")
    on_ms = await _moved(house, point, began, is_on=True)
    off_ms = await _moved(house, point, began + PULSE_SECONDS, is_on=False)
    return {"point": point, "on_after_ms": on_ms, "off_after_ms": off_ms}


async def _moved(house: House, point: PointKey, since: float, *, is_on: bool) -> int:
    """After how many milliseconds the guard says so."""
    loop = asyncio.get_running_loop()
    while house.relays.is_on(point) is not is_on:
        if loop.time() - since > MOVE_SECONDS:
            raise Refused(f"the relay of {point} did not go {'on' if is_on else 'off'}")
        await asyncio.sleep(LOOK_SECONDS)
    return max(0, round((loop.time() - since) * 1000))


def _point(house: House, question: Mapping[str, object]) -> PointKey:
    named = question.get("point")
    point = PointKey(named if isinstance(named, str) else "")
    if point not in house.posts:
        known = ", ".join(house.posts)
        raise Refused(f"there is no door or tool {named!r} here; there are: {known}")
    return point
