"""What an auxiliary contact says of a relay, and what not even it can say."""

import asyncio
import time

from edge.feedback import DIFFERENCE_SECONDS, Feedback
from sync.rights import Reason
from tests.support.waiting import eventually


async def test_a_contact_that_follows_is_no_fault_also_after_a_standstill_of_our_own() -> None:
    faults = list[tuple[Reason, bool]]()
    feedback = Feedback(lambda fault, is_there: faults.append((fault, is_there)))
    feedback.hear(False)
    feedback.told(True)
    feedback.hear(True)
    await asyncio.sleep(0.1)
    feedback.told(False)
    time.sleep(DIFFERENCE_SECONDS + 0.2)
    await asyncio.sleep(0)  # everything that is due comes first
    await asyncio.sleep(0)
    feedback.hear(False)
    await asyncio.sleep(DIFFERENCE_SECONDS + 0.2)
    assert (Reason.RELAY_WELDED, True) not in faults
    feedback.close()


async def test_a_contact_that_stays_is_a_welded_relay() -> None:
    faults = list[tuple[Reason, bool]]()
    feedback = Feedback(lambda fault, is_there: faults.append((fault, is_there)))
    feedback.hear(False)
    feedback.told(True)
    feedback.hear(True)
    await asyncio.sleep(0.1)
    feedback.told(False)
    await eventually(lambda: (Reason.RELAY_WELDED, True) in faults)
    feedback.close()
