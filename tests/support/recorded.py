"""Rows of events as ingest leaves them, for tests of what pages make of them."""

from datetime import UTC, datetime, timedelta

from console.database import Connection


async def event(
    connection: Connection,
    *,
    kind: str = "access_granted",
    seconds_ago: float = 60,
    reason: str | None = None,
    point: str | None = "front",
    account: int | None = None,
    card: int | None = None,
    site_digest: bytes | None = None,
    clock_trusted: bool = True,
    controller: str = "front-pi",
    epoch: int | None = None,
    serial: int | None = None,
    tap_id: str | None = None,
) -> int:
    """An event, and the NOTIFY that goes with it. Returns its id.

    `clock_trusted` False: `happened_at` is when it arrived, as ingestion has it.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            """
            insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted,
              kind, point, reason, account, card, credential_type, site_digest, payload, epoch,
              serial, tap_id)
            values (%(controller)s, 'journal',
              (select coalesce(max(seq), 0) + 1 from access.event
                where controller = %(controller)s),
              '\\x00', %(happened_at)s, %(clock_trusted)s, %(kind)s, %(point)s, %(reason)s,
              %(account)s, %(card)s, 'em4100', %(site_digest)s, '{}', %(epoch)s, %(serial)s,
              %(tap_id)s)
            returning id
            """,
            {
                "controller": controller,
                "happened_at": datetime.now(UTC) - timedelta(seconds=seconds_ago),
                "clock_trusted": clock_trusted,
                "kind": kind,
                "point": point,
                "reason": reason,
                "account": account,
                "card": card,
                "site_digest": site_digest,
                "epoch": epoch,
                "serial": serial,
                "tap_id": tap_id,
            },
        )
        row = await cursor.fetchone()
        assert row is not None
        await connection.execute("select pg_notify('access_event', %s)", [str(row[0])])
        return int(row[0])
