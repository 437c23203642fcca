"""One seeded console for each file of walks."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.support.postgres import TEMPLATE, Postgres
from tests.walk.place import Place, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(postgres: Postgres) -> AsyncGenerator[Place]:
    """The seeded makerspace; what a test changes, the next ones find."""
    with postgres.database(template=TEMPLATE) as url:
        async with opened(url) as place:
            yield place
