"""What the console tells a controller to do ⇄ bytes.

A command is bound to one controller (the envelope's audience), one boot, one challenge that this
controller made a moment ago, and a counter that only rises; it carries no time of day.
Source: sync/README.md, "Commands".
"""

from dataclasses import dataclass
from enum import StrEnum

from sync.ids import HEX_32, NAME, UUID, BootId, CommandId, MemberRef, Nonce, PointKey
from sync.strict_json import Fields, dump

REASON_CHARACTERS_MAX = 200
UNLOCK_SECONDS_MAX = 12 * 3600
"""A door that stands open for longer than an evening has been forgotten."""


class Operation(StrEnum):
    """What to do with a point."""

    OPEN = "open"
    LOCK = "lock"
    """Back to normal: ends everything below, and acknowledges alarms."""

    UNLOCK_UNTIL = "unlock_until"
    """The door stands unlocked for so long, or until the controller starts again."""

    LOCKDOWN = "lockdown"
    """Nobody gets in, until `lock`; also after a restart."""

    OUT_OF_SERVICE = "out_of_service"
    """The same for maintenance. A tool that runs is stopped when it is next idle."""

    STOP_NOW = "stop_now"
    """Out of service at once: a tool that runs loses its power."""


SHUTTING = frozenset({Operation.LOCKDOWN, Operation.OUT_OF_SERVICE, Operation.STOP_NOW})
"""Done even if it can't be recorded in time, until a restart: to shut is never wrong. The event
says that it was refused, and why.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """`actor`: who asked, as this controller knows accounts. `reason`: free text, may be empty.

    `seconds`: of UNLOCK_UNTIL only, 1 to 43,200; it counts from the execution.
    """

    id: CommandId
    boot: BootId
    challenge: Nonce
    counter: int
    operation: Operation
    point: PointKey
    actor: MemberRef
    reason: str
    seconds: int | None = None


def encode_command(command: Command) -> bytes:
    """The payload of a command envelope."""
    values: dict[str, object] = {
        "version": 1,
        "id": command.id,
        "boot": command.boot,
        "challenge": command.challenge,
        "counter": command.counter,
        "operation": command.operation,
        "point": command.point,
        "actor": command.actor.hex(),
        "reason": command.reason,
    }
    if command.seconds is not None:
        values["seconds"] = command.seconds
    return dump(values)


def decode_command(payload: bytes) -> Command:
    """Reads a payload whose signature was verified. Raises: Malformed."""
    fields = Fields.parse(payload, "command")
    fields.integer("version", 1, 1)
    operation = Operation(fields.text("operation", "|".join(Operation)))
    command = Command(
        id=CommandId(fields.text("id", UUID.pattern)),
        boot=BootId(fields.text("boot", HEX_32.pattern)),
        challenge=Nonce(fields.text("challenge", HEX_32.pattern)),
        counter=fields.integer("counter", 1),
        operation=operation,
        point=PointKey(fields.text("point", NAME.pattern)),
        actor=MemberRef(fields.data("actor", 8)),
        reason=fields.text("reason", f".{{0,{REASON_CHARACTERS_MAX}}}"),
        seconds=fields.integer("seconds", 1, UNLOCK_SECONDS_MAX)
        if operation is Operation.UNLOCK_UNTIL
        else None,
    )
    fields.close()
    return command
