"""Every form of every page, sent as nobody should: refused in words, and nothing written."""

import asyncio
import re
from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_asyncio

from console.cards.card import clean_label
from console.web.requests import DATA_PATHS
from console.web.versions import CHANGED_MEANWHILE
from tests.walk.found import ADDRESS_CHARACTERS_MAX, Found, find_forms, save, send
from tests.walk.markup import Form, Page
from tests.walk.place import STATIC, Answer, Place, Rows, changed
from tests.walk.roles import ALSO_LOOKED_AT, LOOKED_AT, Role
from tests.walk.spoiling import (
    AS_DATES,
    AS_NUMBERS,
    EVERYWHERE,
    Spoiled,
    changed_once,
    encoded,
    spoiled,
    valid,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID = ('role="alert"', 'class="mistake"', "notice is-bad", "problem-page")
"""Where a page says what is wrong: beside the field, in the notice, or instead of the page."""
TYPED_INTO = frozenset({"text", "email", "tel", "textarea", "date", "number"})
VERSIONS = frozenset({"version", "was"})
ONLY_SHOWN = frozenset({"POST /set-new-password"})
"""The user name, for what keeps a browser's passwords."""
CLEANED = {"label": clean_label}
"""Fields that hold one line without odd characters, whatever is typed."""
ON_NO_PAGE: Collection[str] = ()
"""Routes whose form stands on no page that is walked: each with the reason."""
GROWS = re.compile(
    r"public\.(transaction|event|\w+_version)|access\.(event|command|session_end|audit\w*)"
)
"""Tables that rightly tell of each try."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forms(place: Place) -> list[Found]:
    """All of them. Each is sent with everything as it was when it was found."""
    return await find_forms(place)


async def test_each_route_that_a_form_may_be_sent_to_has_one(place: Place, forms: list[Found]):
    """One that is missing here is sent by no test of this file, and its page is not walked."""
    routes = {name for name in place.routes("POST") if not name.split()[1].startswith(DATA_PATHS)}
    assert sorted(routes - {one.route for one in forms}) == sorted(ON_NO_PAGE)


async def test_each_form_is_on_a_page_that_is_looked_at(place: Place, forms: list[Found]):
    """By tests/walk/test_look.py."""
    unseen = {
        f"{one.route}: {one.role}, {one.path}"
        for one in forms
        if one.role not in LOOKED_AT
        and place.route_of("GET", one.path) not in ALSO_LOOKED_AT.get(one.role, ())
    }
    assert not unseen, "\n".join(sorted(unseen))


async def test_whatever_is_typed_is_answered_in_words_and_stored_as_it_is_or_not_at_all(
    place: Place, forms: list[Found]
):
    wrong: list[str] = []
    for one in forms:
        visitor = await place.visitor(one.role, is_new=True)
        before = await place.rows()
        for number, each in enumerate(spoiled(one.form)):
            act = save if each.typed else send
            answer = await act(place, visitor, one.form, each.body, is_htmx=number % 2 == 1)
            after = await place.rows()
            problem = _problem(answer, before, after)
            if each.typed and not problem and one.route not in ONLY_SHOWN:
                problem = await _not_stored(place, each, before, after)
            if problem:
                wrong.append(f"{one.route} ({one.role}, {each.how}): {problem}")
            if one.is_post and answer.status < 400:
                await place.begin_again()
            if answer.location.startswith("/login"):
                visitor = await place.visitor(one.role, is_new=True)
        place.leave()
    assert not wrong, "\n".join(wrong)


async def test_a_form_that_shows_what_is_stored_says_which_version_of_it(forms: list[Found]):
    """So that whoever sends it late overwrites nothing that somebody else has saved meanwhile."""
    wrong = {
        one.route
        for one in forms
        if one.is_post
        and one.route not in ONLY_SHOWN
        and any(field.value and field.kind in TYPED_INTO for field in one.form.fields)
        and not any(field.name in VERSIONS for field in one.form.fields)
    }
    assert not wrong, f"see console/web/versions.py: {sorted(wrong)}"


async def test_whoever_saves_what_somebody_has_changed_meanwhile_is_told_so_and_changes_nothing(
    place: Place, forms: list[Found]
):
    wrong: list[str] = []
    for one in forms:
        versions = VERSIONS & {field.name for field in one.form.fields if field.value}
        if not versions:
            continue  # nothing is there yet that anybody could have changed
        tried = 0
        before = await place.rows()
        for field, first, second in changed_once(one.form):
            visitor = await place.visitor(one.role, is_new=True)
            await save(place, visitor, one.form, encoded(first.items()))
            saved = await place.rows()
            place.fetch()  # else who enrols twice is led to the bundle of the first time
            if changed(before, saved):
                tried += 1
                without = {name: value for name, value in second.items() if name not in versions}
                for how, late in (("late", second), ("without a version", without)):
                    answer = await save(place, visitor, one.form, encoded(late.items()))
                    written = changed(saved, await place.rows())
                    if answer.status < 400 or written:
                        wrong.append(
                            f"{one.route} ({one.role}, {field}, {how}): {answer.status}, {written}"
                        )
            await place.begin_again()
        if not tried:
            wrong.append(f"{one.route} ({one.role}): nothing was changed, so nothing was tried")
    assert not wrong, "\n".join(wrong)


async def test_whoever_is_late_and_makes_a_mistake_as_well_is_told_both_before_anything_is_saved(
    place: Place, forms: list[Found]
):
    wrong: list[str] = []
    tried = 0
    for one in forms:
        versions = VERSIONS & {field.name for field in one.form.fields if field.value}
        typed = [field.name for field in one.form.fields if field.kind in TYPED_INTO]
        if not versions or not typed:
            continue
        before = await place.rows()
        for field, first, second in changed_once(one.form):
            visitor = await place.visitor(one.role, is_new=True)
            await save(place, visitor, one.form, encoded(first.items()))
            saved = await place.rows()
            place.fetch()
            for mistaken in typed if changed(before, saved) else ():
                bad = encoded((second | {mistaken: "x" * 4_000}).items())
                answer = await save(place, visitor, one.form, bad)
                again = _same_form(answer, one)
                if answer.status != 422 or CHANGED_MEANWHILE in answer.text or again is None:
                    continue
                tried += 1
                shown = {name: value for name, value in again.filled().items() if name in versions}
                answer = await save(place, visitor, again, encoded((second | shown).items()))
                written = changed(saved, await place.rows())
                if answer.status < 400 or written:
                    wrong.append(f"{one.route} ({one.role}, {field}, {mistaken}): {written}")
                    break
            await place.begin_again()
    assert tried
    assert not wrong, "\n".join(wrong)


async def test_a_form_sent_twice_at_once_is_done_once(place: Place, forms: list[Found]):
    wrong: list[str] = []
    for one in forms:
        if not one.is_post:
            continue
        visitor = await place.visitor(one.role, is_new=True)
        body = encoded(valid(one.form).items())
        before = await place.rows()
        answers = await asyncio.gather(*(send(place, visitor, one.form, body) for _ in range(2)))
        grown = {
            table: count - before[table][0]
            for table, (count, _) in (await place.rows()).items()
            if count > before[table][0] + 1 and not GROWS.fullmatch(table)
        }
        statuses = [answer.status for answer in answers]
        if not {status for status in statuses if status >= 500} <= {503} or grown:
            wrong.append(f"{one.route} ({one.role}): {statuses}, rows {grown}")
        await place.begin_again()
        place.leave()
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


def _same_form(answer: Answer, one: Found) -> Form | None:
    names = {field.name for field in one.form.fields}
    for form in Page(answer.text).forms if answer.is_page else ():
        if form.action == one.form.action and {field.name for field in form.fields} == names:
            return form
    return None


async def _not_stored(place: Place, each: Spoiled, before: Rows, after: Rows) -> str | None:
    """Space around it and the kind of line ends aside, what was typed stands there as it was."""
    tables = [name for name in changed(before, after) if not GROWS.fullmatch(name)]
    text = CLEANED.get(each.field, str.strip)(each.typed)
    if not tables or not text:
        return None
    if await place.snapshot.holds(tables, {each.typed, text, text.replace("\r\n", "\n")}):
        return None
    return f"accepted, and stored as something else in one of {tables}"
