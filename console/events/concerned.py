"""Whom an event concerns: from a controller's names for cards and people back to ours.

A controller names them by keyed hashes, so the way back is to try everybody. What was found once is
remembered, since a name never changes its meaning.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from console.database import Connection
from console.events import journal_queries as queries
from console.events.journal_queries import CardRow
from console.rights.facts import Controller
from sync.credential import entry, member_ref
from sync.errors import WireError
from sync.events import Event
from sync.ids import AccountRef, Entry, MemberRef, SiteDigest
from sync.sealing import unseal

REMEMBERED_MAX = 20_000
"""Names of cards, and as many of people: some MB. Beyond that all are found anew."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """`assignable`: the site digest of a card that nobody uses, as it was given to nobody, or it
    is marked lost; None: it is in use, or there was no card.
    """

    account: int | None = None
    card: int | None = None
    assignable: bytes | None = field(default=None, repr=False)


class Names:
    """What controllers' names mean."""

    def __init__(self, sealing_private: bytes) -> None:
        """The key that opens what controllers seal."""
        self._sealing_private = sealing_private
        self._accounts: dict[tuple[bytes, MemberRef], int] = {}
        self._digests: dict[tuple[bytes, Entry], bytes] = {}

    async def concerned(
        self, conn: Connection, controller: Controller, events: Sequence[Event]
    ) -> list[Concerned]:
        """Whom each of the events concerns."""
        key = controller.entry_key
        self._forget_when_full()
        members = {e.member for e in events if e.member and (key, e.member) not in self._accounts}
        entries = {e.entry for e in events if e.entry and (key, e.entry) not in self._digests}
        await self._learn(conn, key, members=members, entries=entries)
        digests = [self._digest(key, event) for event in events]
        cards = await queries.cards(conn, digests={digest for digest in digests if digest})
        return [
            _concerned(
                account=None if event.member is None else self._accounts.get((key, event.member)),
                digest=digest,
                cards=cards,
            )
            for event, digest in zip(events, digests, strict=True)
        ]

    def _forget_when_full(self) -> None:
        if len(self._accounts) > REMEMBERED_MAX:
            self._accounts.clear()
        if len(self._digests) > REMEMBERED_MAX:
            self._digests.clear()

    def _digest(self, key: bytes, event: Event) -> bytes | None:
        if event.entry is not None:
            return self._digests.get((key, event.entry))
        if event.sealed is None:
            return None
        try:
            return unseal(event.sealed, self._sealing_private)
        except WireError:
            return None

    async def _learn(
        self,
        conn: Connection,
        key: bytes,
        *,
        members: Collection[MemberRef],
        entries: Collection[Entry],
    ) -> None:
        if members:
            accounts = await queries.account_ids(conn)
            found = await asyncio.to_thread(_find_accounts, key, accounts, members)
            self._accounts |= {(key, member): account for member, account in found.items()}
        if entries:
            digests = await queries.card_digests(conn)
            named = await asyncio.to_thread(_find_digests, key, digests, entries)
            self._digests |= {(key, name): digest for name, digest in named.items()}


def _concerned(
    *, account: int | None, digest: bytes | None, cards: Mapping[bytes, Sequence[CardRow]]
) -> Concerned:
    if digest is None:
        return Concerned(account)
    rows = cards.get(digest, ())
    # A card may have gone from one person to another: the controller says whose it was to it.
    hers = [row for row in rows if account is None or row.account == account]
    if hers:
        is_lost = hers[0].lost_at is not None
        return Concerned(hers[0].account, hers[0].id, digest if is_lost else None)
    return Concerned(account, assignable=digest if account is None else None)


def _find_accounts(
    key: bytes, accounts: Sequence[int], wanted: Collection[MemberRef]
) -> dict[MemberRef, int]:
    names = ((member_ref(key, AccountRef(account)), account) for account in accounts)
    return {name: account for name, account in names if name in wanted}


def _find_digests(
    key: bytes, digests: Sequence[bytes], wanted: Collection[Entry]
) -> dict[Entry, bytes]:
    names = ((entry(key, SiteDigest(digest)), digest) for digest in digests)
    return {name: digest for name, digest in names if name in wanted}
