"""The workspace's own promises: timestamps, threads, unread counts, waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.demo.slack import Channel, Person, Workspace


def a_workspace(times: list[float] | None = None) -> Workspace:
    people = [Person("U1", "ana", "Ana"), Person("U2", "bo", "Bo"), Person("U3", "cy", "Cy")]
    workspace = Workspace(people, [Channel("C1", "payments", members={"U1", "U2"})])
    if times is not None:
        workspace.clock = lambda: times.pop(0)
    return workspace


def test_timestamps_grow_even_when_the_clock_goes_back() -> None:
    workspace = a_workspace([1700000100.9, 1700000100.1, 1700000000.0, 1700000101.0])

    stamps = [workspace.next_ts() for _ in range(4)]

    assert stamps == ["1700000100.000100", "1700000100.000200", "1700000100.000300", "1700000101.000100"]


def test_many_threads_post_without_losing_a_message() -> None:
    workspace = a_workspace()

    with ThreadPoolExecutor(16) as pool:
        posted = list(pool.map(lambda number: workspace.post("C1", "U1", str(number)), range(400)))

    assert len({message.ts for message in posted}) == 400
    assert {message.text for message in workspace.messages("C1")} == {str(number) for number in range(400)}


def test_unread_counts_what_others_said_since_the_last_look() -> None:
    workspace = a_workspace()
    first = workspace.post("C1", "U1", "one")
    workspace.post("C1", "U1", "two")
    workspace.post("C1", "U1", "reply", thread_ts=first.ts)

    assert workspace.unread("U2", "C1") == 2
    assert workspace.unread("U1", "C1") == 0
    assert workspace.unread("U3", "C1") == 0
    workspace.mark_read("U2", "C1")
    assert workspace.unread("U2", "C1") == 0


def test_a_list_of_messages_stays_as_it_was_when_one_is_edited() -> None:
    workspace = a_workspace()
    message = workspace.post("C1", "U1", "before")
    seen = workspace.messages("C1")

    workspace.rewrite(message, text="after")

    assert [each.text for each in seen] == ["before"]
    assert [each.text for each in workspace.messages("C1")] == ["after"]


def test_observers_hear_of_each_change() -> None:
    workspace = a_workspace()
    heard: list[str] = []
    workspace.observe(lambda kind, _details: heard.append(kind))

    message = workspace.post("C1", "U1", "x")
    workspace.rewrite(message, text="y")
    workspace.erase(message)
    workspace.post_ephemeral("C1", "U2", "U1", "psst")

    assert heard == ["message", "changed", "deleted", "ephemeral"]


def test_waiting_gives_what_was_waited_for_or_says_that_nothing_came() -> None:
    workspace = a_workspace()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(workspace.post, "C1", "U1", "x")
        assert workspace.wait_for(lambda: workspace.messages("C1"))[0].text == "x"
    with pytest.raises(AssertionError, match=r"nothing came of it in 0\.05 s"):
        workspace.wait_for(lambda: workspace.messages("C0"), seconds=0.05)
