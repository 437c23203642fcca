"""Planted bugs."""

from tests.prove.mutants import prove
from tests.prove.planted import MUTANTS


def test_there_are_twenty_planted_bugs_each_another_one() -> None:
    assert len(MUTANTS) == 20
    assert len({mutant.name for mutant in MUTANTS}) == 20
    assert len({mutant.patches for mutant in MUTANTS}) == 20


def test_each_planted_bug_is_found_by_what_has_to_find_it() -> None:
    assert prove(is_long=False, seed=1) == {"caught": "20/20"}
