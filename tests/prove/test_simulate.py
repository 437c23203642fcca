"""The made world, in the quick form."""

from tests.prove.simulate import REGRESSIONS, prove


def test_the_daemon_breaks_no_law_in_a_made_world_and_lets_the_right_people_in() -> None:
    figures = prove(is_long=False, seed=1)
    assert figures["let_in_in_time"], "a door that never opens breaks few laws"
    assert figures["regressions"] == len(list(REGRESSIONS.glob("*.json")))
