"""What a technician at the device asks for: tables on a terminal, JSON when piped.

Each takes what it needs from the running daemon (edge/bench.py) or reads the store beside it.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

from edge.asking import ask_rights, ask_self_test, ask_state
from edge.columns import TIME_MS_MAX, plain, table, time_of
from edge.enrolment import enrol
from edge.errors import BECOME, EdgeError, PinError
from edge.settings import EdgeSettings
from edge.store import STORE_NAME
from sync.errors import WireError
from sync.events import EVENT_BYTES_MAX, decode_event

OUTPUTS_OFF_SECONDS = 1.5
"""systemd calls while a dying guard may still hold the pins."""

DAMAGED_TOLD = 10
"""So many numbers of damaged events fit in a line."""


def say(value: Mapping[str, object], words: str) -> None:
    """One answer."""
    sys.stdout.write(f"{words if sys.stdout.isatty() else json.dumps(value)}\n")


def outputs_off(settings: EdgeSettings) -> None:
    """Drives every relay low that can be had, and lets go. For when no daemon runs.

    Raises: PinError, with a line for each that can't, once all have been tried.
    """
    from edge.pins import JoinedPins

    left = list(settings.points)
    failed: list[str] = []
    deadline = time.monotonic() + OUTPUTS_OFF_SECONDS
    while left:
        is_last = time.monotonic() > deadline
        failed.clear()
        for point in tuple(left):
            try:
                JoinedPins(point.relay_pins, purpose=f"relay of {point.key}").close()
            except PinError as error:
                failed.append(f"{point.key}: {error}")
            else:
                left.remove(point)
                say({"point": point.key, "relay": "off"}, f"{point.key}: relay off")
        if is_last:
            break
        if left:
            time.sleep(0.05)
    if failed:
        raise PinError("\n".join(failed))


def take_bundle(settings: EdgeSettings, bundle: Path) -> None:
    """Makes this machine the controller that the bundle is for. Raises: EdgeError."""
    try:
        is_there = bundle.exists()
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except PermissionError as error:
        raise EdgeError(f"{error.filename}: {error.strerror}. To import, {BECOME}") from error
    except OSError as error:
        raise EdgeError(f"{error.filename}: {error.strerror}. Give another path") from error
    if not is_there:
        raise EdgeError(f"{bundle} is not there: p2k16-console controllers enrol writes it")
    enrolment = enrol(settings.data_dir, bundle)
    if enrolment.bundle is None or bundle.exists():
        raise EdgeError(enrolment.problem or f"{bundle} was not taken over")
    name = enrolment.bundle.controller
    say(
        {"controller": name},
        f"this is {name} now, and {bundle} is deleted; restart the daemon if it runs",
    )


def show_journal(settings: EdgeSettings, *, last: int) -> None:
    """The newest events, the oldest of them first. Raises: EdgeError, after what can be read."""
    path = settings.data_dir / STORE_NAME
    lines: list[str] = []
    damaged: list[int] = []
    for seq, line in _newest(path, last):
        if _is_readable(seq, line):
            lines.append(line.decode())
        else:
            damaged.append(seq)
    if sys.stdout.isatty():
        rows = [_row(cast("dict[str, object]", json.loads(line))) for line in lines]
        head = ("number", "time (UTC)", "point", "what", "why", "more")
        sys.stdout.write(f"{table(head, rows)}\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    if damaged:
        sys.stdout.flush()
        some = ", ".join(map(str, damaged[:DAMAGED_TOLD]))
        rest = f" and {len(damaged) - DAMAGED_TOLD} more" if len(damaged) > DAMAGED_TOLD else ""
        raise EdgeError(f"{path}: event {some}{rest} can't be read. See p2k16-edge check")


def _is_readable(seq: int, line: bytes) -> bool:
    try:
        stamp = decode_event(line).stamp
    except WireError:
        return False
    return stamp.seq == seq and max(stamp.time_ms, stamp.wall_ms) <= TIME_MS_MAX


def _row(event: Mapping[str, object]) -> tuple[object, ...]:
    """A clock that nobody has set runs late, from 1970 on in a new store: then the system's."""
    is_sure = event["clock"] == "trusted"
    ms = cast("int", event["time_ms" if is_sure else "wall_ms"])
    said = [event.get(key) for key in ("point", "kind", "reason", "detail")]
    return event["seq"], f"{time_of(ms)}{'' if is_sure else '?'}", *said


def show_rights(settings: EdgeSettings, *, point: str, seconds: int) -> None:
    """What would be said to the next card. Raises: EdgeError."""
    # Of a point that it doesn't have the daemon says which there are.
    if point in ask_state(settings.data_dir)["points"]:
        sys.stderr.write(
            f"hold a card to the reader of {point} within {seconds} s; nothing will open\n"
        )
    said = ask_rights(settings.data_dir, point, seconds=seconds)
    is_known = "known here" if said["known"] else "not known here"
    until = said["not_after_ms"]
    end = "" if until is None else f", until {time_of(until)} UTC"
    now = "" if said["now"] == said["reason"] else f"; but now: {said['now']}"
    if said["hands_back"]:
        now = "; but now it would hand back"
    say(said, plain(f"{said['card']} card, {is_known}: {said['reason']}{end}{now}"))


def self_test(settings: EdgeSettings, *, point: str, is_sure: bool) -> None:
    """Moves a relay for less than half a second. Raises: EdgeError."""
    is_known = point in ask_state(settings.data_dir)["points"]
    if is_known and not is_sure:
        if not sys.stdin.isatty():
            raise EdgeError("this releases the lock or powers the tool for an instant: add --yes")
        sys.stderr.write(f"This moves the relay of {point} for an instant. Go on? [y/N] ")
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise EdgeError("nothing was moved")
    said = ask_self_test(settings.data_dir, point)
    say(
        said,
        f"{point}: on after {said['on_after_ms']} ms, off {said['off_after_ms']} ms after its time",
    )


def _newest(path: Path, last: int) -> Sequence[tuple[int, bytes]]:
    """Numbers and lines. Raises: EdgeError."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        path.open("rb").close()
        with closing(sqlite3.connect(uri, uri=True, timeout=2)) as connection:
            rows = connection.execute(
                "SELECT seq, CAST(substr(line, 1, ?) AS BLOB) FROM event ORDER BY seq DESC LIMIT ?",
                (EVENT_BYTES_MAX + 1, last),
            )
            return [(int(seq), bytes(line)) for seq, line in reversed(rows.fetchall())]
    except FileNotFoundError as error:
        raise EdgeError(f"{path} is not there. Has the daemon ever run here?") from error
    except PermissionError as error:
        raise EdgeError(f"{path}: {error.strerror}. To ask, {BECOME}") from error
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}. See p2k16-edge check") from error
    except sqlite3.Error as error:
        raise EdgeError(f"{path} can't be read: {error}. See p2k16-edge check") from error
