"""The small messages ⇄ bytes: hello, report, request (up), beacon, acknowledgement (down).

Source: sync/README.md, "Small messages".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.ids import HEX_32, BootId, Epoch, JournalId, Nonce, Serial
from sync.strict_json import Fields, dump


@dataclass(frozen=True, slots=True)
class Version:
    """Which snapshot: `digest` is 32 bytes, None with epoch and serial 0, before the first one."""

    epoch: Epoch
    serial: Serial
    digest: bytes | None


NO_VERSION = Version(Epoch(0), Serial(0), None)


@dataclass(frozen=True, slots=True)
class Hello:
    """Sent after each connect: who is there, what it has, and what it wants to see in a beacon."""

    boot: BootId
    journal: JournalId
    applied: Version
    nonce: Nonce
    software: str


@dataclass(frozen=True, slots=True)
class Report:
    """The reported state. `state` is what `p2k16-edge status --json` prints, for people and pages.

    `mono_ms` rises with each report of a boot. `command_counter`: the highest one ever accepted.
    """

    boot: BootId
    journal: JournalId
    mono_ms: int
    nonce: Nonce
    applied: Version
    command_counter: int
    state: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Beacon:
    """The console's answer to a nonce: the time, and the newest snapshot there is."""

    nonce: Nonce
    time_ms: int
    epoch: Epoch
    serial: Serial


@dataclass(frozen=True, slots=True)
class Ack:
    """All events of `journal` up to `seq`, and that one, are stored at the console."""

    journal: JournalId
    seq: int


@dataclass(frozen=True, slots=True)
class Request:
    """Asks for the current keyset and snapshot."""

    boot: BootId
    applied: Version


def encode_hello(hello: Hello) -> bytes:
    """The payload of a hello envelope."""
    return dump(
        {
            "version": 1,
            "boot": hello.boot,
            "journal": hello.journal,
            "applied": _version_row(hello.applied),
            "nonce": hello.nonce,
            "software": hello.software,
        }
    )


def decode_hello(payload: bytes) -> Hello:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "hello")
    fields.integer("version", 1, 1)
    return Hello(
        boot=BootId(fields.text("boot", HEX_32.pattern)),
        journal=JournalId(fields.text("journal", HEX_32.pattern)),
        applied=_version(fields.fields("applied")),
        nonce=Nonce(fields.text("nonce", HEX_32.pattern)),
        software=fields.text("software", r"[A-Za-z0-9.+-]{1,40}"),
    )


def encode_report(report: Report) -> bytes:
    """The payload of a report envelope."""
    return dump(
        {
            "version": 1,
            "boot": report.boot,
            "journal": report.journal,
            "mono_ms": report.mono_ms,
            "nonce": report.nonce,
            "applied": _version_row(report.applied),
            "command_counter": report.command_counter,
            "state": report.state,
        }
    )


def decode_report(payload: bytes) -> Report:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "report")
    fields.integer("version", 1, 1)
    return Report(
        boot=BootId(fields.text("boot", HEX_32.pattern)),
        journal=JournalId(fields.text("journal", HEX_32.pattern)),
        mono_ms=fields.integer("mono_ms"),
        nonce=Nonce(fields.text("nonce", HEX_32.pattern)),
        applied=_version(fields.fields("applied")),
        command_counter=fields.integer("command_counter"),
        state=fields.mapping("state"),
    )


def encode_beacon(beacon: Beacon) -> bytes:
    """The payload of a beacon envelope."""
    return dump(
        {
            "version": 1,
            "nonce": beacon.nonce,
            "time_ms": beacon.time_ms,
            "epoch": beacon.epoch,
            "serial": beacon.serial,
        }
    )


def decode_beacon(payload: bytes) -> Beacon:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "beacon")
    fields.integer("version", 1, 1)
    beacon = Beacon(
        nonce=Nonce(fields.text("nonce", HEX_32.pattern)),
        time_ms=fields.integer("time_ms"),
        epoch=Epoch(fields.integer("epoch")),
        serial=Serial(fields.integer("serial")),
    )
    fields.close()
    return beacon


def encode_ack(ack: Ack) -> bytes:
    """The payload of an ack envelope."""
    return dump({"version": 1, "journal": ack.journal, "seq": ack.seq})


def decode_ack(payload: bytes) -> Ack:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "ack")
    fields.integer("version", 1, 1)
    ack = Ack(JournalId(fields.text("journal", HEX_32.pattern)), fields.integer("seq"))
    fields.close()
    return ack


def encode_request(request: Request) -> bytes:
    """The payload of a request envelope."""
    return dump({"version": 1, "boot": request.boot, "applied": _version_row(request.applied)})


def decode_request(payload: bytes) -> Request:
    """Raises: Malformed."""
    fields = Fields.parse(payload, "request")
    fields.integer("version", 1, 1)
    return Request(BootId(fields.text("boot", HEX_32.pattern)), _version(fields.fields("applied")))


def _version_row(version: Version) -> dict[str, object]:
    return {
        "epoch": version.epoch,
        "serial": version.serial,
        "digest": version.digest and version.digest.hex(),
    }


def _version(fields: Fields) -> Version:
    return Version(
        Epoch(fields.integer("epoch")),
        Serial(fields.integer("serial")),
        fields.data("digest", 32) if fields.has("digest") else None,
    )
