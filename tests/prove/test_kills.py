"""Killed daemons, in the quick form."""

from tests.prove.kills import prove


def test_a_killed_or_frozen_daemon_holds_no_door_open_and_loses_no_event() -> None:
    figures = prove(is_long=False, seed=1)
    assert figures["openings"], "a door that never opens is easily shut"
