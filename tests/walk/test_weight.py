"""What each page weighs when it is opened for the first time, in a makerspace with many people."""

import gzip
import re

import pytest
import pytest_asyncio

from console.front.alarms import ALARMS
from console.web.language import COOKIE
from tests.walk.crowd import crowd
from tests.walk.markup import Page
from tests.walk.place import STREAM, Place
from tests.walk.roles import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_LOAD_BYTES_MAX = 100_000
SCRIPTS_GZIPPED_BYTES_MAX = 45_000
STYLES_BYTES_MAX = 15_000
OURS = re.compile(r"/static/.+|/members/[0-9]+/photo")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowded(place: Place) -> Place:
    """The place, with many people in it, and as many alarms as the bar tells."""
    await crowd(place.site.connection)
    await place.site.app[ALARMS].look()
    return place


@pytest.mark.parametrize(
    ("role", "language"), [*((role, "en") for role in sorted(Role)), (Role.ADMIN, "nb")]
)
async def test_a_first_load_is_light_and_all_of_it_is_ours(
    crowded: Place, role: Role, language: str
):
    wrong: list[str] = []
    weights: dict[str, int] = {}
    for path in [*crowded.pages(), "/nowhere"]:
        if path == STREAM:
            continue
        answer = await crowded.ask(role, "GET", path, cookies={COOKIE: language})
        if not answer.is_page or not answer.text.startswith("<!doctype html>"):
            continue
        page = Page(answer.text)
        wrong += [f"{path} has {inline} in it" for inline in page.inline]
        wrong += [f"{path} loads {it}" for it in page.loads if not OURS.fullmatch(it)]
        total = len(answer.text.encode())
        for address in page.loads:
            if address not in weights:
                weights[address] = len(await _file(crowded, address, role))
            total += weights[address]
        if total > FIRST_LOAD_BYTES_MAX:
            wrong.append(f"{path} weighs {total} bytes, {len(answer.text.encode())} by itself")
    assert not wrong, "\n".join(wrong)


async def test_all_scripts_and_all_styles_are_light(place: Place):
    page = Page((await place.ask(Role.ADMIN, "GET", "/")).text)
    files = {address: await _file(place, address) for address in page.loads}
    scripts = [data for address, data in files.items() if address.endswith(".js")]
    styles = [data for address, data in files.items() if address.endswith(".css")]
    assert scripts
    assert styles
    assert sum(len(gzip.compress(data)) for data in scripts) <= SCRIPTS_GZIPPED_BYTES_MAX
    assert sum(len(data) for data in styles) <= STYLES_BYTES_MAX


async def _file(place: Place, address: str, role: Role = Role.NOBODY) -> bytes:
    answer = await place.ask(role, "GET", address)
    assert answer.status == 200, address
    return answer.text.encode()
