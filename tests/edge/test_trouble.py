"""What is a trouble of a reader, and what of it is told."""

from edge.readers.trouble import BAD_FRAMES, BAD_SECONDS, ReaderState, Trouble

OPEN, LOST, SILENT = ReaderState.OPEN, ReaderState.LOST, ReaderState.SILENT


def test_fifty_bad_frames_in_ten_seconds_are_a_fault_and_fewer_are_none():
    trouble = Trouble()
    trouble.note(BAD_FRAMES - 1, 0.0)
    assert not trouble.is_garbled(1.0)
    assert trouble.news(OPEN, 1.0) == []
    trouble.note(1, BAD_SECONDS)
    assert not trouble.is_garbled(BAD_SECONDS), "the first ones are too long ago"
    trouble.note(BAD_FRAMES, 20.0)
    assert trouble.is_garbled(20.0)
    assert trouble.is_garbled(29.9)
    assert not trouble.is_garbled(30.0)


def test_bad_frames_are_told_every_ten_seconds_with_their_number_and_once_more_when_over():
    trouble, told = Trouble(), dict[int, list[str]]()
    for second in range(60):
        if second < 25:
            trouble.note(20, float(second))
        news = trouble.news(OPEN, float(second))
        if news:
            told[second] = news
    assert told == {
        2: ["60 bad frames"],
        12: ["200 bad frames"],
        22: ["200 bad frames"],
        32: ["40 more bad frames, then sound again"],
    }


def test_a_standstill_is_told_once_and_not_more_often_than_every_ten_seconds():
    trouble, told = Trouble(), dict[int, list[str]]()
    for second in range(40):
        if second in {3, 5, 6}:
            trouble.stood_still(float(second))
        news = trouble.news(OPEN, float(second))
        if news:
            told[second] = news
    assert told == {
        3: ["the controller stood still for 3 s: hold the card again"],
        13: ["the controller stood still for 6 s: hold the card again"],
    }


def test_a_million_bad_frames_take_no_room():
    trouble = Trouble()
    trouble.note(1_000_000, 0.0)
    assert trouble.news(OPEN, 0.0) == ["1000000 bad frames"]


def test_now_and_then_a_bad_frame_is_never_told():
    trouble = Trouble()
    for second in range(10_000):
        trouble.note(1, float(second))
        assert trouble.news(OPEN, float(second)) == []


def test_a_reader_that_is_gone_is_told_once_and_once_more_when_it_is_back():
    trouble = Trouble()
    assert trouble.news(OPEN, 0.0) == []
    assert trouble.news(LOST, 1.0) == ["its port is missing or taken"]
    assert trouble.news(LOST, 1000.0) == []
    assert trouble.news(SILENT, 1001.0) == ["it doesn't answer"]
    assert trouble.news(OPEN, 1012.0) == ["it is there again"]


def test_a_reader_that_comes_and_goes_is_told_every_ten_seconds_at_most():
    trouble = Trouble()
    told = [
        news
        for tenth in range(1000)
        for news in trouble.news(LOST if tenth % 2 else OPEN, tenth / 10)
    ]
    assert 2 <= len(told) <= 10
