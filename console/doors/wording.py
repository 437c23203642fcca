"""What pages say about who may open a door: why, why not, and what would change it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from console.controllers.order_wording import no_answer, refusal
from console.controllers.orders import NoAnswer, Refused
from console.doors.opening import Failed, NotAllowed, Opened, Outcome
from console.rights.access import Answer
from console.web import times
from sync.rights import Reason

_EPOCH = datetime.fromtimestamp(0, UTC)
FOREVER = datetime(3000, 1, 1, tzinfo=UTC)
"""A window that ends later than this is said to have no end."""


def why(answer: Answer, circles: Sequence[str], now: datetime) -> str:
    """Why somebody may open a door."""
    if answer.is_employed:
        return "works for an active company"
    through = f"in circle {_or(circles)}"
    until = _moment(answer.window.not_after_ms if answer.window else None)
    return through if until is None else f"{through}, until {times.day_and_time(until, now)}"


def why_not(answer: Answer, door: str, now: datetime) -> str:
    """Why somebody may not open the door."""
    match answer.decision.reason:
        case Reason.EXPIRED:
            ended = _moment(answer.window.not_after_ms if answer.window else None)
            when = f" {times.day_and_time(ended, now)}" if ended else ""
            return f"Your membership ended{when}, the day of slack included."
        case Reason.NOT_YET_VALID:
            begins = _moment(answer.window.not_before_ms if answer.window else None)
            return (
                f"Your membership begins {times.day_and_time(begins, now) if begins else 'later'}."
            )
        case Reason.ASSURANCE_TOO_LOW:
            return f"{door} opens only for cards that are hard to copy, and never from here."
        case _ if answer.is_in_circle:
            return "You have no membership."
        case _ if answer.window is None or answer.window.is_over(_ms(now)):
            return f"You have no membership, and are in no circle that opens {door}."
        case _:
            return f"You are in no circle that opens {door}."


def remedy(answer: Answer, circles: Sequence[str]) -> str:
    """What would change it."""
    circle = f"being added to circle {_or(circles)}" if circles else "working for an active company"
    if answer.decision.reason is Reason.NOT_YET_VALID:
        return "It opens by itself then."
    if answer.decision.reason is Reason.ASSURANCE_TOO_LOW:
        return "A card that proves itself would change that."
    if answer.is_in_circle:
        return "A payment opens it within a second."
    if answer.window is None:
        return f"A payment, and {circle}, would change that."
    return f"{circle[:1].upper()}{circle[1:]} would change that."


def outcome_words(outcome: Outcome, door: str, circles: Sequence[str], now: datetime) -> str:
    """What became of an opening, in a sentence or two."""
    match outcome:
        case Opened(after_seconds):
            return f"Opened after {after_seconds:.1f} s."
        case NotAllowed(answer):
            return f"{why_not(answer, door, now)} {remedy(answer, circles)}"
        case Refused(detail):
            return f"The controller refused: {refusal(detail)}"
        case NoAnswer() as silence:
            return no_answer(silence, now, then=": use your card")
        case Failed(words):
            return words
        case _:
            return "There is no such door any more, or no controller for it."


def _moment(ms: int | None) -> datetime | None:
    if ms is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=ms)
    return None if moment >= FOREVER else moment


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _or(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return " or ".join(quoted) if quoted else "of the door"
