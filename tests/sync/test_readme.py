"""The protocol's page tells the bytes that the code makes."""

import re
import zlib
from pathlib import Path

from sync import envelope, sealing
from sync.commands import encode_command
from sync.envelope import PAYLOAD_BYTES_MAX, Kind
from sync.events import Batch, EventKind, encode_batch, encode_event, event_hash
from sync.ids import Epoch, Serial
from sync.keyset import encode_keyset
from sync.messages import (
    NO_VERSION,
    Ack,
    Beacon,
    Hello,
    Report,
    Request,
    Version,
    encode_ack,
    encode_beacon,
    encode_hello,
    encode_report,
    encode_request,
)
from sync.snapshot import encode_snapshot
from sync.topics import RETAINED, Leaf
from tests.sync import samples

PAGE = (Path(__file__).parents[2] / "sync" / "README.md").read_text()


def worked(title: str) -> dict[str, str]:
    block = re.search(rf"^```vectors {title}.*?\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert block is not None, title
    return dict(line.split(" = ", 1) for line in block[1].splitlines())


def signed(kind: Kind, payload: bytes, seed: bytes) -> tuple[str, str]:
    data = envelope.seal(kind, samples.CONTROLLER, payload, seed=seed)
    return data[: data.index(b"\n")].decode(), data[-64:].hex()


def test_credentials():
    sealing_public = sealing.sealing_public_key(samples.SEALING_KEY)
    assert worked("card") == {
        "canonical": samples.CARD.canonical().hex(),
        "site_digest": samples.DIGEST.hex(),
        "entry": samples.ENTRY.hex(),
        "member_ref": samples.MEMBER.hex(),
        "sealed": sealing.seal(samples.DIGEST, sealing_public, ephemeral_seed=b"\x44" * 32).hex(),
    }


def test_keyset():
    payload = encode_keyset(samples.KEYSET)
    header, signature = signed(Kind.KEYSET, payload, samples.ROOT_SEED)
    assert worked("keyset") == {
        "payload": payload.decode(),
        "header": header,
        "signature": signature,
    }


def test_snapshot():
    body = zlib.decompress(encode_snapshot(samples.SNAPSHOT)[4:])
    columns = 4 + int.from_bytes(body[:4], "big")
    assert worked("snapshot") == {
        "header": body[4:columns].decode(),
        "columns": body[columns:].hex(),
    }


def test_event():
    line = encode_event(samples.GRANT, samples.STAMP)
    assert worked("event") == {
        "genesis": samples.GENESIS.hex(),
        "line": line.decode(),
        "hash": event_hash(line).hex(),
        "batch_header": encode_batch(Batch(samples.JOURNAL, 1, 1, (line,)))
        .split(b"\n")[0]
        .decode(),
    }


def test_command():
    payload = encode_command(samples.COMMAND)
    _, signature = signed(Kind.COMMAND, payload, samples.COMMAND_SEED)
    assert worked("command") == {"payload": payload.decode(), "signature": signature}


def test_small_messages():
    version = Version(Epoch(1), Serial(7), bytes(32))
    hello = Hello(samples.BOOT, samples.JOURNAL, version, samples.NONCE, "0.1.0")
    report = Report(
        samples.BOOT, samples.JOURNAL, 5_250, samples.NONCE, version, 11, {"link": "up"}
    )
    beacon = Beacon(samples.NONCE, 1_790_000_000_000, Epoch(1), Serial(7))
    assert {key: value.encode() for key, value in worked("payloads").items()} == {
        "hello": encode_hello(hello),
        "report": encode_report(report),
        "request": encode_request(Request(samples.BOOT, NO_VERSION)),
        "beacon": encode_beacon(beacon),
        "ack": encode_ack(Ack(samples.JOURNAL, 1)),
    }


def test_every_limit_topic_and_event_kind_stands_on_the_page():
    for kind, most in PAYLOAD_BYTES_MAX.items():
        assert re.search(rf"\b{kind}\s+{most:,}", PAGE), kind
    for leaf in Leaf:
        retained = "yes" if leaf in RETAINED else "never"
        assert f"| `{leaf}` | {retained} |" in PAGE, leaf
    for kind in EventKind:
        assert f"`{kind}`" in PAGE, kind
