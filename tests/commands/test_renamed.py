"""A team that the settings have come to call by another name, between two mornings."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from commands._figures import figures
from commands._production import Production
from commands._renamed import follow_names
from commands._teams import TeamSettings
from storage.deployments import WhyDark
from storage.exemptions import Wish
from storage.kpis import Figures, Window
from storage.models import Coverage, ExemptScope, Function, PostKind, PostState, Verdict
from storage.spend import Bill, Billed
from storage.team_names import _ADDED_UP, _KEPT_IN, _KNOWN_IN
from storage.usage import UsageLook
from tests.bot.test_gauges import text_of
from tests.commands.conftest import ANA, BERLIN, HOME, HandClock, NamedPeople
from tests.commands.test_moved import Scene
from tests.commands.test_moved import scene as scene  # noqa: PLC0414 - a fixture, used by its name

Remember = Callable[..., Function]
RENAMED = TeamSettings(aliases={"pay": "payments"})


def morning(scene: Scene, *functions: Function, days: int = 1) -> list[tuple[PostKind, str | None]]:
    """What is to be posted on the next one; Slack then takes it."""
    scene.clock.forward(days=days)
    scene.morning(*functions)
    fresh = [(one.kind, one.team) for one in scene.store.posts.all() if one.state is PostState.WAITING]
    scene.sent()
    return fresh


def made(scene: Scene, team: str | None = None) -> Figures:
    """A report of the last month."""
    until = scene.clock() + timedelta(minutes=1)
    return figures(scene.context, Window(until - timedelta(days=30), until), team)


def renamed(scene: Scene, *functions: Function) -> list[Function]:
    """The settings are changed and the bot started again: each audit names the team so from now on."""
    scene.context = replace(scene.context, teams=RENAMED)
    return [structs.replace(one, team="payments") for one in functions]


def test_the_digest_lives_on_and_nothing_in_it_is_news(scene: Scene, remembered: Remember) -> None:
    functions = [remembered(name, team="pay") for name in ("refund", "ledger")]
    assert morning(scene, *functions, days=0) == [(PostKind.DIGEST, "pay")]
    (old,) = scene.store.posts.all(PostKind.DIGEST)

    assert morning(scene, *renamed(scene, *functions)) == []

    told = scene.store.digests.of_team("payments")
    assert told
    assert told.post == old.id
    assert scene.store.digests.of_team("pay") is None
    assert "2 Lambda functions" in scene.drawn(old)
    assert "Team *payments*" in scene.drawn(old)


def test_an_audit_between_two_mornings_takes_the_digest_along(scene: Scene, remembered: Remember) -> None:
    function = remembered("refund", team="pay")
    morning(scene, function, days=0)
    (old,) = scene.store.posts.all(PostKind.DIGEST)

    scene.shows(*renamed(scene, function))

    assert scene.is_to_be_redrawn(old)
    assert "1 Lambda function without" in scene.drawn(old)
    assert scene.store.requests.get(scene.store.posts.requests_of(old.id)[0]).team == "payments"


def test_of_two_digests_one_gives_way_to_the_other(scene: Scene, remembered: Remember) -> None:
    mine, theirs = remembered("refund", team="pay"), remembered("ledger", team="payments")
    assert len(morning(scene, mine, theirs, days=0)) == 2
    first = {one.team: one for one in scene.store.posts.all(PostKind.DIGEST)}

    assert morning(scene, *renamed(scene, mine), theirs) == []

    assert scene.store.posts.get(first["pay"].id).newer == first["payments"].id
    assert "was replaced" in scene.drawn(first["pay"])
    assert "approve-fix" not in scene.drawn(first["pay"])
    assert "2 Lambda functions" in scene.drawn(first["payments"])

    fresh = remembered("charge", team="payments")
    assert morning(scene, *renamed(scene, mine), theirs, fresh) == [(PostKind.DIGEST, "payments")]


def test_snoozes_rules_and_assignments_go_on_under_the_new_name(scene: Scene, remembered: Remember) -> None:
    function, store, now = remembered("ctl-a", team="pay"), scene.store, scene.clock()
    store.snoozes.begin(None, "pay", ANA, now, now + timedelta(days=30))
    wish = Wish("by hand", now + timedelta(days=60), "pay", ("pay", None), "", ExemptScope.NAME, "ctl-*", later=True)
    rule = store.exemptions.create(wish, (), ANA, now)
    store.owners.assign("batch-*", "pay", ANA, now)

    late = remembered("ctl-b", team="pay")
    assert morning(scene, *renamed(scene, function, late), days=0) == []  # the whole team is snoozed

    assert store.snoozes.in_force(scene.clock())[0].team == "payments"
    assert store.owners.in_force()[0].team == "payments"
    kept = store.exemptions.get(rule.id)
    assert (kept.team, kept.teams) == ("payments", (None, "payments"))
    scene.clock.forward(days=1)
    scene.morning(*renamed(scene, function, late))
    known = store.functions.get(late.arn)
    assert known
    assert known.verdict is Verdict.EXEMPT


@pytest.fixture
def history(scene: Scene, remembered: Remember) -> list[Function]:
    """Three mornings of a team under two names, each of them counted; then the settings make it one."""
    store = scene.store
    ours, theirs, gone = (
        remembered("refund", team="pay"),
        remembered("ledger", team="payments"),
        remembered("old", team="pay"),
    )
    scene.context = replace(scene.context, policy=replace(scene.context.policy, production=Production(names=("*",))))
    for day, verdict in enumerate((Verdict.UNTRACED, Verdict.TRACED, Verdict.TRACED)):
        functions = [structs.replace(ours, verdict=verdict), theirs, *([gone] if day == 0 else [])]
        morning(scene, *functions, days=min(day, 1))
        if day == 0:
            store.functions.mark_gone(gone.arn, scene.clock())
    month = scene.clock().date().replace(day=1)
    store.usage.keep((HOME, BERLIN), {name: {month: 10.0} for name in ("refund", "index")}, [month], scene.clock())
    store.usage.told([month], {"refund": "pay", "index": "payments"}, UsageLook(HOME, BERLIN, scene.clock()))
    store.spend.save([Bill(month, HOME, Billed.LAMBDA, Decimal(8))], scene.clock(), {month: True})
    return [structs.replace(ours, verdict=Verdict.TRACED), theirs]


def test_the_history_is_joined_and_adds_up_where_both_names_had_a_part(scene: Scene, history: list[Function]) -> None:
    store, days = scene.store, [scene.clock() - timedelta(days=ago) for ago in (2, 1, 0)]
    before = [Coverage.sum(store.past.coverage_at(at).values()) for at in days]
    whole = made(scene).whole
    ours, theirs = history

    morning(scene, *renamed(scene, ours), theirs)

    assert [store.past.coverage_at(at) for at in days] == [{"payments": counts} for counts in before]
    assert len(store.overview.trend(["payments"], 14)) == 4
    assert [point.coverage.traced for point in store.overview.trend(["payments"], 14)] == [0, 1, 1, 1]
    assert store.overview.trend(["pay"], 14) == []
    found = made(scene)
    assert list(found.by_team) == ["payments", None]  # none: as every count of production has
    assert found.by_team["payments"].trend[:3] == whole.trend
    assert found.by_team["payments"].lambda_usd == Decimal(8)
    gauged = text_of(scene.context)
    assert 'team="payments"' in gauged
    assert 'team="pay"' not in gauged
    assert store.team_names.of_history(["pay"]) == []


def test_it_is_joined_before_the_next_audit_too(scene: Scene, history: list[Function]) -> None:
    renamed(scene)

    follow_names(scene.context)

    found = made(scene, team="payments")
    assert found.whole.coverage == Coverage(traced=1, untraced=1)
    assert [day.coverage.traced for day in found.whole.trend] == [0, 1, 1]
    assert scene.store.past.traced_at(history[0].arn, scene.clock()) is True
    follow_names(scene.context)  # nothing is left to do
    assert made(scene, team="payments").whole == found.whole


def test_what_a_deployments_message_told_is_told_still(scene: Scene, remembered: Remember) -> None:
    function, now = remembered("refund", team="pay"), scene.clock()
    post = scene.store.posts.create("deployed:1", PostKind.DEPLOYED, "C0PAY", now, team="pay")
    assert post
    scene.store.deployments.say(post.id, {function.arn: WhyDark.DEPLOYED}, "pay", now)
    ours = renamed(scene, function)

    follow_names(scene.context)

    assert scene.store.deployments.still_said(ours) == {function.arn: now}


def test_nothing_that_names_a_team_is_left_out(scene: Scene) -> None:
    with sqlite3.connect(scene.store.path) as file:
        sql = """
            select tables.name from sqlite_master as tables, pragma_table_info(tables.name) as columns
            where tables.type = 'table' and columns.name = 'team'
        """
        found = {table for (table,) in file.execute(sql)}
    file.close()
    # The history is never changed: it says what the team was called then, and whoever looks asks by old names too.
    assert found == {"decisions", "digests", *_KEPT_IN, *_KNOWN_IN, *_ADDED_UP}


def test_other_teams_keep_their_history(scene: Scene, remembered: Remember) -> None:
    search = remembered("find", team="search")
    morning(scene, search, remembered("refund", team="pay"), days=0)
    before = made(scene, team="search").whole
    renamed(scene)

    follow_names(scene.context)

    assert made(scene, team="search").whole == before


@pytest.mark.parametrize("name", ['pay"%', "pay_", "p\\ay"])
def test_any_name_is_taken_as_it_is(scene: Scene, clock: HandClock, people: NamedPeople, name: str) -> None:
    store, now = scene.store, clock()
    wish = Wish("by hand", now + timedelta(days=60), name, (name, "payx"), "arn", later=False)
    first = store.exemptions.create(wish, ("arn",), ANA, now)
    other = store.exemptions.create(replace(wish, team="payx", teams=("payx",), function_arn="b"), ("b",), ANA, now)

    store.team_names.rename(name, "payments")

    assert store.exemptions.get(first.id).teams == ("payments", "payx")
    assert store.exemptions.get(other.id).teams == ("payx",)
    assert store.team_names.all() == ["payments", "payx"]
