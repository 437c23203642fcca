"""The migration files: which there are, in which order, and whether one was changed."""

import hashlib
import re
from pathlib import Path

from msgspec import Struct

from console.errors import ConsoleError

FOLDER = Path(__file__).parent
LEGACY = "V001."
"""Files of the schema that the web app before us has made."""
LEGACY_ROLES = "V001.009"
"""V001 files from here on make roles, grants and rows, no tables."""


class MigrationRefused(ConsoleError):
    """The database is not one that we may change; nothing was. The message says what is wrong."""


class Migration(Struct, frozen=True):
    """One file: `V002.001__access.sql` has version `V002.001` and name `access`."""

    version: str
    name: str
    sql: bytes

    @property
    def file_name(self) -> str:
        """As it lies in the folder."""
        return f"{self.version}__{self.name}.sql"

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, the same whatever line ends a checkout has."""
        return hashlib.sha256(self.sql.replace(b"\r\n", b"\n")).hexdigest()


def read_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """All migrations in the order in which they run. Raises: MigrationRefused for an odd name."""
    migrations: list[Migration] = []
    for file in sorted(folder.glob("*.sql")):
        parts = re.fullmatch(r"(V\d{3}\.\d{3})__([a-z0-9_]+)\.sql", file.name)
        if parts is None:
            raise MigrationRefused(f"{file.name}: a migration is named V002.001__what.sql")
        migrations.append(Migration(parts[1], parts[2], file.read_bytes()))
    versions = [migration.version for migration in migrations]
    if len(set(versions)) < len(versions):
        raise MigrationRefused("two migrations have the same version")
    return tuple(migrations)
