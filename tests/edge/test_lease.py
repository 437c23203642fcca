"""The words between daemon and guard."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lease import (
    MESSAGE_BYTES_MAX,
    BadMessage,
    GrantId,
    Lease,
    RelayChange,
    Release,
    decode_change,
    decode_order,
    encode,
    grant_of,
)
from sync.ids import CommandId, PointKey, TapId

points = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True).map(PointKey)
grants = st.binary(min_size=16, max_size=16).map(lambda digits: GrantId(digits.hex()))
instants = st.integers(0, 2**64 - 1)
leases = st.builds(Lease, points, grants, instants)
releases = st.builds(Release, points, grants)
changes = st.builds(RelayChange, points, st.booleans(), instants)


@given(st.one_of(leases, releases))
def test_an_order_comes_back_as_it_was(order: Lease | Release):
    packet = encode(order)
    assert len(packet) <= MESSAGE_BYTES_MAX
    assert decode_order(packet) == order
    with pytest.raises(BadMessage):
        decode_change(packet)


@given(changes)
def test_a_change_comes_back_as_it_was(change: RelayChange):
    assert decode_change(encode(change)) == change
    with pytest.raises(BadMessage):
        decode_order(encode(change))


@given(st.binary(max_size=2 * MESSAGE_BYTES_MAX))
def test_random_bytes_are_an_order_or_a_bad_message(packet: bytes):
    try:
        order = decode_order(packet)
    except BadMessage:
        return
    assert encode(order) == packet


@given(st.binary(max_size=2 * MESSAGE_BYTES_MAX))
def test_random_bytes_are_a_change_or_a_bad_message(packet: bytes):
    try:
        change = decode_change(packet)
    except BadMessage:
        return
    assert encode(change) == packet


CHANGE = encode(RelayChange(PointKey("front"), is_on=True, mono_ns=1))


@pytest.mark.parametrize(
    "packet",
    [
        *[CHANGE[:length] for length in range(11)],
        b"\x01" + CHANGE[1:],
        CHANGE[:1] + b"\x02" + CHANGE[2:],
        CHANGE + b"\xe5",
        CHANGE + b" ",
        CHANGE + b"-" * 28,
    ],
)
def test_a_change_that_is_not_quite_one_is_a_bad_message(packet: bytes):
    with pytest.raises(BadMessage):
        decode_change(packet)


def test_taps_and_commands_name_their_grants():
    assert grant_of(TapId("ab" * 16)) == "ab" * 16
    command = CommandId(str(uuid.uuid4()))
    assert grant_of(command) == command.replace("-", "")
    for wrong in ("", "AB" * 16, "ab" * 15, "ab" * 17, "zz" * 16):
        with pytest.raises(BadMessage):
            grant_of(TapId(wrong))
