"""The five weeks that the demo pretends to have lived through: kept as the bot keeps its own, and worth a look."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.demo import people
from bot.demo.aws import AwsStandIn
from bot.demo.fleet import seed
from bot.demo.past import DAYS, live_through
from bot.demo.show import configuration
from bot.nobody import Nobody
from commands._as_of import look_back
from commands._audits import keep_audit
from commands._evidence import make_evidence, read_days
from commands._reports import make_report
from commands._types import Context, Request
from commands.aws.accounts import Cloud
from commands.aws.inventory import take_inventory
from commands.forecast_check import forecast_check
from storage.digests import Was
from storage.models import Coverage, DecisionKind, Inventory, Source, Verdict
from storage.news import ChangeKind
from storage.store import Store, open_store


@dataclass(frozen=True)
class Lived:
    config: Config
    cloud: Cloud
    seen: Inventory
    store: Store

    @property
    def context(self) -> Context:
        settings = self.config
        now = datetime.now(UTC)
        return Context(self.store, self.cloud, settings.teams, Nobody(), lambda: now, settings.zone)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The demo's memory at the moment when its bot starts."""
    folder = tmp_path_factory.mktemp("past")
    with AwsStandIn() as aws, pytest.MonkeyPatch.context() as environment:
        fleet = seed(aws)
        toml = folder / "lamplighter.toml"
        toml.write_text(configuration(fleet, datetime.now(UTC)), encoding="utf-8")
        for name, value in fleet.environment(aws).items():
            environment.setenv(name, value)
        environment.setenv("LAMPLIGHTER_CONFIG", str(toml))
        environment.setenv("LAMPLIGHTER_DATABASE", str(folder / "lamplighter.db"))
        config = load()
        cloud = Cloud(config.aws)
        seen = take_inventory(cloud, tag_keys=config.teams.tag_keys)
        with open_store(Path(config.database)) as store:
            live_through(config, store, cloud, seen)
            yield Lived(config, cloud, seen, store)


def test_every_day_had_its_audit_and_coverage_rose(lived: Lived) -> None:
    made = make_report(lived.context, 30, None)

    assert len(made.whole.trend) >= 29  # today's audit has yet to come
    assert made.whole.before
    assert made.whole.before.percent is not None
    assert made.whole.coverage.percent is not None
    assert made.whole.coverage.percent - made.whole.before.percent >= 10
    assert made.remediation.n >= 10
    risen = {team for team, one in made.by_team.items() if one.before and one.coverage.traced > one.before.traced}
    assert risen >= set(lived.store.functions.teams())


def test_a_past_day_can_be_asked_about(lived: Lived) -> None:
    now = datetime.now(UTC)
    days = [str((now - timedelta(days=ago)).date()) for ago in (DAYS - 1, 14, 1)]
    then = [look_back(lived.store, day, now, lived.config.zone, lived.config.policy.production) for day in days]
    traced = [Coverage.sum(one.teams.values()).traced for one in then]

    assert traced == sorted(traced)
    assert traced[0] < traced[1] < traced[2]
    assert [one.not_known for one in then] == [0, 0, 0]


def test_what_was_decided_is_chained_and_by_approvers(lived: Lived) -> None:
    decided = lived.store.decisions.all()
    kinds = Counter(one.kind for one in decided)

    assert lived.store.decisions.verify() is None
    assert kinds[DecisionKind.APPROVED] == kinds[DecisionKind.APPLIED] >= 3
    assert kinds[DecisionKind.EXEMPTED] == 1
    assert {one.actor for one in decided} <= set(people.APPROVERS)
    assert all(one.at < datetime.now(UTC) for one in decided)
    assert [one.at for one in decided] == sorted(one.at for one in decided)


def test_an_auditor_finds_who_could_approve_and_who_did(lived: Lived) -> None:
    context = lived.context
    today = context.clock().date()

    made = make_evidence(context, read_days(f"{today - timedelta(days=30)}", f"{today}", context), None)

    assert made.broken is None
    assert made.approvers.at_start
    assert made.approvers.at_start.rules.for_all() == set(people.APPROVERS)
    assert (made.approvers.changes, made.approvers.not_looked, made.approvers.broken) == ((), (), None)
    assert {one.who for one in made.people} <= set(people.APPROVERS)
    assert sum(one.not_recorded for one in made.people) == 0
    assert made.fixes["applied"] >= 3
    assert 0 < made.without_another < made.fixes["applied"]
    assert [one.granted_by for one in made.exceptions] == [people.APPROVERS[0]]
    assert (made.no_audit, made.unseen, len(made.accounts)) == ((), (), 3)
    assert made.end
    assert made.lowest
    assert (made.lowest.coverage.percent or 0) < (made.end.coverage.percent or 0)


def test_forecasts_of_what_was_fixed_are_held_against_x_ray_as_soon_as_the_bot_runs(lived: Lived) -> None:
    context = lived.context
    assert make_report(context, 30, None).forecasts.n == 0

    list(forecast_check(Request(people.APPROVERS[0], context.clock(), Source.CLOCK), context))

    found = make_report(lived.context, 30, None).forecasts
    assert found.n >= 2
    assert found.unknown == 0
    assert found.within == found.n
    assert abs(found.median_error) < 0.4


def test_todays_audit_finds_little_that_is_new_and_teams_know_the_rest(lived: Lived) -> None:
    told = {team: lived.store.digests.of_team(team) for team in [*lived.store.functions.teams(), None]}
    known = {arn: was for one in told.values() if one for arn, was in one.known.items()}
    context = lived.context
    taken = keep_audit(context, lived.seen, context.clock(), source=Source.CLOCK)

    since = lived.store.changes.since_last(taken.audit.id)
    assert Counter(one.kind for one in since.changes) == {ChangeKind.NEW: 3, ChangeKind.REGRESSED: 1}
    changed = {one.function_arn for one in since.changes}
    untraced = {one.arn for one in taken.functions if one.verdict is Verdict.UNTRACED}
    assert untraced - changed == {arn for arn, was in known.items() if was is Was.UNTRACED}
    assert Counter(one.verdict for one in taken.functions)[Verdict.EXEMPT] == 1
