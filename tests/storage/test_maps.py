"""Trace maps as they were drawn."""

from datetime import UTC, datetime, timedelta

from storage.maps import LAMBDA, Around, Edge, SilentCaller, Statistics, TraceMap, from_json, to_json
from storage.models import PostKind
from storage.store import Store

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
EDGE = Edge("payments", "AWS::DynamoDB::Table", Statistics(5, 1, 2, 3, 0.5, 0.2), "999", asynchronous=True)
MADE = TraceMap(
    "arn:aws:lambda:eu-central-1:1:function:refund",
    "1",
    "eu-central-1",
    "refund",
    Around(NOW - timedelta(hours=6), NOW, Statistics(9), (EDGE,), (EDGE,), timedelta(hours=18), "it took too long"),
    (SilentCaller("dark", LAMBDA, "may call it"),),
    ("A note.",),
)


def test_what_is_kept_comes_back_whole(store: Store) -> None:
    kept = store.maps.add(MADE, NOW)

    assert store.maps.get(kept) == MADE == from_json(to_json(MADE))
    assert len(kept) >= 20
    assert store.maps.get("guessed") is None


def test_what_no_post_shows_is_forgotten(store: Store) -> None:
    shown, other, new = (
        store.maps.add(MADE, NOW),
        store.maps.add(MADE, NOW),
        store.maps.add(MADE, NOW + timedelta(days=8)),
    )
    post = store.posts.create("map:1", PostKind.MAP, "#finops", NOW)
    assert post
    store.maps.show(post.id, shown)

    store.maps.forget(NOW + timedelta(days=1))

    assert store.maps.of_post(post.id) == MADE
    assert store.maps.get(other) is None
    assert store.maps.get(new) == MADE


def test_a_failed_share_is_never_more_than_all() -> None:
    assert Statistics(2, 3, 0, 0).failed_share == 1.0
    assert Statistics(0, 3).failed_share == 0.0
    assert Statistics(0).average is None
