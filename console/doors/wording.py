"""What pages say about an opening. Pure."""

from datetime import datetime

from console.controllers.order_wording import no_answer, refusal
from console.controllers.orders import NoAnswer, Refused
from console.doors.opening import Failed, NoSuchDoor, Opened
from console.words import Text, decimal


def outcome_words(outcome: Opened | Refused | NoAnswer | Failed | NoSuchDoor, now: datetime) -> str:
    """What became of an opening that the rule allowed, in a sentence or two."""
    match outcome:
        case Opened(after_seconds):
            return Text("Opened after {seconds} s.", seconds=decimal(after_seconds))
        case Refused(detail):
            return Text("The controller refused: {why}", why=refusal(detail))
        case NoAnswer() as silence:
            return no_answer(silence, now, then=Text(": use your card"))
        case Failed(words):
            return words
        case NoSuchDoor():
            return Text("There is no such door any more, or no controller for it.")
