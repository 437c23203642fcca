"""The web app and this console change the same rows, in turn and at once: no history has a gap."""

import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.database import SESSION
from tests.support.version_tables import (
    DELETE,
    INSERT,
    UPDATE,
    Version,
    WebApp,
    faults,
    transactions,
    versions,
)
from tests.support.web_app import AS_WEB_APP

COMPANY = {
    "created_at": "2026-11-23",
    "created_by": 1,
    "updated_at": "2026-11-23",
    "updated_by": 1,
    "active": True,
    "contact": 101,
}


@pytest.fixture
def theirs(web_app: psycopg.Connection) -> WebApp:
    return WebApp(web_app)


def names(found: Sequence[Version]) -> list[tuple[int, str]]:
    return [(version.kind, version.content["name"]) for version in found]


def rename(connection: psycopg.Connection, company: int, name: str) -> None:
    connection.execute("update company set name = %s where id = %s", [name, company])


def test_a_row_goes_from_hand_to_hand(theirs: WebApp, ours: psycopg.Connection):
    with theirs.transaction():
        company = theirs.insert("company", {**COMPANY, "name": "theirs"})
    rename(ours, company, "ours")
    with theirs.transaction():
        theirs.update("company", company, {"name": "theirs again"})
    ours.execute("delete from company where id = %s", [company])
    with theirs.transaction():
        theirs.insert("company", {**COMPANY, "id": company, "name": "back"})
    rename(ours, company, "last")
    assert names(versions(ours, "company", company)) == [
        (INSERT, "theirs"),
        (UPDATE, "ours"),
        (UPDATE, "theirs again"),
        (DELETE, "theirs again"),
        (INSERT, "back"),
        (UPDATE, "last"),
    ]
    assert faults(ours) == []


def test_a_later_number_that_came_first(theirs: WebApp, ours: psycopg.Connection):
    """We have a number; the web app takes the next, changes a row, and we change that row too."""
    with theirs.transaction():
        first = theirs.insert("company", {**COMPANY, "name": "first"})
        second = theirs.insert("company", {**COMPANY, "name": "second"})
    known = len(transactions(ours))
    with ours.transaction():
        rename(ours, first, "ours")
        with theirs.transaction():
            theirs.update("company", second, {"name": "theirs"})
        rename(ours, second, "ours, too")
    assert faults(ours) == []
    assert names(versions(ours, "company", second)) == [
        (INSERT, "second"),
        (UPDATE, "theirs"),
        (UPDATE, "ours, too"),
    ]
    # Only then does one transaction of ours have two rows.
    assert len(transactions(ours)) == known + 3


@dataclass(frozen=True)
class Change:
    """What is done to one of three rows, in a savepoint that is undone or not."""

    kind: Literal["insert", "update", "delete"]
    row: int
    name: str
    is_undone: bool


@dataclass(frozen=True)
class Request:
    """Changes of one transaction."""

    by: Literal["ours", "theirs"]
    changes: tuple[Change, ...]


changes = st.builds(
    Change,
    kind=st.sampled_from(["insert", "update", "update", "delete"]),
    row=st.integers(0, 2),
    name=st.sampled_from("abc"),
    is_undone=st.sampled_from([False, False, False, True]),
)
requests = st.one_of(
    st.builds(Request, by=st.just("ours"), changes=st.lists(changes, max_size=6).map(tuple)),
    st.builds(
        Request,
        by=st.just("theirs"),
        changes=st.lists(changes, max_size=3, unique_by=lambda change: change.row).map(tuple),
    ),
)


class Model:
    """What the history has to be. The web app changes a row once in a transaction, at most."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.history: dict[int, list[tuple[int, str]]] = defaultdict(list)

    def can(self, change: Change) -> bool:
        return (change.kind == "insert") != (change.row in self.rows)

    def apply(self, change: Change) -> None:
        if change.kind == "delete":
            del self.rows[change.row]
        else:
            self.rows[change.row] = change.name

    def commit(self, before: dict[int, str], touched: set[int], last: dict[int, str]) -> None:
        for row in touched:
            was, now = before.get(row), self.rows.get(row)
            if now is not None:
                self.history[row].append((INSERT if was is None else UPDATE, now))
            elif was is not None:
                self.history[row].append((DELETE, last[row]))


numbers = itertools.count(1000, 10)


@given(st.lists(requests, max_size=8))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_sequence_of_changes_leaves_the_history_that_it_should(
    theirs: WebApp, ours: psycopg.Connection, sequence: list[Request]
):
    base = next(numbers)
    model = Model()
    for request in sequence:
        before = dict(model.rows)
        touched: set[int] = set()
        last: dict[int, str] = {}
        connection = ours if request.by == "ours" else theirs.connection
        with ours.transaction() if request.by == "ours" else theirs.transaction():
            for change in request.changes:
                if not model.can(change):
                    continue
                is_undone = change.is_undone and request.by == "ours"
                with connection.transaction(force_rollback=is_undone):
                    if request.by == "ours":
                        do_ours(ours, change, base)
                    else:
                        do_theirs(theirs, change, base)
                if is_undone:
                    continue
                is_same = change.kind == "update" and model.rows[change.row] == change.name
                if request.by == "theirs" or not is_same:
                    touched.add(change.row)
                if change.kind == "delete":
                    last[change.row] = model.rows[change.row]
                model.apply(change)
        model.commit(before, touched, last)
    for row in range(3):
        seen = [
            (kind, name.split("-")[1])
            for kind, name in names(versions(ours, "company", base + row))
        ]
        assert seen == model.history[row]
    assert faults(ours) == []


def do_ours(ours: psycopg.Connection, change: Change, base: int) -> None:
    row = {"id": base + change.row, "name": f"{base + change.row}-{change.name}"}
    if change.kind == "insert":
        ours.execute(
            """
            insert into company
              (id, created_at, created_by, updated_at, updated_by, name, active, contact)
            values (%(id)s, '2026-11-23', 1, '2026-11-23', 1, %(name)s, true, 101)
            """,
            row,
        )
    elif change.kind == "update":
        ours.execute("update company set name = %(name)s where id = %(id)s", row)
    else:
        ours.execute("delete from company where id = %(id)s", row)


def do_theirs(theirs: WebApp, change: Change, base: int) -> None:
    row = base + change.row
    if change.kind == "insert":
        theirs.insert("company", {**COMPANY, "id": row, "name": f"{row}-{change.name}"})
    elif change.kind == "update":
        theirs.update("company", row, {"name": f"{row}-{change.name}"})
    else:
        theirs.delete("company", row)


def test_both_at_once(taken_over: str, theirs: WebApp, ours: psycopg.Connection):
    """Each of ours changes two rows: often the web app has changed the second meanwhile.

    The web app takes its number a moment before it changes a row. A change that comes in between
    has a later number and an earlier version: a gap that two workers of the web app can cause as
    well. So here it holds the row before it takes the number.
    """
    with theirs.transaction():
        rows = [theirs.insert("company", {**COMPANY, "name": f"at once {n}"}) for n in range(4)]
    failures: list[BaseException] = []

    def work(*, is_ours: bool, seed: int) -> None:
        chance = random.Random(seed)
        try:
            with psycopg.connect(taken_over, autocommit=True) as connection:
                connection.execute(SESSION if is_ours else AS_WEB_APP)
                app = WebApp(connection)
                for number in range(80):
                    chosen = sorted(chance.sample(rows, 2))
                    name = f"{seed} {number}"
                    if is_ours:
                        with connection.transaction():
                            for row in chosen:
                                rename(connection, row, f"{name} {row}")
                    else:
                        with app.transaction():
                            connection.execute(
                                "select from company where id = %s for update", chosen[:1]
                            )
                            app.update("company", chosen[0], {"name": f"{name} {chosen[0]}"})
        except BaseException as error:  # noqa: BLE001 -- told by the test
            failures.append(error)

    workers = [
        threading.Thread(target=work, kwargs={"is_ours": seed % 2 == 0, "seed": seed})
        for seed in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert faults(ours) == []
    assert sum(len(versions(ours, "company", row)) for row in rows) == 4 + 2 * 80 * 2 + 2 * 80


def test_two_of_ours_at_once(taken_over: str, ours: psycopg.Connection):
    """The second waits for the first one's row with a number that it has taken before."""
    ours.execute("update company set name = 'start'")
    waited = threading.Event()

    def second() -> None:
        with psycopg.connect(taken_over, autocommit=True) as connection:
            connection.execute(SESSION)
            with connection.transaction():
                connection.execute("update account set phone = '2' where id = 101")
                waited.set()
                connection.execute("update company set name = 'second'")

    with ours.transaction():
        ours.execute("update circle set description = 'first'")
        worker = threading.Thread(target=second)
        ours.execute("update company set name = 'first'")
        worker.start()
        assert waited.wait(10)
    worker.join()
    assert names(versions(ours, "company")) == [
        (UPDATE, "start"),
        (UPDATE, "first"),
        (UPDATE, "second"),
    ]
    assert faults(ours) == []
