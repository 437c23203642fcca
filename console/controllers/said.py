"""What a controller's report says, in words for people. Pure.

A report is read defensively: it is signed, but it may come from newer or broken software.
"""

from collections.abc import Mapping
from typing import cast

from console.words import Text

Json = Mapping[str, object]

TEXT_CHARACTERS_MAX = 200
FAULTS_MAX = 20
WALL_OFFSET_MS_MAX = 5 * 60 * 1000
"""Beyond this the operating system's clock of a controller is worth a look."""
COMMIT_MS_MAX = 250
"""A tap whose record takes longer is refused."""


def part(report: object, *keys: str) -> Json:
    """The object below these keys; empty where there is none."""
    found = report
    for key in keys:
        found = cast("Json", found).get(key) if isinstance(found, dict) else None
    return cast("Json", found) if isinstance(found, dict) else {}


def troubles(report: object) -> tuple[str, ...]:
    """What doesn't work at a controller, and the last message that it refused."""
    state = part(report, "state")
    faults = state.get("faults")
    found = [
        sentence(str(fault))
        for fault in (cast("list[object]", faults)[:FAULTS_MAX] if isinstance(faults, list) else [])
    ]
    refused = part(state, "last_error")
    if refused:
        kind = str(refused.get("kind", "message"))[:20]
        text = str(refused.get("text", ""))[:TEXT_CHARACTERS_MAX]
        found.append(Text("Refused a {kind} since its start: {text}", kind=kind, text=text))
    return tuple(found)


def sentence(fault: str) -> str:
    """`reader_lost: front: its port is missing` → `Reader lost: front: its port is missing`."""
    word, colon, text = fault.partition(":")
    name = word.replace("_", " ").strip()
    return f"{name[:1].upper()}{name[1:]}{colon}{text}"[:TEXT_CHARACTERS_MAX]


def clock(report: object) -> tuple[str, bool]:
    """What the controller's clock is worth, and whether somebody should look at it."""
    said = part(report, "state", "clock")
    offset = said.get("wall_offset_ms")
    if said.get("trusted") is not True:
        return Text("not sure of the time since its start: it runs late rather than early"), True
    if isinstance(offset, int) and abs(offset) > WALL_OFFSET_MS_MAX:
        minutes = abs(offset) // 60_000
        words = Text(
            "right; the operating system's is {minutes} min off, which does no harm",
            minutes=minutes,
        )
        return words, False
    return Text("right"), False


def storage(report: object) -> tuple[str, bool] | None:
    """How slowly the controller's storage takes what is written; None: not told."""
    slow_ms = part(report, "state", "storage").get("commit_p99_ms")
    if isinstance(slow_ms, bool) or not isinstance(slow_ms, int | float):
        return None
    words = Text("99 of 100 records are on disk within {ms} ms", ms=round(min(slow_ms, 1e6)))
    return words, slow_ms > COMMIT_MS_MAX


def journal(report: object) -> tuple[str, bool]:
    """How much of the journal is here, and whether too much isn't."""
    said = part(report, "state", "journal")
    head, acknowledged = said.get("head"), said.get("acknowledged")
    if not isinstance(head, int) or not isinstance(acknowledged, int):
        return Text("not told"), True
    waiting = head - acknowledged
    if waiting <= 0:
        return Text("{n} events, all here", n=head), False
    words = Text("{n} events, {waiting} not yet here", n=head, waiting=waiting)
    return words, waiting > 1000
