"""When a call to Slack may go, on a clock that the test sets."""

from bot.pacing import Pacing

POST, UPDATE = "chat.postMessage", "chat.update"


def test_a_channel_that_was_refused_waits_as_long_as_slack_says_and_others_go_on() -> None:
    pacing = Pacing()
    pacing.refused(POST, "C1", 30.0, now=100.0)

    assert pacing.wait(POST, "C1", now=110.0) == 20.0
    assert pacing.wait(POST, "C2", now=110.0) <= 0


def test_a_second_channel_that_is_refused_means_all_of_the_workspace() -> None:
    pacing = Pacing()
    pacing.refused(POST, "C1", 30.0, now=100.0)
    pacing.refused(POST, "C2", 20.0, now=101.0)

    assert pacing.wait(POST, "C3", now=101.0) == 20.0
    assert pacing.wait(POST, "C1", now=101.0) == 29.0
    assert pacing.wait(UPDATE, "C3", now=101.0) <= 0  # another method has a rate of its own
    assert pacing.wait(POST, "C3", now=122.0) <= 0


def test_what_gets_through_in_between_means_that_each_was_its_channels_own() -> None:
    pacing = Pacing()
    pacing.refused(POST, "C1", 30.0, now=100.0)
    pacing.went_through(POST)
    pacing.refused(POST, "C2", 30.0, now=101.0)

    assert pacing.wait(POST, "C3", now=102.0) <= 0


def test_what_is_slower_by_itself_waits_beside_its_channel() -> None:
    pacing = Pacing()
    pacing.hold("C1", 1.0, now=100.0)
    pacing.hold("batch", 2.0, now=100.0)

    assert pacing.wait(UPDATE, "C1", "batch", now=101.5) == 0.5
    assert pacing.wait(UPDATE, "C1", "digest", now=101.5) <= 0
    pacing.forget(101.5)
    assert pacing.wait(UPDATE, "C1", "batch", now=101.5) == 0.5


def test_what_is_free_by_now_is_not_remembered() -> None:
    pacing = Pacing()
    for number in range(100):
        pacing.hold(f"message {number}", 1.0, now=100.0 + number)
        pacing.forget(100.0 + number)

    assert len(pacing._free_at) == 1
