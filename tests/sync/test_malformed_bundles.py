"""A bundle that is damaged or altered: one line that names the key, and repeats no secret."""

import json
from typing import Any

import pytest

from sync.bundle import BUNDLE_BYTES_MAX, decode_bundle, encode_bundle
from sync.errors import WireError
from tests.support.signer import Signer

GOOD: dict[str, Any] = json.loads(encode_bundle(Signer().bundle("mqtts://console.example.org")))
HEX_32, HEX_16 = "is not 64 digits of 0-9 and a-f", "is not 32 digits of 0-9 and a-f"
SECRET = "s3cret-s3cret"


def but(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def broker(**changes: object) -> bytes:
    return but(broker=GOOD["broker"] | changes)


def without(key: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != key}).encode()


DAMAGED: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not the JSON expected: it is empty"),
    ("zeros", bytes(500), "not the JSON expected: line 1: Expecting value"),
    ("a page", b"<html>", "not the JSON expected: line 1: Expecting value"),
    ("settings", b'controller = "x"', "not the JSON expected: line 1: Expecting value"),
    ("cut short", but()[:200], "not the JSON expected: line 1: "),
    ("not UTF-8", b'{"controller":"\xe5"}', "not the JSON expected: byte 15 is no UTF-8"),
    ("deep", b"[" * 10_000, "not the JSON expected: nested too deeply"),
    ("large", b" " * 20_000, f"a bundle of 20000 bytes is over {BUNDLE_BYTES_MAX}"),
    ("twice", b'{"version":1,"version":1}', "not the JSON expected: a key stands there twice"),
    ("fraction", b'{"version":1.0}', "not the JSON expected: a number is not a whole one"),
    ("list", b"[]", "not an object"),
    ("nothing in it", b"{}", "version is missing"),
    ("newer", but(version=2), "version is not 1"),
    ("version as text", but(version="1"), "version is not 1"),
    ("nobody's", without("controller"), "controller is missing"),
    ("odd name", but(controller="Front Pi"), "controller is no text that matches [a-z0-9-]{1,32}"),
    ("short key", but(private_key="ab"), f"private_key {HEX_32}"),
    ("capitals", but(entry_key="AB" * 32), f"entry_key {HEX_32}"),
    ("secret", but(entry_key=SECRET), f"entry_key {HEX_32}"),
    ("long salt", but(site_salt="00" * 32), f"site_salt {HEX_16}"),
    ("no root", without("root_public_key"), "root_public_key is missing"),
    ("no sealing", but(sealing_public_key=None), f"sealing_public_key {HEX_32}"),
    ("no broker", without("broker"), "broker is missing"),
    ("broker as text", but(broker="mqtt://x"), "bundle.broker: not an object"),
    ("not MQTT", broker(url="http://x"), "bundle.broker: url is no text that matches mqtts?://"),
    ("path", broker(url="mqtt://x/y"), "bundle.broker: url is no text that matches"),
    ("user in it", broker(url=f"mqtt://a:{SECRET}@x"), "bundle.broker: url is no text that"),
    ("spaces", broker(username="a b"), "bundle.broker: username is no text that matches"),
    ("no password", broker(password=""), "bundle.broker: password is no text that matches"),
    ("odd password", broker(password=f"{SECRET} "), "bundle.broker: password is no text that"),
    ("odd prefix", broker(prefix="a/b"), "bundle.broker: prefix is no text that matches"),
    ("more", but(hello=1), "unknown key hello"),
    ("more below", broker(tls=True), "bundle.broker: unknown key tls"),
]


@pytest.mark.parametrize(
    ("data", "expected"), [one[1:] for one in DAMAGED], ids=[one[0] for one in DAMAGED]
)
def test_what_is_wrong_with_a_bundle_is_told_in_a_line(data: bytes, expected: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_bundle(data)
    told = str(caught.value)
    assert expected in told
    assert "\n" not in told
    assert SECRET not in told
