"""An envelope is believed only whole, and from the right key, to the right reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.envelope import PAYLOAD_BYTES_MAX, Kind, open_, seal
from sync.errors import (
    BadSignature,
    Malformed,
    TooLarge,
    UnknownKind,
    WireError,
    WrongAudience,
)
from sync.signing import is_signed_by, public_key, sign
from tests.sync.samples import COMMAND_SEED, ROOT_SEED

PUBLIC = public_key(ROOT_SEED)


def sealed(
    payload: bytes = b"payload", kind: Kind = Kind.COMMAND, audience: str = "front"
) -> bytes:
    return seal(kind, audience, payload, seed=ROOT_SEED)


@given(st.binary(max_size=200), st.sampled_from(Kind))
def test_what_was_sealed_opens(payload: bytes, kind: Kind):
    assert open_(sealed(payload, kind), kind, "front", public_key=PUBLIC) == payload


@given(st.binary(max_size=40), st.data())
def test_flipping_any_bit_fails_verification(payload: bytes, data: st.DataObject):
    envelope = bytearray(sealed(payload))
    bit = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        open_(bytes(envelope), Kind.COMMAND, "front", public_key=PUBLIC)


@given(st.binary(max_size=40), st.data())
def test_cutting_or_lengthening_fails_verification(payload: bytes, data: st.DataObject):
    envelope = sealed(payload)
    cut = data.draw(st.integers(0, len(envelope) - 1))
    for other in (envelope[:cut], envelope[cut + 1 :], envelope + b"\0", b"\0" + envelope):
        with pytest.raises(WireError):
            open_(other, Kind.COMMAND, "front", public_key=PUBLIC)


@given(st.binary(max_size=300))
def test_random_bytes_never_raise_anything_else(data: bytes):
    for kind in Kind:
        with pytest.raises(WireError):
            open_(data, kind, "front", public_key=PUBLIC)


def test_another_audience_is_refused():
    with pytest.raises(WrongAudience):
        open_(sealed(audience="back"), Kind.COMMAND, "front", public_key=PUBLIC)


def test_another_kind_is_refused_though_the_key_is_right():
    with pytest.raises(UnknownKind):
        open_(sealed(kind=Kind.SNAPSHOT), Kind.COMMAND, "front", public_key=PUBLIC)


def test_a_newer_protocol_version_says_so():
    with pytest.raises(UnknownKind, match="newer"):
        open_(b"p2k16/2" + sealed()[7:], Kind.COMMAND, "front", public_key=PUBLIC)


def test_the_signature_of_another_key_is_refused():
    other = seal(Kind.COMMAND, "front", b"payload", seed=COMMAND_SEED)
    with pytest.raises(BadSignature):
        open_(other, Kind.COMMAND, "front", public_key=PUBLIC)


@pytest.mark.parametrize("kind", Kind)
def test_too_large_is_refused_on_both_sides(kind: Kind):
    payload = bytes(PAYLOAD_BYTES_MAX[kind] + 1)
    with pytest.raises(TooLarge):
        sealed(payload, kind)
    with pytest.raises(TooLarge):
        open_(bytes(200) + payload, kind, "front", public_key=PUBLIC)


@pytest.mark.parametrize("length", ["007", "+7", "7 ", "", "99999999", "6", "8"])
def test_a_length_in_another_form_is_malformed(length: str):
    data = f"p2k16/1 command front {length}\n".encode() + b"payload"
    data += sign(ROOT_SEED, data)
    with pytest.raises(Malformed):
        open_(data, Kind.COMMAND, "front", public_key=PUBLIC)


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [  # RFC 8032 §7.1, tests 1, 2 and 3
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_the_vectors_of_rfc_8032(seed: str, public: str, message: str, signature: str):
    key, data = bytes.fromhex(seed), bytes.fromhex(message)
    assert public_key(key).hex() == public
    assert sign(key, data).hex() == signature
    assert is_signed_by(bytes.fromhex(public), data, bytes.fromhex(signature))
    assert not is_signed_by(bytes.fromhex(public), data + b"!", bytes.fromhex(signature))
