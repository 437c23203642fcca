"""Brings a database to the schema of this program: the numbered files in `migrations/`.

Decides which files a database needs, and refuses one that it doesn't recognise. Which database, and
when, is left to the caller. V001 is the schema of the web app before us; an existing database of
that app is taken over without running V001. What was added can be taken out again.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import Enum

import psycopg
import structlog
from msgspec import Struct

from console.errors import DatabaseUnavailable
from console.migrations import queries
from console.migrations.files import LEGACY, Migration, MigrationRefused, read_migrations
from console.migrations.queries import Connection

log = structlog.get_logger()

CONNECT_SECONDS = 3
TURN = b"select pg_advisory_xact_lock(7016207016)"
"""One migration at a time. Any number does that nobody else uses."""


class Found(Enum):
    """What a database is before a migration."""

    FRESH = "fresh"
    LEGACY = "legacy"
    OURS = "ours"


class DatabaseState(Struct, frozen=True):
    """What a database is, and the versions that it lacks, in order."""

    found: Found
    pending: tuple[str, ...]


class MigrationResult(Struct, frozen=True):
    """What was done: versions that ran, and versions that the database already had without us."""

    found: Found
    applied: tuple[str, ...]
    recorded: tuple[str, ...]


async def state_of(
    conninfo: str, *, migrations: Sequence[Migration] | None = None
) -> DatabaseState:
    """What the database is now; changes nothing.

    Raises: DatabaseUnavailable; MigrationRefused when `migrate` would refuse it.
    """
    known = tuple(migrations or read_migrations())
    with _explained("the database"):
        async with await _connect(conninfo) as connection:
            found, pending = await _examine(connection, known)
            await connection.rollback()
    return DatabaseState(found, tuple(migration.version for migration in pending))


async def migrate(
    conninfo: str, *, migrations: Sequence[Migration] | None = None
) -> MigrationResult:
    """Applies all that is missing in one transaction; does nothing when nothing is.

    Raises: DatabaseUnavailable; MigrationRefused, and then the database is as it was.
    """
    known = tuple(migrations or read_migrations())
    with _explained("the database"):
        async with await _connect(conninfo) as connection, connection.transaction():
            await _take_turn(connection)
            found, pending = await _examine(connection, known)
            result = await _apply(connection, found, pending)
    if pending:
        log.info(
            "database.migrated",
            found=found.value,
            applied=result.applied,
            recorded=result.recorded,
        )
    return result


async def is_ours(conninfo: str) -> bool:
    """Whether there is anything of ours in the database. Raises: DatabaseUnavailable."""
    with _explained("the database"):
        async with await _connect(conninfo) as connection:
            return await queries.has_history(connection)


async def remove(conninfo: str) -> bool:
    """Takes all that is ours out again, in one transaction; False: there was nothing.

    The web app's tables stay as they are, also where V001 has made them: `migrate` would take them
    over. Raises: DatabaseUnavailable; MigrationRefused, and then the database is as it was.
    """
    with _explained("the database"):
        async with await _connect(conninfo) as connection, connection.transaction():
            await _take_turn(connection)
            if not await queries.has_history(connection):
                return False
            await connection.execute(queries.REMOVAL)
    log.info("database.removed")
    return True


async def _connect(conninfo: str) -> Connection:
    return await psycopg.AsyncConnection.connect(conninfo, connect_timeout=CONNECT_SECONDS)


async def _take_turn(connection: Connection) -> None:
    """Waits for a migration that runs beside this one, but never long for a table in use."""
    with _explained("another migration"):
        await connection.execute("set local lock_timeout = '60s'")
        await connection.execute(TURN)
        # The web app waits behind our lock while we wait for its transaction: not for long.
        await connection.execute("set local lock_timeout = '4s'")


async def _examine(
    connection: Connection, known: Sequence[Migration]
) -> tuple[Found, tuple[Migration, ...]]:
    if await queries.has_history(connection):
        return Found.OURS, _pending(known, await queries.history(connection))
    if await queries.has_schema(connection):
        raise MigrationRefused(
            "the database has a schema named access that isn't ours: use another database"
        )
    relations = await queries.relations(connection)
    if not relations:
        return Found.FRESH, tuple(known)
    missing = await queries.missing_columns(connection, known)
    if missing:
        shown = ", ".join(missing[:8]) + (" …" if len(missing) > 8 else "")
        raise MigrationRefused(
            f"this is neither an empty database nor a whole p2k16 database: it has {relations[0]}, "
            f"but lacks {shown}. Give p2k16 a database of its own, or a whole one to take over"
        )
    return Found.LEGACY, tuple(known)


def _pending(
    known: Sequence[Migration], applied: Sequence[queries.Applied]
) -> tuple[Migration, ...]:
    by_version = {migration.version: migration for migration in known}
    for row in applied:
        migration = by_version.get(row.version)
        if migration is None:
            raise MigrationRefused(
                f"the database has {row.version}, which this program doesn't know: "
                "a newer program made it; install that or a newer one"
            )
        if migration.checksum != row.checksum:
            raise MigrationRefused(
                f"{migration.file_name} was edited after it had been applied: "
                "put it back as it was, and make the change in a new file"
            )
    done = {row.version for row in applied}
    pending = tuple(migration for migration in known if migration.version not in done)
    for migration in pending:
        if done and migration.version < max(done):
            raise MigrationRefused(
                f"{migration.file_name} comes before {max(done)}, "
                "which is already applied: give it a higher number"
            )
    return pending


async def _apply(
    connection: Connection, found: Found, pending: Sequence[Migration]
) -> MigrationResult:
    if found is not Found.OURS:
        await connection.execute(queries.HISTORY)
    applied: list[str] = []
    recorded: list[str] = []
    for migration in pending:
        already_was = found is Found.LEGACY and migration.version.startswith(LEGACY)
        if already_was:
            recorded.append(migration.version)
        else:
            with _explained(migration.file_name):
                await connection.execute("set local search_path = public, pg_temp")
                await connection.execute(migration.sql)
            applied.append(migration.version)
        await queries.record(connection, migration, already_was=already_was)
    return MigrationResult(found, tuple(applied), tuple(recorded))


@contextmanager
def _explained(what: str) -> Generator[None]:
    """Turns what PostgreSQL complains of into an error of ours that names `what`."""
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise MigrationRefused(
            f"{what}: somebody else has held a lock for too long; nothing was changed, try again"
        ) from error
    except psycopg.errors.DependentObjectsStillExist as error:
        reason = (error.diag.message_detail or str(error)).splitlines()[0]
        raise MigrationRefused(f"{what}: {reason}: drop that first") from error
    except psycopg.Error as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if error.sqlstate is None or isinstance(error, psycopg.errors.OperatorIntervention):
            raise DatabaseUnavailable(f"PostgreSQL doesn't answer: {reason}") from error
        raise MigrationRefused(f"{what}: {reason}") from error
