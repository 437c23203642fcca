"""Every form of every page, sent as nobody should: refused in words, and nothing written."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_asyncio

from tests.support.console_app import Client
from tests.walk.markup import Form, Page
from tests.walk.place import STATIC, Answer, Place, Rows, changed
from tests.walk.roles import Role
from tests.walk.spoiling import AS_DATES, AS_NUMBERS, EVERYWHERE, Body, encoded, spoiled, valid

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDRESS_CHARACTERS_MAX = 4_000
"""Longer addresses don't reach the console's own code."""
SAID = ('role="alert"', 'class="mistake"', "notice is-bad", "problem-page")
"""Where a page says what is wrong: beside the field, in the notice, or instead of the page."""
TYPED_INTO = frozenset({"text", "email", "tel", "textarea", "date", "number"})
VERSIONS = frozenset({"version", "was"})
ONLY_SHOWN = frozenset({"POST /set-new-password"})
"""The user name, for what keeps a browser's passwords."""
GROWS = re.compile(r"public\.(transaction|event|\w+_version)|access\.(event|command|audit\w*)")
"""Tables that rightly tell of each try."""


@dataclass(frozen=True, slots=True)
class Found:
    """A form, and for whom it is."""

    role: Role
    route: str
    form: Form


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forms(place: Place) -> list[Found]:
    """Of each kind one; those that only ask whether one is sure come last."""
    found: dict[object, Found] = {}
    for role in (Role.ADMIN, *Role):
        for path in place.pages():
            answer = await place.ask(role, "GET", path)
            for form in Page(answer.text).forms if answer.is_page else ():
                route = place.route_of(form.method.upper(), form.action)
                assert route, f"{path}: nothing answers {form.method} {form.action}"
                kind = (route, *(one.name for one in form.fields))
                found.setdefault(kind, Found(role, route, form))
    return sorted(found.values(), key=lambda one: all(f.kind == "hidden" for f in one.form.fields))


async def test_there_are_forms(forms: list[Found]):
    assert {
        "POST /login",
        "POST /set-new-password",
        "POST /circles/{circle}/members",
        "GET /members",
    } <= {one.route for one in forms}


async def test_whatever_is_typed_is_answered_in_words_and_written_whole_or_not_at_all(
    place: Place, forms: list[Found]
):
    wrong: list[str] = []
    for one in forms:
        visitor = await place.visitor(one.role, is_new=True)
        before = await place.rows()
        for number, (how, body) in enumerate(spoiled(one.form)):
            answer = await _send(place, visitor, one.form, body, is_htmx=number % 2 == 1)
            after = await place.rows()
            problem = _problem(answer, before, after)
            if problem:
                wrong.append(f"{one.route} ({one.role}, {how}): {problem}")
            before = after
    assert not wrong, "\n".join(wrong)


async def test_a_form_that_shows_what_is_stored_says_which_version_of_it(forms: list[Found]):
    """So that whoever sends it late overwrites nothing that somebody else has saved meanwhile."""
    wrong = {
        one.route
        for one in forms
        if one.form.method == "post"
        and one.route not in ONLY_SHOWN
        and any(field.value and field.kind in TYPED_INTO for field in one.form.fields)
        and not any(field.name in VERSIONS for field in one.form.fields)
    }
    assert not wrong, f"see console/web/versions.py: {sorted(wrong)}"


async def test_a_form_sent_twice_at_once_is_done_once(place: Place, forms: list[Found]):
    wrong: list[str] = []
    for one in forms:
        if one.form.method == "get":
            continue
        visitor = await place.visitor(one.role, is_new=True)
        body = encoded(valid(one.form).items())
        before = await place.rows()
        answers = await asyncio.gather(
            *(_send(place, visitor, one.form, body, is_htmx=False) for _ in range(2))
        )
        grown = {
            table: count - before[table][0]
            for table, (count, _) in (await place.rows()).items()
            if count > before[table][0] + 1 and not GROWS.fullmatch(table)
        }
        statuses = [answer.status for answer in answers]
        if not {status for status in statuses if status >= 500} <= {503} or grown:
            wrong.append(f"{one.route} ({one.role}): {statuses}, rows {grown}")
    assert not wrong, "\n".join(wrong)


async def test_what_stands_behind_the_question_mark_of_a_link_may_be_anything(place: Place):
    asked: dict[tuple[str, str], Role] = {}
    for role in (Role.ADMIN, Role.MEMBER, Role.NOBODY):
        for path in place.pages():
            answer = await place.ask(role, "GET", path)
            for link in Page(answer.text).links if answer.is_page else ():
                parts = urlsplit(link)
                for field, _ in parse_qsl(parts.query):
                    if place.route_of("GET", parts.path):
                        asked.setdefault((parts.path, field), role)
    asked |= {("/login", field): Role.NOBODY for field in ("next", "show_message")}
    wrong: list[str] = []
    for (path, field), role in sorted(asked.items()):
        before = await place.rows()
        for value in (*EVERYWHERE, *AS_NUMBERS, *AS_DATES):
            query = urlencode({field: value})[:ADDRESS_CHARACTERS_MAX]
            answer = await place.ask(role, "GET", f"{path}?{query}")
            problem = _problem(answer, before, await place.rows())
            if problem:
                wrong.append(f"{path}?{field}={value[:20]!r} ({role}): {problem}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_is_not_there_is_said_not_to_be_there(place: Place, method: str):
    wrong: list[str] = []
    for name in place.routes(method):
        path = name.partition(" ")[2]
        if "{" not in path or path == STATIC:
            continue
        for absent in ("0", "999999999999999999", "nowhere"):
            asked = re.sub(r"\{\w+\}", absent, path)
            if place.route_of(method, asked) is None:
                continue
            before = await place.rows()
            answer = await place.ask(Role.ADMIN, method, asked)
            # Companies are not for admins.
            # A form that is looked at first may be refused for what it lacks.
            allowed = {200, 403, 404} if method == "GET" else {303, 400, 403, 404, 422}
            if answer.status not in allowed or changed(before, await place.rows()):
                wrong.append(f"{method} {asked}: {answer.status}")
    assert not wrong, "\n".join(wrong)


async def _send(place: Place, visitor: Client, form: Form, body: Body, *, is_htmx: bool) -> Answer:
    if form.method == "get":
        query = body.decode("latin-1")[:ADDRESS_CHARACTERS_MAX]
        return await place.ask(visitor, "GET", f"{form.action}?{query}", is_htmx=is_htmx)
    return await place.ask(visitor, "POST", form.action, is_htmx=is_htmx, data=body)


def _problem(answer: Answer, before: Rows, after: Rows) -> str | None:
    if answer.status >= 500 and answer.status != 503:  # that it is out of reach may be true
        return f"answered with {answer.status}"
    if answer.status < 400:
        return None
    written = changed(before, after)
    if written:
        return f"refused with {answer.status}, and yet {written} changed"
    if not any(words in answer.text for words in SAID):
        return f"refused with {answer.status} and no words: {answer.text[:100]}"
    return None
