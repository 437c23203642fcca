"""SQL of the journals: what controllers have recorded, and whom it concerns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection
from sync.ids import ControllerId, JournalId


@dataclass(frozen=True, slots=True)
class JournalRow:
    """How far a journal is stored; `head_kind` None: nothing is, or its last event is missing."""

    acknowledged: int
    head_hash: bytes
    head_kind: str | None


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card, lost or not."""

    id: int
    account: int
    site_digest: bytes = field(repr=False)
    lost_at: datetime | None


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What somebody asked this controller to do."""

    id: str
    point: str
    actor: int
    operation: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A row of access.event. None: doesn't apply, or isn't known."""

    seq: int
    hash: bytes
    happened_at: datetime
    clock_trusted: bool
    kind: str
    payload: str = field(repr=False)
    point: str | None = None
    tap_id: str | None = None
    reason: str | None = None
    assurance: int | None = None
    account: int | None = None
    card: int | None = None
    credential_type: str | None = None
    site_digest: bytes | None = field(default=None, repr=False)
    command: str | None = None
    epoch: int | None = None
    serial: int | None = None


async def count_journals(conn: Connection, *, controller: ControllerId) -> int:
    """How many journals a controller has had."""
    cursor = await conn.execute(
        "select count(*) from access.journal where controller = %(controller)s",
        {"controller": controller},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def add_journal(
    conn: Connection, *, controller: ControllerId, journal: JournalId, genesis: bytes
) -> None:
    """Begins a journal; does nothing where it is known."""
    await conn.execute(
        """
        insert into access.journal (controller, journal_id, acknowledged, head_hash)
        values (%(controller)s, %(journal)s, 0, %(genesis)s)
        on conflict do nothing
        """,
        {"controller": controller, "journal": journal, "genesis": genesis},
    )


async def lock_journal(
    conn: Connection, *, controller: ControllerId, journal: JournalId
) -> JournalRow | None:
    """The journal, which nobody else changes until the transaction ends; None: not known."""
    async with conn.cursor(row_factory=class_row(JournalRow)) as cursor:
        await cursor.execute(
            """
            select j.acknowledged, j.head_hash,
                   (select e.kind from access.event e
                     where e.controller = j.controller and e.journal_id = j.journal_id
                       and e.seq = j.acknowledged) as head_kind
              from access.journal j
             where j.controller = %(controller)s and j.journal_id = %(journal)s
               for no key update of j
            """,
            {"controller": controller, "journal": journal},
        )
        return await cursor.fetchone()


async def acknowledged(
    conn: Connection, *, controller: ControllerId, journal: JournalId
) -> int | None:
    """How far a journal is stored; None: it is not known."""
    cursor = await conn.execute(
        """
        select acknowledged from access.journal
         where controller = %(controller)s and journal_id = %(journal)s
        """,
        {"controller": controller, "journal": journal},
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def advance_journal(
    conn: Connection, *, controller: ControllerId, journal: JournalId, seq: int, head_hash: bytes
) -> None:
    """Everything up to `seq` is stored."""
    await conn.execute(
        """
        update access.journal
           set acknowledged = %(seq)s, head_hash = %(head_hash)s, last_seen = now()
         where controller = %(controller)s and journal_id = %(journal)s
        """,
        {"controller": controller, "journal": journal, "seq": seq, "head_hash": head_hash},
    )


async def stored_hashes(
    conn: Connection, *, controller: ControllerId, journal: JournalId, first: int, last: int
) -> dict[int, bytes]:
    """Hashes of the stored events from `first` to `last`."""
    cursor = await conn.execute(
        """
        select seq, hash from access.event
         where controller = %(controller)s and journal_id = %(journal)s
           and seq between %(first)s and %(last)s
        """,
        {"controller": controller, "journal": journal, "first": first, "last": last},
    )
    return {int(seq): bytes(hash_) for seq, hash_ in await cursor.fetchall()}


async def add_events(
    conn: Connection,
    *,
    controller: ControllerId,
    journal: JournalId,
    received_at: datetime,
    events: Sequence[NewEvent],
) -> dict[int, int]:
    """Stores events, and announces each as `access_event`; gives the id of each seq."""
    cursor = await conn.execute(
        """
        with stored as (
          insert into access.event
            (controller, journal_id, received_at, seq, hash, happened_at, clock_trusted, kind,
             payload, point, tap_id, reason, assurance, account, card, credential_type,
             site_digest, command, epoch, serial)
          select %(controller)s, %(journal)s, %(received_at)s, new.*
            from unnest(
              %(seq)s::bigint[], %(hash)s::bytea[], %(happened_at)s::timestamptz[],
              %(clock_trusted)s::boolean[], %(kind)s::text[], %(payload)s::text[],
              %(point)s::text[], %(tap_id)s::text[], %(reason)s::text[],
              %(assurance)s::smallint[], %(account)s::bigint[], %(card)s::bigint[],
              %(credential_type)s::text[], %(site_digest)s::bytea[], %(command)s::text[]::uuid[],
              %(epoch)s::bigint[], %(serial)s::bigint[]
            ) as new
          returning id, seq
        )
        select seq, id, pg_notify('access_event', id::text) from stored
        """,
        {
            "controller": controller,
            "journal": journal,
            "received_at": received_at,
            "seq": [event.seq for event in events],
            "hash": [event.hash for event in events],
            "happened_at": [event.happened_at for event in events],
            "clock_trusted": [event.clock_trusted for event in events],
            "kind": [event.kind for event in events],
            "payload": [event.payload for event in events],
            "point": [event.point for event in events],
            "tap_id": [event.tap_id for event in events],
            "reason": [event.reason for event in events],
            "assurance": [event.assurance for event in events],
            "account": [event.account for event in events],
            "card": [event.card for event in events],
            "credential_type": [event.credential_type for event in events],
            "site_digest": [event.site_digest for event in events],
            "command": [event.command for event in events],
            "epoch": [event.epoch for event in events],
            "serial": [event.serial for event in events],
        },
    )
    return {int(row[0]): int(row[1]) for row in await cursor.fetchall()}


async def name_openings(
    conn: Connection, *, event_ids: Sequence[int], legacy_ids: Sequence[int]
) -> None:
    """Remembers which row of the legacy table `event` each event has become."""
    await conn.execute(
        """
        update access.event e
           set legacy_event = new.legacy
          from unnest(%(event_ids)s::bigint[], %(legacy_ids)s::bigint[]) as new (id, legacy)
         where e.id = new.id
        """,
        {"event_ids": list(event_ids), "legacy_ids": list(legacy_ids)},
    )


async def answer_command(
    conn: Connection, *, controller: ControllerId, command: str, result: str, at: datetime
) -> bool:
    """Writes down what became of a command of this controller's; False: it was known before.

    Only that an opening moved no relay after all is news about one that was executed.
    """
    cursor = await conn.execute(
        """
        update access.command
           set result = %(result)s, result_at = %(at)s
         where id = %(command)s::uuid and controller = %(controller)s
           and (result is null or (result = 'executed' and %(result)s <> 'executed'))
        """,
        {"controller": controller, "command": command, "result": result, "at": at},
    )
    return cursor.rowcount == 1


async def commands(
    conn: Connection, *, controller: ControllerId, ids: Iterable[str]
) -> dict[str, CommandRow]:
    """Those of these commands that were given to this controller, by id."""
    async with conn.cursor(row_factory=class_row(CommandRow)) as cursor:
        await cursor.execute(
            """
            select id::text as id, point, actor, operation from access.command
             where id = any(%(ids)s::text[]::uuid[]) and controller = %(controller)s
            """,
            {"controller": controller, "ids": list(ids)},
        )
        return {row.id: row for row in await cursor.fetchall()}


async def account_ids(conn: Connection) -> list[int]:
    """Everybody's."""
    cursor = await conn.execute("select id from account")
    return [int(row[0]) for row in await cursor.fetchall()]


async def card_digests(conn: Connection) -> list[bytes]:
    """Of all cards, the lost ones too."""
    cursor = await conn.execute("select distinct site_digest from access.card")
    return [bytes(row[0]) for row in await cursor.fetchall()]


async def cards(conn: Connection, *, digests: Iterable[bytes]) -> Mapping[bytes, Sequence[CardRow]]:
    """The cards with these digests: those in use first, then the one that was lost last."""
    found: dict[bytes, list[CardRow]] = {}
    async with conn.cursor(row_factory=class_row(CardRow)) as cursor:
        await cursor.execute(
            """
            select id, account, site_digest, lost_at from access.card
             where site_digest = any(%(digests)s::bytea[])
             order by lost_at desc nulls first, id desc
            """,
            {"digests": list(digests)},
        )
        for row in await cursor.fetchall():
            found.setdefault(bytes(row.site_digest), []).append(row)
    return found


async def quarantine(conn: Connection, *, controller: ControllerId, reason: str) -> None:
    """Nothing more is believed from this controller, nothing more is sent to it."""
    await conn.execute(
        """
        with done as (
          update access.controller
             set quarantined_at = now(), quarantine_reason = %(reason)s
           where id = %(controller)s and quarantined_at is null
          returning id
        )
        select pg_notify('access_report', id) from done
        """,
        {"controller": controller, "reason": reason},
    )
