"""A right that is taken away while its card is being answered."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.threshold import SIGNER, threshold
from tests.support.waiting import eventually


async def test_a_grant_that_is_written_after_its_right_was_taken_away_moves_no_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    async with threshold(tmp_path) as here:
        await here.allow({SIGNER.entry(KARIS_CARD): SIGNER.right()})
        here.tap(KARIS_CARD)
        await eventually(lambda: here.relay() == ["on", "off"])
        await asyncio.sleep(1.5)  # held again earlier it would be the same tap

        goes_on = here.stall()
        revoking = asyncio.create_task(here.allow({}))
        with capture_logs() as logged:
            here.tap(OLAS_CARD)  # its digest is computed after the snapshot was read
            here.tap(KARIS_CARD)
            await eventually(lambda: any(line["event"] == "tap.answered" for line in logged))
            assert here.rights.active().version.serial == 1, "Kari was found in the old rights"
            goes_on.set()
            await revoking
            await eventually(lambda: len([n for n in logged if n["event"] == "tap.answered"]) == 2)
        assert here.relay() == ["on", "off"]
        await here.wait_for_events(4)
        granted, withdrawn = [event for event in await here.events() if event.serial == 1][-2:]
        assert (granted.kind, withdrawn.kind) == ("access_granted", "access_withdrawn")
        assert withdrawn.tap == granted.tap
        assert withdrawn.reason == "unknown_card"
