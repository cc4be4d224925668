"""Notices of fixes: who is first ends them, and only what Slack has whole, in its own channel, counts as posted."""

from datetime import date, datetime, timedelta

import pytest

from storage.fixes import GraceNotice, NoticeState
from storage.models import THE_CLOCK, THE_POLICY, PostKind
from storage.store import Store
from tests.storage.conftest import NOON

LATER = NOON + timedelta(minutes=5)
ARNS = ["arn:aws:lambda:eu-central-1:1:function:b", "arn:aws:lambda:eu-central-1:1:function:a"]


@pytest.fixture
def notice(store: Store) -> GraceNotice:
    """Of two pages."""
    first = store.posts.create("grace:1", PostKind.GRACE, "#team-payments", NOON, team="payments")
    assert first
    assert store.posts.create("grace:2", PostKind.GRACE, "#team-payments", NOON, page=2, thread=first.id)
    return store.grace.announce("payments", "#team-payments", first.id, 2, date(2026, 12, 1), ARNS, NOON)


def posted(store: Store, notice: GraceNotice, at: datetime = LATER) -> datetime | None:
    store.grace.see_posted(at)
    return store.grace.get(notice.id).posted_at


def test_it_is_kept_as_it_was_announced(store: Store, notice: GraceNotice) -> None:
    assert store.grace.get(notice.id) == notice
    assert (notice.fix_on, notice.state, notice.posted_at) == (date(2026, 12, 1), NoticeState.ANNOUNCED, None)
    assert list(store.grace.functions(notice.id)) == ARNS
    assert store.grace.with_token(notice.token) == notice
    assert store.grace.with_token("another") is None
    assert [store.grace.of_post(post.id) for post in store.posts.all()] == [notice, notice]
    assert store.grace.announced() == [notice]
    assert [store.grace.is_announced(arn) for arn in (*ARNS, "another")] == [True, True, False]


def test_it_is_posted_once_slack_has_each_page_and_the_first_time_counts(store: Store, notice: GraceNotice) -> None:
    first, second = store.posts.all()
    assert posted(store, notice) is None
    store.posts.sent(first.id, "C0PAY", "1.1", 1)
    assert posted(store, notice) is None
    store.posts.sent(second.id, "C0PAY", "1.2", 1)

    assert posted(store, notice) == LATER
    assert posted(store, notice, LATER + timedelta(hours=1)) == LATER


@pytest.mark.parametrize("page", [0, 1])
def test_a_page_in_another_channel_is_not_posted(store: Store, notice: GraceNotice, page: int) -> None:
    pages = store.posts.all()
    store.posts.redirect(pages[page].id, "#finops")
    for post in pages:
        store.posts.sent(post.id, "C0FIN", f"1.{post.id}", 1)

    assert posted(store, notice) is None


def test_a_page_that_was_deleted_is_not_there_any_more(store: Store, notice: GraceNotice) -> None:
    for post in store.posts.all():
        store.posts.sent(post.id, "C0PAY", f"1.{post.id}", 1)
    assert store.grace.is_there(notice.id)

    store.posts.abandon(store.posts.all()[1].id, "message_not_found")

    assert not store.grace.is_there(notice.id)


def test_it_ends_once_and_its_messages_are_drawn_again(store: Store, notice: GraceNotice) -> None:
    wanted = [post.wanted_version for post in store.posts.all()]

    assert store.grace.end(notice.id, NoticeState.STOPPED, "U0ANA", LATER, "they move")
    assert not store.grace.end(notice.id, NoticeState.TAKEN, THE_POLICY, LATER)
    assert not store.grace.end(notice.id, NoticeState.LAPSED, THE_CLOCK, LATER, "late")

    kept = store.grace.get(notice.id)
    assert (kept.state, kept.ended_by, kept.ended_at, kept.reason) == ("stopped", "U0ANA", LATER, "they move")
    assert [post.wanted_version - was for post, was in zip(store.posts.all(), wanted, strict=True)] == [1, 1]
    assert store.grace.announced() == []
    assert not store.grace.is_announced(ARNS[0])


def test_why_one_was_left_alone_stands_with_it(store: Store, notice: GraceNotice) -> None:
    store.grace.keep_outcome(notice.id, None, {ARNS[1]: "It is exempt."})

    assert store.grace.functions(notice.id) == {ARNS[0]: "", ARNS[1]: "It is exempt."}


def test_a_reminder_of_a_request_does_not_belong_under_a_notice(store: Store, make_function) -> None:
    function = make_function()
    store.functions.save([function], NOON)
    asked = store.requests.open_for(function, NOON)
    digest = store.posts.create("digest", PostKind.DIGEST, "#x", NOON, requests=[asked.id])
    assert store.posts.create("grace", PostKind.GRACE, "#x", NOON, requests=[asked.id])

    assert store.posts.showing(asked.id) == digest
