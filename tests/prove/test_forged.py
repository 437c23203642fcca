"""Messages that must not be believed, in the quick form."""

from tests.prove.forged import prove


def test_no_forged_replayed_or_malformed_message_changes_anything() -> None:
    figures = prove(is_long=False, seed=1)
    assert int(figures["classes"]) >= 40
