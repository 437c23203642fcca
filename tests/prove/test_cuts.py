"""Power cuts, in the quick form."""

from tests.prove.cuts import prove


def test_no_power_cut_loses_an_acknowledged_event_or_brings_an_old_right_back() -> None:
    figures = prove(is_long=False, seed=1)
    assert figures["openings"], "a controller that never opens loses nothing"
