"""Broker passwords: one form for Mosquitto and for our own broker."""

import subprocess
import time
from pathlib import Path

import pytest

from console.link.broker_password import (
    MAX_ITERATIONS,
    MAX_PASSWORD_BYTES,
    SALT_BYTES,
    hash_password,
    verify_password,
)
from tests.support.brokers import require_program

SALT = bytes(range(SALT_BYTES))


def test_the_right_password_is_recognised_and_others_are_not() -> None:
    stored = hash_password("a-random-one", SALT)
    assert verify_password("a-random-one", stored)
    for wrong in ("a-random-on", "a-random-one ", "A-random-one", ""):
        assert not verify_password(wrong, stored)


def test_the_same_password_with_another_salt_has_another_hash() -> None:
    assert hash_password("a-random-one", SALT) != hash_password("a-random-one", SALT[::-1])


def test_a_hash_that_mosquittos_own_tool_made_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(
        [require_program("mosquitto_passwd"), "-b", "-c", str(file), "front", "a-random-one"],
        check=True,
    )
    stored = file.read_text().strip().removeprefix("front:")
    assert stored.startswith("$7$101$")
    assert verify_password("a-random-one", stored)
    assert not verify_password("another-one", stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "$",
        "$7$101$c2FsdA==$",
        "$6$c2FsdA==$aGFzaA==",
        "$7$0$AAECAwQFBgcICQoL$aGFzaA==",
        "$7$-1$AAECAwQFBgcICQoL$aGFzaA==",
        "$7$many$AAECAwQFBgcICQoL$aGFzaA==",
        "$7$101$not base64$aGFzaA==",
        hash_password("x", SALT)[:-8],
        hash_password("x", SALT) + "$",
    ],
)
def test_a_stored_hash_that_cant_be_read_lets_nobody_in(stored: str) -> None:
    assert not verify_password("x", stored)


def test_a_stored_hash_that_asks_for_endless_work_is_refused_at_once() -> None:
    expensive = hash_password("x", SALT).replace("$101$", f"${MAX_ITERATIONS * 10_000}$")
    begun = time.perf_counter()
    assert not verify_password("x", expensive)
    assert not verify_password("x" * (MAX_PASSWORD_BYTES + 1), hash_password("x", SALT))
    assert time.perf_counter() - begun < 0.5


def test_a_salt_or_password_that_mosquitto_couldnt_read_is_refused() -> None:
    for password, salt in (("x", b"short"), ("", SALT), ("x" * (MAX_PASSWORD_BYTES + 1), SALT)):
        with pytest.raises(ValueError):
            hash_password(password, salt)
