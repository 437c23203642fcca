"""No two cards share a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.credential import (
    LENGTHS,
    Credential,
    CredentialType,
    entry,
    member_ref,
    parse_credential,
)
from sync.errors import BadSignature, Malformed
from sync.ids import AccountRef, SiteDigest
from sync.sealing import seal, sealing_public_key, unseal
from tests.sync.samples import DIGEST, SEALING_KEY


@st.composite
def credentials(draw: st.DrawFn) -> Credential:
    kind = draw(st.sampled_from(CredentialType))
    length = draw(st.sampled_from(sorted(LENGTHS[kind])))
    return Credential(kind, draw(st.binary(min_size=length, max_size=length)))


@given(credentials(), credentials())
def test_different_credentials_have_different_canonical_forms(a: Credential, b: Credential):
    assert (a.canonical() == b.canonical()) == (a == b)


@given(credentials())
def test_the_text_form_is_read_back(credential: Credential):
    assert parse_credential(f" {credential.type}:{credential.data.hex().upper()}\n") == credential


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0A0B0C0D0E",
        "em4100:",
        "em4100:010234567",
        "em4100:01023456",
        "em4100:010234567g",
        "EM4100:0A0B0C0D0E",
        "rfid:0A0B0C0D0E",
        "iso14443a:0411223344",
        "em4100:01 02 34 56 78",
    ],
)
def test_another_form_is_refused_without_repeating_the_digits(text: str):
    with pytest.raises(Malformed) as caught:
        parse_credential(text)
    digits = text.partition(":")[2]
    assert not digits or digits not in str(caught.value)


def test_a_card_number_never_shows_in_a_repr():
    assert "12345678" not in repr(parse_credential("em4100:0112345678"))


@pytest.mark.parametrize(
    ("text", "is_random"),
    [
        ("iso14443a:08000000", True),
        ("iso14443a:08A1B2C3", True),
        ("iso14443a:09A1B2C3", False),
        ("iso14443a:80A1B2C3", False),
        ("iso14443a:08112233445580", False),
        ("iso14443a:08112233445566778899", False),
        ("em4100:0802345678", False),
        ("line:08A1B2C3", False),
    ],
)
def test_a_number_that_is_made_up_anew_each_time_is_known_by_its_first_byte(
    text: str, is_random: bool
):
    assert parse_credential(text).is_random is is_random


@given(st.binary(min_size=16, max_size=16).map(SiteDigest))
def test_two_controllers_know_a_card_by_different_names(digest: SiteDigest):
    assert entry(b"a" * 32, digest) != entry(b"b" * 32, digest)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_member_refs_tell_accounts_apart(a: int, b: int):
    key = b"k" * 32
    assert (member_ref(key, AccountRef(a)) == member_ref(key, AccountRef(b))) == (a == b)


@given(st.binary(min_size=32, max_size=32))
def test_a_sealed_digest_opens_for_the_console_only(ephemeral: bytes):
    sealed = seal(DIGEST, sealing_public_key(SEALING_KEY), ephemeral_seed=ephemeral)
    assert unseal(sealed, SEALING_KEY) == DIGEST
    with pytest.raises(BadSignature):
        unseal(sealed, b"another key".ljust(32))
    with pytest.raises(BadSignature):
        unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), SEALING_KEY)
    with pytest.raises(BadSignature):
        unseal(b"", SEALING_KEY)
