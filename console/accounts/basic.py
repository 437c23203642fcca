"""Basic credentials of programs that ask again and again.

Decides for how long a password that was right is believed without hashing it again. The stored hash
is read each time, so a password that was changed no longer holds at once.
"""

import asyncio
import base64
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from console.accounts import admission, queries
from console.accounts.admission import Admitted, choose
from console.accounts.throttle import Wait
from console.web.keys import DATABASE

REMEMBERED_SECONDS = 60.0
REMEMBERED_MAX = 1_000
"""Credentials remembered at a time; beyond it those remembered longest are forgotten."""

_Proof = tuple[int, str | None, bytes]
"""An account, its stored hash, and a digest of the password that only this process can compute."""


@dataclass(frozen=True, slots=True)
class Given:
    """Credentials as they came."""

    username: str
    password: str = field(repr=False)


def read_basic(request: web.Request) -> Given | None:
    """What the request says; None when it says nothing in that form. Source: RFC 7617."""
    scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except ValueError:  # UnicodeDecodeError and binascii.Error are ones
        return None
    username, colon, password = text.partition(":")
    if not colon or "\0" in text:
        return None
    return Given(username, password)


class BasicCredentials:
    """Checks them, and remembers in memory which were right. `clock`: seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[_Proof, float] = OrderedDict()
        self._checking: dict[_Proof, asyncio.Task[Admitted | Wait | None]] = {}

    async def account_of(self, request: web.Request) -> int | None:
        """Whose credentials the request carries; None: there are none, or they aren't right.

        Raises: HTTPTooManyRequests after too many wrong tries (also at the log-in); Busy;
        DatabaseUnavailable.
        """
        given = read_basic(request)
        if given is None:
            return None
        async with request.app[DATABASE].reading() as conn:
            candidates = await queries.login_candidates(conn, username=given.username)
        found = choose(candidates, given.username)
        if found is None:
            outcome = await admission.check(request, given.username, given.password)
        else:
            digest = hmac.digest(self._key, given.password.encode("utf-8"), "sha256")
            proof = (found.account_id, found.password, digest)
            if self._remembered.get(proof, 0.0) > self._clock():
                return found.account_id
            outcome = await self._checked_once(request, given, proof)
        if isinstance(outcome, Wait):
            raise admission.too_many(outcome)
        return None if outcome is None else outcome.account_id

    async def _checked_once(
        self, request: web.Request, given: Given, proof: _Proof
    ) -> Admitted | Wait | None:
        """A hundred requests with the same credentials at once hash them once."""
        checking = self._checking.get(proof)
        if checking is None:
            checking = asyncio.create_task(self._check(request, given, proof))
            self._checking[proof] = checking
            checking.add_done_callback(lambda _: self._checking.pop(proof, None))
        return await asyncio.shield(checking)

    async def _check(
        self, request: web.Request, given: Given, proof: _Proof
    ) -> Admitted | Wait | None:
        outcome = await admission.check(request, given.username, given.password)
        if isinstance(outcome, Admitted) and (outcome.account_id, outcome.stored) == proof[:2]:
            self._remembered[proof] = self._clock() + REMEMBERED_SECONDS
            self._remembered.move_to_end(proof)
            while len(self._remembered) > REMEMBERED_MAX:
                self._remembered.popitem(last=False)
        return outcome


BASIC = web.AppKey("basic", BasicCredentials)
