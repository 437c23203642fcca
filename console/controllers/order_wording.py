"""What pages say became of an order. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from console.controllers.order import Order
from console.controllers.orders import Answered, Done, NoAnswer, Refused
from console.controllers.shown import Shown
from console.events.wording import UNRECORDED, Whose, two_sentences, wording
from console.web import times
from console.words import Text, decimal
from sync.commands import SHUTTING, Operation
from sync.rights import PointKind, Reason

_DONE: Mapping[tuple[PointKind, Operation], Text] = MappingProxyType(
    {
        (PointKind.DOOR, Operation.LOCK): Text("Back to normal: cards decide again"),
        (PointKind.DOOR, Operation.LOCKDOWN): Text(
            "Locked down: nobody gets in until it is set back"
        ),
        (PointKind.DOOR, Operation.OUT_OF_SERVICE): Text("Out of service until it is set back"),
        (PointKind.TOOL, Operation.LOCK): Text("Back to normal: cards decide again"),
        (PointKind.TOOL, Operation.OUT_OF_SERVICE): (
            Text(
                "Out of service until it is set back."
                " If it runs, it is stopped when it is next idle"
            )
        ),
        (
            PointKind.TOOL,
            Operation.STOP_NOW,
        ): Text("Without power and out of service until it is set back"),
    }
)


def answer_shown(answered: Answered, order: Order, now: datetime) -> Shown:
    """What became of the order, in a sentence or two."""
    match answered:
        case Done(after_seconds):
            return Shown(
                Text(
                    "{done}. It took {seconds} s.",
                    done=_done(order),
                    seconds=decimal(after_seconds),
                ),
                "check",
                "good",
            )
        case Refused(detail) if order.operation in SHUTTING and _is_unrecorded(detail):
            words = Text(
                "{done}, but it could not be recorded: a restart of the controller ends it.",
                done=_done(order),
            )
            return Shown(words, "alert", "bad")
        case Refused(detail):
            return Shown(Text("The controller refused: {why}", why=refusal(detail)), "cross", "bad")
        case NoAnswer() as silence:
            then = Text(", and nobody knows whether it was done")
            return Shown(no_answer(silence, now, then=then), "alert", "bad")
        case _:
            return Shown(
                Text("No controller is there for it, or none that is heard."), "cross", "bad"
            )


def no_answer(silence: NoAnswer, now: datetime, *, then: str) -> Text:
    """How long nothing was heard. `then` ends that sentence."""
    if silence.waited_seconds < 1:
        return Text("The controller can't be reached now{then}.", then=then)
    waited = Text(
        "No answer from the controller for {seconds} s{then}.",
        seconds=round(silence.waited_seconds),
        then=then,
    )
    last = silence.last_heard
    if last is None:
        return waited
    heard = Text("It was last heard {time}.", time=times.ago(last, now))
    return Text.joined([waited, heard])


def refusal(detail: str) -> Text:
    """A controller's reason, in the words that follow “refused:”."""
    name, _, text = detail.partition(":")
    match name:
        case "stale":
            return Text("the message was on its way for too long. Try again.")
        case "unknown_point":
            return Text("it doesn't know this door or tool. Somebody should look at its settings.")
        case Reason.RELAY_FAULT:
            return Text("its relay did not move. Use your card or the key, and tell an admin.")
        case _ if name in UNRECORDED:
            return Text("it can't record this. Use the key, and tell an admin.")
        case _ if name in set(Reason):
            words = wording(name, Whose.SOMEBODYS)
            return two_sentences(words.why, words.remedy)
        case _:
            return Text("{words}.", words=text.strip() or name)


def _is_unrecorded(detail: str) -> bool:
    return detail.partition(":")[0] in UNRECORDED


def _done(order: Order) -> Text:
    if order.operation is Operation.UNLOCK_UNTIL:
        return Text("Unlocked for everybody for {time}", time=times.length(order.seconds or 0))
    return _DONE[order.kind, order.operation]
