"""SQL of what a page that explains has to know: a tap, and the rights of that time."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection
from sync.events import EventKind
from sync.ids import PointKey

_TAPS = (EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED, EventKind.ACCESS_WITHDRAWN)


@dataclass(frozen=True, slots=True)
class TapRow:
    """A tap as it was told, and the card as it is known now.

    `owner_id`: who has the card now, since `owned_since`; None: nobody has it, or that is not told.
    `account_id` None: nobody had the card, or has no account any more. `epoch` and `serial` None:
    the controller didn't ask its rights. `withdrawn`: why a yes of the same tap didn't hold.
    """

    event_id: int
    kind: str
    controller: str
    point: str | None
    place: str | None
    is_tool: bool
    tool_id: int | None
    happened_at: datetime
    clock_trusted: bool
    reason: str | None
    assurance: int | None
    account_id: int | None
    name: str | None
    card_id: int | None
    card_label: str | None
    card_type: str | None
    card_since: datetime | None
    card_by: str | None
    lost_at: datetime | None
    owner_id: int | None
    owner: str | None
    owned_since: datetime | None
    epoch: int | None
    serial: int | None
    withdrawn: str | None
    payload: str = field(repr=False)
    site_digest: bytes | None = field(repr=False)
    entry_key: bytes | None = field(repr=False)

    @property
    def is_anothers_now(self) -> bool:
        """Whether somebody has the card now who didn't have it then."""
        return self.owner_id is not None and self.owner_id != self.account_id

    @property
    def is_lost(self) -> bool:
        """Whether the card is marked lost, and was not given to the same person anew."""
        return self.lost_at is not None and not (
            self.owned_since is not None and self.owner_id == self.account_id
        )

    def without_owner(self) -> "TapRow":
        """For whoever may not know whose a card is, unless it is still the same person's."""
        return replace(self, owner_id=None, owner=None) if self.is_anothers_now else self

    @property
    def has_opened(self) -> bool:
        """Whether the answer was a yes that held."""
        return self.kind == EventKind.ACCESS_GRANTED and self.withdrawn is None


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The rights by which a controller decided. `next_at`: when new ones were made; None: never."""

    made_at: datetime
    next_at: datetime | None
    digest: bytes
    envelope: bytes = field(repr=False)


async def tap(conn: Connection, *, event_id: int) -> TapRow | None:
    """A tap; None: there is no such event, or it is something else."""
    async with conn.cursor(row_factory=class_row(TapRow)) as cursor:
        await cursor.execute(
            """
            select e.id as event_id, e.kind, e.controller, e.point,
                   coalesce(d.name, t.name, e.point) as place,
                   d.key is null and p.key is not null as is_tool, t.id as tool_id,
                   e.happened_at, e.clock_trusted, e.reason, e.assurance,
                   a.id as account_id, coalesce(nullif(a.name, ''), a.username) as name,
                   k.id as card_id, k.label as card_label, e.credential_type as card_type,
                   k.created_at as card_since,
                   coalesce(nullif(b.name, ''), b.username) as card_by, k.lost_at,
                   o.id as owner_id, coalesce(nullif(o.name, ''), o.username) as owner,
                   n.created_at as owned_since,
                   e.epoch, e.serial, e.payload,
                   coalesce(k.site_digest, e.site_digest) as site_digest, c.entry_key,
                   (select coalesce(w.reason, '') from access.event w
                     where w.controller = e.controller and w.journal_id = e.journal_id
                       and w.seq between e.seq + 1 and e.seq + 200
                       and w.kind = 'access_withdrawn' and w.tap_id = e.tap_id
                     limit 1) as withdrawn
              from access.event e
              join access.controller c on c.id = e.controller
              left join access.door d on d.key = e.point
              left join access.tool_point p on p.key = e.point
              left join tool_description t on t.id = p.tool
              left join access.card k on k.id = e.card
              left join account a on a.id = coalesce(e.account, k.account) and not a.system
              left join account b on b.id = k.created_by
              left join access.card n on n.lost_at is null
                and n.site_digest = coalesce(k.site_digest, e.site_digest)
              left join account o on o.id = n.account and not o.system
             where e.id = %(event_id)s and e.kind = any(%(kinds)s) and e.command is null
            """,
            {"event_id": event_id, "kinds": list(_TAPS)},
        )
        return await cursor.fetchone()


async def snapshot(
    conn: Connection, *, controller: str, epoch: int, serial: int
) -> SnapshotRow | None:
    """The rights with this number; None: they are not kept any more."""
    async with conn.cursor(row_factory=class_row(SnapshotRow)) as cursor:
        await cursor.execute(
            """
            select s.made_at, s.digest, s.envelope,
                   (select n.made_at from access.snapshot n
                     where n.controller = s.controller
                       and (n.epoch, n.serial) > (s.epoch, s.serial)
                     order by n.epoch, n.serial
                     limit 1) as next_at
              from access.snapshot s
             where s.controller = %(controller)s
               and s.epoch = %(epoch)s and s.serial = %(serial)s
            """,
            {"controller": controller, "epoch": epoch, "serial": serial},
        )
        return await cursor.fetchone()


async def point_of_tool(conn: Connection, *, tool_id: int) -> PointKey | None:
    """A tool's key; None: there is no such tool."""
    cursor = await conn.execute(
        """
        select coalesce(p.key, 'tool-' || t.id)
          from tool_description t left join access.tool_point p on p.tool = t.id
         where t.id = %(tool_id)s
        """,
        {"tool_id": tool_id},
    )
    row = await cursor.fetchone()
    return None if row is None else PointKey(row[0])
