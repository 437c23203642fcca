"""Each page as each role, with whatever leads on from it: nobody is shown what is not for her."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import pytest
import pytest_asyncio

from tests.support.waiting import eventually
from tests.walk.markup import Page
from tests.walk.place import STATIC, STREAM, Answer, Place
from tests.walk.private_facts import SECRETS
from tests.walk.roles import MEMBERS, Role
from tests.walk.states import something_happens

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALIKE_MAX = 3
ALL_OF_THEM = frozenset({"GET /log/taps/{event}"})
"""No two of these are alike: at a door or a tool, let in or refused, by somebody or nobody."""
SILENCE_SECONDS = 0.5
"""After it a stream has told everything."""
ROLES = sorted(Role)


Shown = Mapping[str, str]
"""By path what is answered there."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(place: Place) -> Mapping[Role, Shown]:
    """All that each role can read, and what her open pages hear."""
    walked = {role: await _walk(place, role) for role in ROLES}
    heard = await _streams(place)
    return {role: {**walked[role], STREAM: heard[role]} for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
async def test_no_page_shows_what_is_not_for_the_visitor(shown: Mapping[Role, Shown], role: Role):
    leaks = [
        f"{path} shows {role} the {name}"
        for path, text in shown[role].items()
        for name, secret in SECRETS.items()
        # The address that was asked stands in the form that leads back to it.
        if role not in secret.may and secret.is_in(text.replace(path, ""))
    ]
    assert not leaks, "\n".join(leaks)


async def test_what_is_kept_secret_is_shown_to_those_whom_it_is_for(shown: Mapping[Role, Shown]):
    """Else the words that are looked for would be wrong."""
    unseen = [
        name
        for name, secret in SECRETS.items()
        if secret.is_shown
        and not any(secret.is_in(text) for role in secret.may for text in shown[role].values())
    ]
    assert not unseen, f"nobody is shown these, so a leak of them would not be found: {unseen}"


@pytest.mark.parametrize("role", sorted(MEMBERS))
async def test_nobody_is_found_by_what_the_searcher_may_not_see(
    place: Place, shown: Mapping[Role, Shown], role: Role
):
    searches = {
        (urlsplit(form.action).path, field.name)
        for text in shown[role].values()
        for form in Page(text).forms
        if form.method == "get"
        for field in form.fields
    } | {("/suggestions/people", "username")}
    for path, field in sorted(searches):
        anyhow = await place.ask(role, "GET", f"{path}?{field}=nothing-of-the-kind")
        if "Vera Walker" in anyhow.text:
            continue  # it is no search: she is there whatever is typed
        for name, secret in SECRETS.items():
            if role in secret.may:
                continue
            answer = await place.ask(role, "GET", f"{path}?{field}={quote(secret.words[0])}")
            # What was typed stands in the answer; whom it found must not.
            assert "Vera Walker" not in answer.text, f"{role} finds Vera by the {name}"


@pytest.mark.parametrize("role", ROLES)
async def test_no_answer_to_a_form_shows_what_is_not_for_the_visitor(place: Place, role: Role):
    """Comes last in this file: some of these do what they say."""
    for name in place.routes("POST", "PUT", "PATCH", "DELETE"):
        method = name.split()[0]
        for path in place.paths(name)[:1]:
            visitor = await place.visitor(role, is_new=True)
            for is_htmx in (True, False):
                answer = await place.ask(visitor, method, path, is_htmx=is_htmx)
                for what, secret in SECRETS.items():
                    assert role in secret.may or not secret.is_in(answer.text), (
                        f"{method} {path} shows {role} the {what}"
                    )


async def _walk(place: Place, role: Role) -> Shown:
    """Whatever this role can read: from the first page by links, and by each route with each id.

    Of each route at most `ALIKE_MAX` pages: the first ids are those with most to tell.
    """
    shown: dict[str, str] = {}
    alike: Counter[str | None] = Counter()
    waiting = deque(["/", *(path for name in place.routes("GET") for path in place.paths(name))])
    seen: set[str] = set()
    while waiting:
        path = waiting.popleft()
        name = place.route_of("GET", path)
        is_enough = alike[name] >= ALIKE_MAX and name not in ALL_OF_THEM
        if path in seen or is_enough or name in {f"GET {STATIC}", f"GET {STREAM}"}:
            continue
        seen.add(path)
        alike[name] += 1
        for is_htmx in (False, True):
            answer = await place.ask(role, "GET", path, is_htmx=is_htmx)
            assert answer.status < 500, f"{path} answers {role} with {answer.status}"
            shown[f"{path}{' (fragment)' if is_htmx else ''}"] = answer.text + answer.location
            waiting += _links(path, answer)
    return shown


def _links(path: str, answer: Answer) -> list[str]:
    found = [answer.location] if answer.location else []
    if answer.is_page:
        page = Page(answer.text)
        found += [*page.links, *page.asked]
    there = (urlsplit(urldefrag(urljoin(path, link))[0]) for link in found)
    return [
        parts.path + (f"?{parts.query}" if parts.query else "")
        for parts in there
        if not parts.scheme and not parts.netloc
    ]


async def _streams(place: Place) -> Mapping[Role, str]:
    """What open pages of all roles are told at first, and of what happens then."""
    told = {role: bytearray() for role in ROLES}
    listening = [asyncio.create_task(_listen(place, role, told[role])) for role in ROLES]
    try:
        await eventually(lambda: all(told[role] for role in MEMBERS))
        at_first = await _silence(told)
        await something_happens(place.site.connection)
        await eventually(lambda: all(len(told[role]) > at_first[role] for role in MEMBERS))
        await _silence(told)
    finally:
        for one in listening:
            one.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return {role: heard.decode() for role, heard in told.items()}


async def _listen(place: Place, role: Role, told: bytearray) -> None:
    client = await place.visitor(role)
    async with client.get(STREAM, allow_redirects=False) as response:
        while chunk := await response.content.readany():
            told += chunk


async def _silence(told: Mapping[Role, bytearray]) -> Mapping[Role, int]:
    """Comes back once nobody hears anything, with how much each has heard."""
    while True:
        before = {role: len(heard) for role, heard in told.items()}
        await asyncio.sleep(SILENCE_SECONDS)
        if before == {role: len(heard) for role, heard in told.items()}:
            return before
