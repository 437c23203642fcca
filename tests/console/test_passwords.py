"""Which passwords match which stored hashes."""

import asyncio
import time

import bcrypt
import pytest

from console.accounts import passwords as module
from console.accounts.account import password_mistakes
from console.accounts.passwords import PasswordThreads, hash_password, verify
from console.errors import Busy

# openssl passwd -6 -salt abcdefgh oldhash
SHA512 = (
    "$6$abcdefgh$z2cBjbfdIW6UHigD7EfjE.40vdE8W2nYObWavmhLrJX1iy3NxTOp3MFqIOlD0nXY53VedRufFsAtkk41"
    "FPnhf/"
)


def quick_hash(password: bytes) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()


def test_new_hashes_are_of_the_kind_that_the_old_app_reads() -> None:
    hashed = hash_password("blåbærsyltetøy")
    assert hashed.startswith("$2b$12$")
    assert len(hashed) == 60
    assert verify("blåbærsyltetøy", hashed).is_right
    assert not verify("blabarsyltetoy", hashed).is_right


def test_only_the_first_72_bytes_count_as_in_the_old_app() -> None:
    stored = quick_hash(b"x" * 72)
    assert verify("x" * 72 + "whatever", stored).is_right
    assert not verify("x" * 71, stored).is_right
    assert len(hash_password("å" * 100)) == 60


def test_sha512_is_verified_and_comes_back_as_bcrypt() -> None:
    verdict = verify("oldhash", SHA512)
    assert verdict.is_right
    assert verdict.rehashed is not None
    assert verify("oldhash", verdict.rehashed).is_right
    assert verify("wrong", SHA512) == module.Verdict(is_right=False)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "x",
        "*",
        "!",
        "x" * 100,
        "$2b$12$short",
        "$2b$99$" + "." * 53,
        "$6$",
        "$6$salt",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1",
        "$2b$12$" + "é" * 53,
        module.NOBODY,
    ],
)
def test_anything_else_never_verifies(stored: str | None) -> None:
    for password in ("x", "", "\0"):
        assert not verify(password, stored).is_right


def test_other_kinds_of_bcrypt_are_not_taken() -> None:
    for kind in ("$2a$", "$2y$", "$2x$"):
        assert not verify("x", quick_hash(b"x").replace("$2b$", kind)).is_right


def test_nobody_costs_as_much_as_somebody() -> None:
    somebody = hash_password("right")

    def seconds(stored: str | None) -> float:
        started = time.thread_time()
        verify("wrong", stored)
        return time.thread_time() - started

    nobody, known = min(seconds(None) for _ in range(3)), min(seconds(somebody) for _ in range(3))
    assert 0.5 < nobody / known < 2, f"{nobody:.3f} s against {known:.3f} s"


async def test_no_more_than_a_few_wait_for_the_threads() -> None:
    threads = PasswordThreads()
    waiting = [
        asyncio.create_task(threads.verify("x", None)) for _ in range(module.WAITING_MAX + 5)
    ]
    try:
        done, _ = await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        refused = [task for task in done if isinstance(task.exception(), Busy)]
        assert len(refused) == 5
    finally:
        threads.close()
        await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [("x" * 72, True), ("x" * 73, False), ("å" * 36, True), ("å" * 37, False), ("🙂" * 19, False)],
)
def test_a_new_password_is_no_longer_than_what_counts_of_it(password: str, is_taken: bool) -> None:
    assert (password_mistakes(password) == []) is is_taken
