"""The inbound queue gives every controller its turn and none more than its lane."""

import asyncio

import pytest

from console.link.fair_inbox import MAX_MESSAGE_BYTES, Arrived, FairInbox


def message(controller: str, number: int) -> Arrived:
    return Arrived(f"p2k16/v1/{controller}/up/events", b"%d" % number, retained=False)


async def test_messages_of_one_sender_keep_their_order() -> None:
    inbox = FairInbox()
    sent = [message("front", number) for number in range(10)]
    assert [inbox.put(one) for one in sent] == [True] * 10
    assert [await inbox.take() for _ in sent] == sent
    assert len(inbox) == 0


async def test_senders_take_turns_however_much_one_of_them_says() -> None:
    inbox = FairInbox()
    for number in range(50):
        inbox.put(message("loud", number))
    inbox.put(message("quiet", 0))
    assert [(await inbox.take()).topic.split("/")[2] for _ in range(3)] == ["loud", "quiet", "loud"]


async def test_a_full_lane_takes_no_more_and_others_still_get_in() -> None:
    inbox = FairInbox(lane_length=3)
    assert [inbox.put(message("loud", n)) for n in range(5)] == [True, True, True, False, False]
    assert inbox.put(message("quiet", 0))
    assert len(inbox) == 4


async def test_all_lanes_together_have_a_limit() -> None:
    inbox = FairInbox(max_waiting=3)
    assert [inbox.put(message(f"c{n}", 0)) for n in range(4)] == [True, True, True, False]


async def test_taking_waits_for_a_message() -> None:
    inbox = FairInbox()
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(message("front", 1))
    assert (await taking).payload == b"1"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await inbox.take()


async def test_a_message_over_the_limit_is_dropped_and_one_at_the_limit_is_not() -> None:
    inbox = FairInbox()
    name = "p2k16/v1/front/up/events"
    assert inbox.put(Arrived(name, b"x" * MAX_MESSAGE_BYTES, retained=False))
    assert not inbox.put(Arrived(name, b"x" * (MAX_MESSAGE_BYTES + 1), retained=False))
    assert len(inbox) == 1
