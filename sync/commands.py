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


class Operation(StrEnum):
    """What to do."""

    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Command:
    """`actor`: who asked, as this controller knows accounts. `reason`: free text, may be empty."""

    id: CommandId
    boot: BootId
    challenge: Nonce
    counter: int
    operation: Operation
    point: PointKey
    actor: MemberRef
    reason: str


def encode_command(command: Command) -> bytes:
    """The payload of a command envelope."""
    return dump(
        {
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
    )


def decode_command(payload: bytes) -> Command:
    """Reads a payload whose signature was verified. Raises: Malformed."""
    fields = Fields.parse(payload, "command")
    fields.integer("version", 1, 1)
    command = Command(
        id=CommandId(fields.text("id", UUID.pattern)),
        boot=BootId(fields.text("boot", HEX_32.pattern)),
        challenge=Nonce(fields.text("challenge", HEX_32.pattern)),
        counter=fields.integer("counter", 1),
        operation=Operation(fields.text("operation", "|".join(Operation))),
        point=PointKey(fields.text("point", NAME.pattern)),
        actor=MemberRef(fields.data("actor", 8)),
        reason=fields.text("reason", f".{{0,{REASON_CHARACTERS_MAX}}}"),
    )
    fields.close()
    return command
