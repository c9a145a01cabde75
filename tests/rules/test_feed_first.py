"""A worker looks at the feed's queue first, but never twice running while others wait."""

from services.workers.feed_first import FEED, FeedFirst

OTHERS = ["drain.triage", "drain.grade", "roadmend"]


def _turns(waiting: list[str], count: int) -> list[str]:
    """Which queues a worker takes from when all of these always have messages."""
    cycle = FeedFirst([*OTHERS, FEED])
    taken = []
    for _ in range(count):
        queue = next(one for one in cycle.consume(len(OTHERS) + 1) if one in waiting)
        cycle.rotate(queue)
        taken.append(queue)
    return taken


def test_every_second_message_is_the_feeds_while_others_wait() -> None:
    turns = _turns([*OTHERS, FEED], 12)

    assert turns[::2] == [FEED] * 6
    assert sorted(turns[1::2]) == sorted(OTHERS * 2)


def test_the_others_take_turns_while_the_feed_is_quiet() -> None:
    assert sorted(_turns(OTHERS, 9)) == sorted(OTHERS * 3)


def test_the_feed_alone_is_taken_again_and_again() -> None:
    assert _turns([FEED], 3) == [FEED] * 3
