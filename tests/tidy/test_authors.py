"""Whoever changes something says whom the change comes from."""

import ast
from collections.abc import Iterator

from tests.tidy.test_house import name, tracked

BY_ITSELF = {
    "console/demo/prepare.py",  # fills a database before anybody is there
    "console/events/ingest.py",  # stores what controllers have recorded
    "console/link/inbound.py",  # stores what controllers report
    "console/preparation.py",  # claims a database for the keys of this console
    "console/rights/publish.py",  # signs and prunes snapshots
}
"""Files that change something without being asked."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in tracked("console/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield name(path), node


def is_write(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "writing"


def author(call: ast.Call) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == "by"), None)


def is_nobody(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def test_a_write_says_whom_it_comes_from():
    """`by=session.author(request)` in a route, `by=at_prompt(…)` in a command."""
    writes = [(file, call) for file, call in calls() if is_write(call)]
    assert len(writes) > 40
    without = [f"{file}:{call.lineno}" for file, call in writes if is_nobody(author(call))]
    assert {place.partition(":")[0] for place in without} == BY_ITSELF, without


def test_nobody_hands_on_that_nobody_asked():
    """To a function, that is, which takes an author for its own writes."""
    for file, call in calls():
        if author(call) is not None and not is_write(call):
            assert not is_nobody(author(call)), f"{file}:{call.lineno}"
