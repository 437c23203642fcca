"""What pages say about who may open a door: why, why not, and what would change it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from console.controllers.order_wording import no_answer, refusal
from console.controllers.orders import NoAnswer, Refused
from console.doors.opening import Failed, NotAllowed, Opened, Outcome
from console.rights.access import Answer
from console.web import times
from console.words import Text, any_of, decimal, quoted
from sync.rights import Reason

_EPOCH = datetime.fromtimestamp(0, UTC)
FOREVER = datetime(3000, 1, 1, tzinfo=UTC)
"""A window that ends later than this is said to have no end."""


def why(answer: Answer, circles: Sequence[str], now: datetime) -> Text:
    """Why somebody may open a door."""
    if answer.is_employed:
        return Text("works for an active company")
    until = _moment(answer.window.not_after_ms if answer.window else None)
    if until is None:
        return Text("in circle {circles}", circles=_or(circles))
    return Text(
        "in circle {circles}, until {time}",
        circles=_or(circles),
        time=times.within_sentence(until, now),
    )


def why_not(answer: Answer, door: str, now: datetime) -> Text:
    """Why somebody may not open the door."""
    match answer.decision.reason:
        case Reason.EXPIRED:
            ended = _moment(answer.window.not_after_ms if answer.window else None)
            if ended is None:
                return Text("Your membership ended, the day of slack included.")
            time = times.within_sentence(ended, now)
            return Text("Your membership ended {time}, the day of slack included.", time=time)
        case Reason.NOT_YET_VALID:
            begins = _moment(answer.window.not_before_ms if answer.window else None)
            if begins is None:
                return Text("Your membership begins later.")
            return Text("Your membership begins {time}.", time=times.within_sentence(begins, now))
        case Reason.ASSURANCE_TOO_LOW:
            return Text(
                "{door} opens only for cards that are hard to copy, and never from here.",
                door=door,
            )
        case _ if answer.is_in_circle:
            return Text("You have no membership.")
        case _ if _pays_no_more(answer, now):
            return Text(
                "You have no membership, and are in no circle that opens {door}.", door=door
            )
        case _:
            return Text("You are in no circle that opens {door}.", door=door)


def remedy(answer: Answer, circles: Sequence[str], now: datetime) -> Text:
    """What would change it."""
    if answer.decision.reason is Reason.NOT_YET_VALID:
        return Text("It opens by itself then.")
    if answer.decision.reason is Reason.ASSURANCE_TOO_LOW:
        return Text("A card that proves itself would change that.")
    if answer.is_in_circle:
        return Text("A payment opens it within a second.")
    circle = (
        Text("being added to circle {circles}", circles=_or(circles))
        if circles
        else Text("working for an active company")
    )
    if _pays_no_more(answer, now):
        return Text("A payment, and {circle}, would change that.", circle=circle)
    return Text("{circle} would change that.", circle=circle.capital())


def _pays_no_more(answer: Answer, now: datetime) -> bool:
    return answer.window is None or answer.window.is_over(_ms(now))


def outcome_words(outcome: Outcome, door: str, circles: Sequence[str], now: datetime) -> str:
    """What became of an opening, in a sentence or two."""
    match outcome:
        case Opened(after_seconds):
            return Text("Opened after {seconds} s.", seconds=decimal(after_seconds))
        case NotAllowed(answer):
            return Text.joined([why_not(answer, door, now), remedy(answer, circles, now)])
        case Refused(detail):
            return Text("The controller refused: {why}", why=refusal(detail))
        case NoAnswer() as silence:
            return no_answer(silence, now, then=Text(": use your card"))
        case Failed(words):
            return words
        case _:
            return Text("There is no such door any more, or no controller for it.")


def _moment(ms: int | None) -> datetime | None:
    if ms is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=ms)
    return None if moment >= FOREVER else moment


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _or(names: Sequence[str]) -> str:
    return any_of(quoted(name) for name in names) or Text("of the door")
