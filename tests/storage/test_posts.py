from datetime import date, timedelta

from storage.models import Coverage, Inventory, NotScanned, PostKind, PostState, Source
from storage.store import Store
from tests.storage.conftest import NOON

MINUTE = timedelta(minutes=1)


def test_a_key_makes_one_post(store: Store) -> None:
    assert store.posts.create("digest:payments:2026-11-23:1", PostKind.DIGEST, "#team-payments", NOON)
    assert store.posts.create("digest:payments:2026-11-23:1", PostKind.DIGEST, "#team-payments", NOON) is None


def test_a_post_is_due_until_it_is_sent(store: Store) -> None:
    post = store.posts.create("k", PostKind.NOTICE, "#finops", NOON, text="hello")
    assert post
    assert store.posts.due(NOON) == [post]

    store.posts.sent(post.id, "C0FIN", "1732354920.000100", post.wanted_version)

    assert store.posts.due(NOON) == []
    assert (store.posts.get(post.id).state, store.posts.get(post.id).ts) == (PostState.SENT, "1732354920.000100")


def test_of_a_channel_with_many_a_few_are_looked_at_and_of_each_other_all_the_same(store: Store) -> None:
    for number in range(20):
        store.posts.create(f"p{number}", PostKind.NOTICE, "#payments", NOON)
    store.posts.create("s", PostKind.NOTICE, "#search", NOON)

    assert [post.key for post in store.posts.due(NOON, 3)] == ["p0", "p1", "p2", "s"]
    assert len(store.posts.due(NOON)) == 21


def test_a_change_while_it_is_being_drawn_draws_it_again(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    post = store.posts.create("k", PostKind.DIGEST, "#x", NOON, requests=[request.id])
    assert post
    store.posts.redraw_showing(request.id)

    store.posts.sent(post.id, "C0X", "1.1", post.wanted_version)

    assert [one.id for one in store.posts.due(NOON)] == [post.id]


def test_a_reply_waits_for_the_post_above_it(store: Store) -> None:
    above = store.posts.create("1", PostKind.DIGEST, "#x", NOON)
    assert above
    reply = store.posts.create("2", PostKind.DIGEST, "#x", NOON, thread=above.id)
    assert reply
    assert [one.id for one in store.posts.due(NOON)] == [above.id]

    store.posts.sent(above.id, "C0X", "1.1", 1)

    assert [one.id for one in store.posts.due(NOON)] == [reply.id]


def test_what_failed_comes_back_later(store: Store) -> None:
    post = store.posts.create("k", PostKind.NOTICE, "#x", NOON)
    assert post
    store.posts.later(post.id, NOON + MINUTE, "ratelimited")

    assert store.posts.due(NOON) == []
    assert [one.id for one in store.posts.due(NOON + MINUTE)] == [post.id]
    assert store.posts.attempts(post.id) == 1


def test_a_day_is_begun_again_until_it_ends(store: Store) -> None:
    day = date(2026, 11, 23)
    assert store.daily_runs.begin("daily", day, NOON)
    assert store.daily_runs.begin("daily", day, NOON)
    store.daily_runs.end("daily", day, NOON)

    assert not store.daily_runs.begin("daily", day, NOON)
    assert store.daily_runs.begin("daily", day + timedelta(days=1), NOON)


def test_an_audit_keeps_what_it_could_not_see_and_its_totals(store: Store) -> None:
    unseen = NotScanned("444455556666", "", "AccessDenied: not allowed")
    seen = Inventory((), (unseen,), ("111122223333",), ("eu-central-1",), 7)
    taken = store.audits.record(
        seen,
        {"payments": Coverage(traced=3), None: Coverage(unknown=1)},
        source=Source.CLOCK,
        started_at=NOON,
        finished_at=NOON,
    )

    assert store.audits.latest() == taken
    assert taken.not_scanned == (unseen,)
    assert store.audits.coverage(taken.id) == {"payments": Coverage(traced=3), None: Coverage(unknown=1)}


def test_an_audit_of_one_account_is_not_the_latest_of_all(store: Store) -> None:
    seen = Inventory((), (), ("111122223333",), ("eu-central-1",), 7)
    whole = store.audits.record(seen, {}, source=Source.CLOCK, started_at=NOON, finished_at=NOON)
    store.audits.record(seen, {}, source=Source.TERMINAL, scope="111122223333", started_at=NOON, finished_at=NOON)

    assert store.audits.latest() == whole


def test_exemptions_cover_until_their_end_and_a_new_one_replaces_the_old(store: Store) -> None:
    first = store.exemptions.grant("arn", "why", "U0ANA", NOON, NOON + timedelta(days=1))
    assert store.exemptions.covering("arn", NOON) == first
    assert store.exemptions.covering("arn", first.expires_at) is None

    second = store.exemptions.grant("arn", "because", "U0BO", NOON + MINUTE, NOON + timedelta(days=9))

    assert store.exemptions.in_force(NOON + 2 * MINUTE) == {"arn": second}
