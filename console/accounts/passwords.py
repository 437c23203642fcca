"""Which password matches a stored hash, and what is stored for a new one.

The old web app reads the same column, so only `$2b$` is written. Hashing costs a fifth of a second
of a processor: it runs in a few threads of its own, and only so many may wait for them.
"""

# libpass brings no types; this is the only file that imports it.
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt
from msgspec import Struct

from console.accounts.account import PASSWORD_BYTES_MAX
from console.errors import Busy
from console.words import Text

T = TypeVar("T")

COST = 12
"""Rounds are 2^12, as the old web app has them."""
THREADS = 2
WAITING_MAX = 24
"""About 3 s of waiting on two processors."""

NOBODY = "$2b$12$" + "." * 53
"""A hash that no password has, for somebody who doesn't exist: the answer takes as long."""


class Verdict(Struct, frozen=True):
    """`rehashed`: what to store instead, when the stored hash is of an old kind."""

    is_right: bool
    rehashed: str | None = None


def hash_password(password: str) -> str:
    """A new `$2b$` hash; a fifth of a second of work."""
    return bcrypt.hashpw(_bytes(password), bcrypt.gensalt(COST)).decode("ascii")


def verify(password: str, stored: str | None) -> Verdict:
    """Whether `password` matches; as slow for an account without a usable hash as for any other."""
    if stored is not None and stored.startswith("$2b$"):
        return Verdict(is_right=_bcrypt_matches(password, stored))
    if stored is not None and stored.startswith("$6$") and _sha512_matches(password, stored):
        return Verdict(is_right=True, rehashed=hash_password(password))
    _bcrypt_matches(password, NOBODY)
    return Verdict(is_right=False)


class PasswordThreads:
    """Runs the work above beside the event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """See `hash_password`. Raises: Busy."""
        return await self._run(lambda: hash_password(password))

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """See `verify`. Raises: Busy."""
        return await self._run(lambda: verify(password, stored))

    def close(self) -> None:
        """Waits for what runs, drops what waits."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Busy(Text("Too many people are logging in at once. Try again in some seconds."))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _bcrypt_matches(password: str, stored: str) -> bool:
    try:
        return bcrypt.checkpw(_bytes(password), stored.encode("utf-8"))
    except ValueError:  # the stored hash is not one
        return False


def _sha512_matches(password: str, stored: str) -> bool:
    from passlib.hash import sha512_crypt  # rarely needed, so not loaded at the start

    try:
        return bool(sha512_crypt.verify(password, stored))
    except ValueError:  # the stored hash is not one, or the password holds a NUL
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8")[:PASSWORD_BYTES_MAX]
