"""Each route asked by each role: who is let in is what the table in `rules.py` says."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from console.web.requests import DATA_PATHS
from tests.walk.place import STATIC, Answer, Place, changed
from tests.walk.roles import CIRCLES, EVERYBODY, Role
from tests.walk.rules import TABLE, Finer, Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

FINER = sorted(name for name, line in TABLE.items() if isinstance(line, Finer))
READ = sorted(name for name in set(TABLE) - set(FINER) if name.startswith("GET "))
WRITTEN = sorted(set(TABLE) - {*READ, *FINER})


async def test_each_route_has_a_line_in_the_table(place: Place):
    routes = set(place.routes())
    missing = sorted(routes - set(TABLE))
    assert not missing, f"say in tests/walk/rules.py who may use these: {missing}"
    gone = sorted(set(TABLE) - routes)
    assert not gone, f"these are no routes any more, so leave them out of the table: {gone}"


@pytest.mark.parametrize("name", READ)
async def test_what_is_read_is_for_those_whom_the_table_names(place: Place, name: str):
    line = TABLE[name]
    assert isinstance(line, Line)
    path = await _path(place, name)
    for role in Role:
        answer = await place.ask(role, "GET", path)
        if role in line.allowed:
            expected = (line.status,) if line.status else (200, 303)
            assert answer.status in expected, _words(role, name, answer)
            assert not _is_sent_to_log_in(answer), _words(role, name, answer)
        else:
            _check_refused(role, name, answer, line)


@pytest.mark.parametrize("name", WRITTEN)
async def test_what_is_written_is_for_those_whom_the_table_names(place: Place, name: str):
    line = TABLE[name]
    assert isinstance(line, Line)
    method, path = name.split()[0], await _path(place, name)
    before = await place.rows()
    for role in sorted(EVERYBODY - line.allowed):
        _check_refused(role, name, await place.ask(role, method, path), line)
    assert changed(before, await place.rows()) == [], f"{name} was refused, and yet written"
    # Where everybody may, two stand for all: some of these take long on purpose.
    allowed = {Role.NOBODY, Role.MEMBER} if line.allowed == EVERYBODY else line.allowed
    for role in sorted(allowed):
        answer = await place.ask(await place.visitor(role, is_new=True), method, path)
        assert answer.status not in {401, 403}, _words(role, name, answer)
        assert answer.status < 500 or answer.status == 503, _words(role, name, answer)
        assert line.allowed == EVERYBODY or not _is_sent_to_log_in(answer), _words(
            role, name, answer
        )
    place.leave()  # one of the routes ends all other sessions of who asks


@pytest.mark.parametrize("name", FINER)
async def test_what_a_feature_decides_is_for_those_whom_the_table_names(place: Place, name: str):
    line = TABLE[name]
    assert isinstance(line, Finer)
    method, path = name.split()[0], await _path(place, name)
    body = _body(place, path, line.body)
    before = await place.rows()
    for role in sorted(EVERYBODY - line.allowed):
        answer = await place.ask(role, method, path, **body)
        if role is Role.NOBODY:
            assert _is_log_in(answer), _words(role, name, answer)
        elif line.refusal:
            assert answer.status in {400, 403, 422}, _words(role, name, answer)
            assert line.refusal in answer.text, _words(role, name, answer)
        else:
            assert answer.status == 404, _words(role, name, answer)
    assert changed(before, await place.rows()) == [], f"{name} was refused, and yet written"
    for role in sorted(line.allowed):
        answer = await place.ask(role, method, path, **body)
        assert answer.status not in {401, 403, 404}, _words(role, name, answer)
        assert answer.status < 400 or line.lacks, _words(role, name, answer)
        assert not line.refusal or line.refusal not in answer.text, _words(role, name, answer)
        await place.begin_again()


def _check_refused(role: Role, name: str, answer: Answer, line: Line) -> None:
    if role is Role.NOBODY or not line.allowed:
        assert _is_log_in(answer), _words(role, name, answer)
        return
    assert answer.status == 403, _words(role, name, answer)
    for each in line.allowed:
        assert CIRCLES[each] in answer.text, f"{name} doesn't name the circle of {each}"


def _is_log_in(answer: Answer) -> bool:
    return answer.status == 401 or _is_sent_to_log_in(answer)


def _is_sent_to_log_in(answer: Answer) -> bool:
    return answer.status == 303 and answer.location.startswith("/login")


def _words(role: Role, name: str, answer: Answer) -> str:
    return f"{name} answered {role} with {answer.status} {answer.location} {answer.text[-300:]}"


async def _path(place: Place, name: str) -> str:
    if name.endswith(STATIC):
        page = await place.ask(Role.NOBODY, "GET", "/login")
        found = re.search(r"/static/[^\"]+", page.text)
        assert found
        return found[0]
    return place.paths(name)[0]


def _body(place: Place, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
    first = {name: ids[0] for name, ids in place.ids.items()}
    filled = {
        name: value.format(**first) if isinstance(value, str) else value
        for name, value in body.items()
    }
    if not path.startswith(DATA_PATHS):
        return {"data": filled}
    return {
        "json": {
            name: int(value) if isinstance(value, str) and value.isdigit() else value
            for name, value in filled.items()
        }
    }
