"""The grace period, day by day: a notice, a whole day, and a batch of what nobody objected to; in doubt nothing."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from commands._batch import run_batch
from commands._drawing import draw
from commands._grace import Grace
from commands._production import Production, TwoPeople
from commands._types import Context, FixPolicy, OpenForm, Request, Say
from commands.deny import deny
from commands.digest import daily
from commands.exempt import grant
from commands.fix import approve, fix
from commands.grace import grace
from commands.not_these import not_these, open_form
from commands.stop import stop
from commands.undo import undo
from commands.views.exempt import UNTIL
from commands.views.form import REASON
from storage.exemptions import Wish
from storage.fixes import GraceNotice, NoticeState, RequestState
from storage.models import THE_CLOCK, THE_POLICY, DecisionKind, PostKind, PostState, Source, Verdict
from storage.store import Store
from tests.commands.conftest import ADMIN, ANA, EVE, HOME, OTHER, World, trusting
from tests.commands.views.test_views import words

WEEK = Grace(days=7, teams=("payments",))
MORNING = datetime.fromisoformat("2026-11-23T09:00:00+01:00")


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@dataclass
class Story:
    """A bot that lives from day to day: at nine an audit, and then a look at what is due each time it is asked."""

    world: World
    context: Context

    def day(self, number: float, *, slack: bool = True) -> list[str]:
        """The morning of a day, counted from the first; what was changed on AWS."""
        self.world.clock.now = MORNING + timedelta(days=number)
        before = len(self.world.writes())
        list(daily(Request(THE_CLOCK, self.world.clock(), Source.CLOCK), self.context))
        self.tick()
        if slack:
            self.slack()
        self.tick(minutes=1)
        return self.world.writes()[before:]

    def slack(self) -> None:
        """Slack takes what waits."""
        for post in self.context.store.posts.due(self.world.clock()):
            if post.state is PostState.WAITING:
                self.context.store.posts.sent(post.id, "C0PAY", f"1.{post.id}", post.wanted_version)

    def tick(self, **later: float) -> None:
        self.world.clock.forward(**later)
        list(grace(Request(THE_CLOCK, self.world.clock(), Source.CLOCK), self.context))

    def week(self) -> GraceNotice:
        """A week later there is a notice."""
        self.day(0)
        assert self.day(7) == []
        return self.notice()

    def notice(self) -> GraceNotice:
        [notice] = self.context.store.grace.announced()
        return notice

    def again(self, notice: GraceNotice) -> GraceNotice:
        """As it is kept now."""
        return self.context.store.grace.get(notice.id)

    def named(self, notice: GraceNotice) -> list[str]:
        return [arn.rsplit(":", 1)[-1] for arn in self.context.store.grace.functions(notice.id)]

    def left(self, notice: GraceNotice) -> dict[str, str]:
        rows = self.context.store.grace.functions(notice.id)
        return {arn.rsplit(":", 1)[-1]: why for arn, why in rows.items() if why}

    def shown(self, notice: GraceNotice) -> str:
        text, blocks = draw(self.context, self.context.store.posts.get(notice.post))
        return f"{text}\n{words(blocks)}"

    def click(self, run: Callable[..., Any], value: str, who: str = ANA, **fields: str) -> str:
        asks = self.world.asks(who, value=value, fields=fields)
        return "\n".join(reply.text for reply in run(asks, self.context) if isinstance(reply, Say))

    def request(self, arn: str) -> str:
        live = self.context.store.requests.live(arn)
        assert live
        return live.id

    def under(self, **policy: Any) -> "Story":
        """The same memory under other settings."""
        return replace(self, context=replace(self.context, policy=replace(self.context.policy, **policy)))

    def kinds(self, arn: str) -> list[DecisionKind]:
        return [row.kind for row in self.world.history(arn)]


@pytest.fixture
def story(world: World) -> Story:
    return Story(world, replace(world.context, policy=FixPolicy(fixes_per_second=0, grace=WEEK)))


def nothing_was_done(story: Story, arn: str) -> bool:
    return story.world.writes() == [] and story.world.mode(arn) == "PassThrough"


# ---- off


@pytest.mark.parametrize("off", [Grace(), Grace(teams=("payments",)), Grace(days=7), Grace(7, ("checkout",))])
def test_unless_days_and_the_team_are_named_nothing_ever_happens(story: Story, off: Grace) -> None:
    arn = story.world.function("refund")
    story = story.under(grace=off)

    for number in range(12):
        story.day(number)

    assert nothing_was_done(story, arn)
    assert story.context.store.posts.all(PostKind.GRACE) == []
    assert story.kinds(arn) == []


# ---- the whole story


def test_a_week_untraced_then_a_notice_then_a_whole_day_then_a_fix(story: Story) -> None:
    arn = story.world.function("refund", role="mute")
    late = story.world.function("other-team", team="checkout")

    for number in range(7):
        assert story.day(number) == []
    assert story.context.store.grace.announced() == []  # six days are not a week

    assert story.day(7) == []
    notice = story.notice()
    assert story.named(notice) == ["refund"]
    shown = story.shown(notice)
    assert "To be fixed on Tuesday, Dec 1, 2026: 1 Lambda function" in shown
    assert "Unless an approver objects" in shown
    assert "`refund`" in shown
    assert "`mute`" in shown
    assert all(button in shown for button in ("Review and fix…", "Not these…", "Exempt…"))

    story.world.clock.now = MORNING + timedelta(days=8)
    list(daily(Request(THE_CLOCK, story.world.clock(), Source.CLOCK), story.context))
    story.tick()
    assert nothing_was_done(story, arn)  # a minute is wanting

    story.tick(minutes=2)

    role, function = story.world.writes()
    assert (role, function.startswith("UpdateFunctionConfiguration")) == ("AttachRolePolicy", True)
    assert story.world.mode(arn) == "Active"
    assert story.world.mode(late) == "PassThrough"
    assert story.world.known(arn).verdict is Verdict.TRACED
    assert story.again(notice).state is NoticeState.TAKEN
    assert "1 of 1 Lambda function approved by the grace period" in story.shown(notice)


def test_the_history_says_that_the_policy_approved_and_which_setting_let_it(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    story.day(8)

    approved, applied = [row for row in story.world.history(arn) if row.kind in ("approved", "applied")]
    assert (approved.actor, applied.actor) == (THE_POLICY, THE_POLICY)
    rule = str(approved.detail["allowed_by"])
    assert rule.startswith("lamplighter.toml [policy.grace] days = 7, teams: payments; notice 1, posted 2026-11-30")
    [batch] = [row for row in story.context.store.decisions.all() if row.kind is DecisionKind.BATCH]
    assert (batch.actor, batch.source) == (THE_POLICY, Source.CLOCK)
    assert story.context.store.decisions.verify() is None
    number = story.again(notice).batch
    assert number is not None
    text, blocks = draw(story.context, story.context.store.posts.get(story.context.store.batches.get(number).post))
    assert "approved by lamplighter.toml `[policy.grace]`" in text
    assert "Active since" in words(blocks)


def test_cloudtrail_names_the_policy_as_who_changed_it(story: Story) -> None:
    world = story.world
    trust = trusting(AWS=f"arn:aws:iam::{HOME}:root")
    trust["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    world.aws.create_role(HOME, "fixes", trust, attached=[ADMIN])
    world.aws.settle()
    story = replace(story, context=replace(world.configured(fix_role="fixes"), policy=story.context.policy))
    arn = world.function("refund")
    story.week()
    story.day(8)

    assert world.mode(arn) == "Active"
    [session] = [one for one in world.aws.sessions if one.role_arn.endswith("/fixes")]
    assert (session.name, session.source_identity) == ("policy", "policy")
    assert session.policy


def test_callers_come_first_and_no_more_than_the_largest_batch(story: Story) -> None:
    for name in ("a", "b", "c"):
        story.world.function(name)
    story = story.under(largest_batch=2)

    first = story.week()
    assert len(story.named(first)) == 2
    story.day(8)

    second = story.notice()  # what was left is announced with the next audit
    assert story.named(first) + story.named(second) == ["a", "b", "c"]
    assert story.again(first).state is NoticeState.TAKEN


def test_a_fix_by_the_policy_can_be_undone_by_an_approver_and_is_not_made_again(story: Story) -> None:
    arn = story.world.function("refund")
    story.week()
    story.day(8)
    asked = story.world.history(arn)[-1].request_id

    story.click(undo, asked)
    assert story.world.mode(arn) == "PassThrough"

    before = len(story.world.writes())
    for number in range(9, 30):
        story.day(number)
    assert story.world.writes()[before:] == []
    assert len(story.context.store.posts.all(PostKind.GRACE)) == 1


def test_what_a_person_fixed_and_took_back_is_never_announced(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0)
    story.click(approve, story.request(arn))
    story.click(undo, story.world.history(arn)[-1].request_id)
    assert story.kinds(arn)[-1] is DecisionKind.UNDONE

    for number in range(1, 12):
        story.day(number)

    assert story.world.mode(arn) == "PassThrough"
    assert story.context.store.posts.all(PostKind.GRACE) == []


def test_what_comes_back_untraced_after_a_fix_by_the_policy_is_left_to_people(story: Story) -> None:
    arn = story.world.function("refund")
    story.week()
    story.day(8)
    story.world.aws.seed_tracing_mode(arn, "PassThrough", story.world.clock())

    before = len(story.world.writes())
    for number in range(9, 30):
        story.day(number)

    assert story.world.writes()[before:] == []
    assert story.world.known(arn).verdict is Verdict.UNTRACED


def test_it_is_carried_out_once_however_often_the_clock_comes_round(story: Story) -> None:
    arn = story.world.function("refund")
    story.week()
    story.day(8)
    for _ in range(5):
        story.tick(minutes=1)
    story.day(9)

    assert story.kinds(arn).count(DecisionKind.APPLIED) == 1
    assert len([call for call in story.world.writes() if call.startswith("UpdateFunction")]) == 1
    assert len(story.context.store.posts.all(PostKind.GRACE)) == 1


# ---- what people decide in between


def test_an_approver_stops_all_of_a_notice_with_a_reason(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    [opened] = open_form(story.world.asks(ANA, value=notice.token), story.context)
    assert isinstance(opened, OpenForm)
    assert "`refund`" in words(opened.view["blocks"])

    said = story.click(not_these, notice.token, **{REASON: "they move this week"})

    assert "1 function will not be fixed" in said
    assert story.day(8) == []
    assert nothing_was_done(story, arn)
    denied = story.world.history(arn)[-1]
    assert (denied.kind, denied.actor, denied.reason) == (DecisionKind.DENIED, ANA, "they move this week")
    assert denied.detail["allowed_by"] == f"approver {ANA}"
    assert f"*Stopped* by <@{ANA}>" in story.shown(notice)
    assert "they move this week" in story.shown(notice)
    for number in range(9, 14):
        story.day(number)
    assert story.context.store.grace.announced() == []  # for another week
    assert story.context.store.requests.get(story.request(arn)).state is RequestState.OPEN  # a click still may

    story.day(15)
    assert story.named(story.notice()) == ["refund"]


@pytest.mark.parametrize("reason", ["", "x"])
def test_to_stop_a_notice_takes_a_reason(story: Story, reason: str) -> None:
    story.world.function("refund")
    notice = story.week()

    assert "Nothing was stopped" in story.click(not_these, notice.token, **{REASON: reason})
    assert story.again(notice).state is NoticeState.ANNOUNCED


def test_who_may_not_approve_may_not_stop_a_notice_either(story: Story) -> None:
    story.world.function("refund")
    notice = story.week()

    assert "You are not an approver" in story.click(open_form, notice.token, EVE)
    assert "You are not an approver" in story.click(not_these, notice.token, EVE, **{REASON: "because"})
    assert story.again(notice).state is NoticeState.ANNOUNCED


def test_a_notice_that_has_ended_cannot_be_stopped_and_says_how_it_stands(story: Story) -> None:
    story.world.function("refund")
    notice = story.week()
    story.day(8)

    assert "Too late" in story.click(open_form, notice.token)
    assert "Too late" in story.click(not_these, notice.token, **{REASON: "because"})
    assert "another installation" in story.click(not_these, "nonsense", **{REASON: "because"})


def test_what_was_exempted_in_between_is_left_alone_and_the_others_are_fixed(story: Story) -> None:
    kept, other = story.world.function("kept"), story.world.function("other")
    notice = story.week()
    until = (story.world.clock() + timedelta(days=30)).date().isoformat()
    assert story.click(grant, story.request(kept), **{REASON: "it is being retired", UNTIL: until})

    story.day(8)

    assert (story.world.mode(kept), story.world.mode(other)) == ("PassThrough", "Active")
    assert "It is exempt until" in story.left(notice)["kept"]
    assert "*Left alone*: It is exempt until" in story.shown(notice)


def test_what_was_denied_before_or_in_between_is_left_alone(story: Story) -> None:
    before, between = story.world.function("before"), story.world.function("between")
    story.day(0)
    story.day(5)
    story.click(deny, story.request(before), **{REASON: "not this month"})
    story.day(7)
    notice = story.notice()
    assert story.named(notice) == ["between"]
    story.click(deny, story.request(between), **{REASON: "not this one either"})

    assert story.day(8) == []

    assert (story.world.mode(before), story.world.mode(between)) == ("PassThrough", "PassThrough")
    assert "was denied" in story.left(notice)["between"]
    assert "nothing was left" in story.shown(notice)


def test_what_somebody_asked_for_waits_for_people(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    list(fix(story.world.asks(EVE, text="refund please"), story.context))

    assert story.day(8) == []

    assert story.world.mode(arn) == "PassThrough"
    assert story.left(notice) == {"refund": "Somebody has asked for a fix of it."}


def test_what_was_approved_in_between_was_that_persons_fix(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    story.click(approve, story.request(arn))

    assert story.day(8) == []

    assert [row.actor for row in story.world.history(arn) if row.kind is DecisionKind.APPROVED] == [ANA]
    assert story.left(notice) == {"refund": "It is traced now."}


# ---- what is left to people


def test_production_that_takes_two_people_is_left_to_them(story: Story) -> None:
    prod, test = story.world.function("refund-prod"), story.world.function("refund-test")
    story = story.under(two_people=TwoPeople.PRODUCTION, production=Production(names=("*-prod",)))

    notice = story.week()
    story.day(8)

    assert story.named(notice) == ["refund-test"]
    assert (story.world.mode(prod), story.world.mode(test)) == ("PassThrough", "Active")
    assert story.kinds(prod) == []


def test_what_became_production_in_between_is_left_to_people(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()

    story = story.under(two_people=TwoPeople.ALWAYS)

    assert story.day(8) == []
    assert nothing_was_done(story, arn)
    assert story.left(notice) == {"refund": "A fix of it takes two people."}


def test_a_team_for_which_nobody_may_approve_could_not_object_and_is_left_alone(story: Story) -> None:
    arn = story.world.function("refund")
    story.world.people.of_team["payments"] = ()

    for number in (0, 7, 8, 9):
        story.day(number)

    assert nothing_was_done(story, arn)
    assert story.context.store.posts.all(PostKind.GRACE) == []


def test_a_role_that_functions_of_others_use_too_is_not_changed(story: Story) -> None:
    ours, theirs = story.world.function("ours", role="mute"), story.world.function("theirs", role="mute", team="ops")

    for number in (0, 7, 8, 9):
        story.day(number)

    assert nothing_was_done(story, ours)
    assert nothing_was_done(story, theirs)
    assert story.context.store.grace.announced() == []


def test_functions_of_no_known_team_are_left_alone_even_where_all_teams_are_meant(story: Story) -> None:
    nobodys = story.world.function("nobodys", team=None)
    somebodys = story.world.function("somebodys", team="ops")
    story = story.under(grace=Grace(days=7, all_teams=True))

    story.week()
    story.day(8)

    assert (story.world.mode(nobodys), story.world.mode(somebodys)) == ("PassThrough", "Active")


def test_a_fix_that_failed_is_not_tried_again_without_a_person(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0)
    refused = story.context.store.requests
    assert refused.claim(story.request(arn), ANA, story.world.clock())
    assert refused.finish(story.request(arn), RequestState.FAILED, story.world.clock(), outcome="refused")

    for number in (7, 8, 9):
        story.day(number)

    assert nothing_was_done(story, arn)


# ---- what AWS does in between


def test_what_was_traced_or_deleted_in_between_is_left_alone(story: Story) -> None:
    traced, gone = story.world.function("traced"), story.world.function("gone")
    notice = story.week()
    story.world.aws.seed_tracing_mode(traced, "Active", story.world.clock())
    story.world.lambdas().delete_function(FunctionName="gone")
    before = len(story.world.writes())

    story.day(8)

    assert story.world.writes()[before:] == []
    assert story.left(notice) == {"traced": "It is traced now.", "gone": "It no longer exists."}
    assert story.kinds(gone)[-1:] == [DecisionKind.RESOLVED]


def test_what_is_deleted_after_the_audit_and_before_the_fix_is_resolved(story: Story) -> None:
    arn = story.world.function("refund")
    story.week()
    story.world.clock.now = MORNING + timedelta(days=8)
    list(daily(Request(THE_CLOCK, story.world.clock(), Source.CLOCK), story.context))
    story.world.lambdas().delete_function(FunctionName="refund")

    story.tick(minutes=5)

    assert story.kinds(arn)[-2:] == [DecisionKind.APPROVED, DecisionKind.RESOLVED]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ("lambda", "Today's audit did not see it."),
        ("resourcegroupstaggingapi", "Today's audit did not see all of its account and region."),
    ],
)
def test_nothing_is_changed_where_todays_audit_did_not_see_all_of_the_account(
    story: Story, service: str, why: str
) -> None:
    seen, unseen = story.world.function("seen"), story.world.function("unseen", account=OTHER)
    notice = story.week()
    story.world.aws.deny(account=OTHER, service=service)

    story.day(8)

    assert (story.world.mode(seen), story.world.mode(unseen)) == ("Active", "PassThrough")
    assert story.left(notice) == {"unseen": why}


def test_without_an_audit_of_that_day_nothing_is_changed(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()

    story.world.clock.now = MORNING + timedelta(days=8)
    for _ in range(10):
        story.tick(hours=1)
    assert nothing_was_done(story, arn)
    story.world.clock.now = MORNING + timedelta(days=9)
    story.tick()

    assert nothing_was_done(story, arn)
    assert story.again(notice).state is NoticeState.LAPSED
    assert "No audit of everything ended that day" in story.shown(notice)


# ---- what Slack does in between


def test_a_notice_that_slack_has_not_taken_changes_nothing_and_another_follows(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0)
    story.day(7, slack=False)
    notice = story.notice()

    assert story.day(8, slack=False) == []
    for _ in range(3):
        story.tick(hours=4)
    assert nothing_was_done(story, arn)

    assert story.day(9) == []
    assert story.again(notice).state is NoticeState.LAPSED
    assert "had not stood in its channel for a whole day" in story.shown(notice)
    assert story.notice().id != notice.id
    story.day(10)
    assert story.world.mode(arn) == "Active"


def test_a_notice_that_came_late_does_not_cut_the_warning_short(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0)
    story.day(7, slack=False)
    story.world.clock.forward(hours=5)
    story.slack()
    story.tick()

    story.day(8)
    story.tick(hours=4)
    assert nothing_was_done(story, arn)
    story.tick(hours=1, minutes=1)

    assert story.world.mode(arn) == "Active"  # still on the day that it named


def test_a_notice_that_went_to_another_channel_does_not_count(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0)
    story.day(7, slack=False)
    story.context.store.posts.redirect(story.notice().post, "#finops")
    story.slack()

    story.day(8)
    story.tick(hours=12)

    assert nothing_was_done(story, arn)


def test_a_notice_that_was_deleted_in_slack_does_not_count(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    story.context.store.posts.abandon(notice.post, "message_not_found")

    assert story.day(8) == []

    assert nothing_was_done(story, arn)


def test_each_page_of_a_long_notice_has_to_be_posted(story: Story) -> None:
    for number in range(20):
        story.world.function(f"f{number:02}")
    story.day(0)
    story.day(7, slack=False)
    first, second = story.context.store.posts.all(PostKind.GRACE)
    assert second.thread == first.id
    story.context.store.posts.sent(first.id, "C0PAY", "1.1", 1)
    story.tick()
    assert story.notice().posted_at is None

    story.context.store.posts.sent(second.id, "C0PAY", "1.2", 1)
    story.tick()

    assert story.notice().posted_at == story.world.clock()
    assert "5 more in this thread" in story.shown(story.notice())


# ---- settings and restarts


def test_settings_that_ask_for_it_no_more_end_what_was_announced(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()

    story = story.under(grace=Grace())
    story.tick(minutes=1)

    assert story.again(notice).state is NoticeState.LAPSED
    assert "does not ask for it any more" in story.shown(notice)
    story.day(8)
    assert nothing_was_done(story, arn)


def test_days_that_were_raised_in_between_count(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()

    story = story.under(grace=Grace(days=30, teams=("payments",)))
    story.day(8)

    assert nothing_was_done(story, arn)
    assert story.left(notice) == {"refund": "It has not been untraced for 30 days."}


def test_a_restart_between_the_notice_and_the_fix_forgets_nothing(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()
    path = story.context.store.path
    story.context.store.close()

    with_new_memory = Store(path)
    again = replace(story, context=replace(story.context, store=with_new_memory))
    again.day(8)

    assert story.world.mode(arn) == "Active"
    assert with_new_memory.grace.get(notice.id).state is NoticeState.TAKEN
    assert len(with_new_memory.posts.all(PostKind.GRACE)) == 1
    with_new_memory.close()


@pytest.mark.parametrize("moment", [2, 5, 8, 11, 15])
def test_a_fault_at_any_moment_leaves_it_approved_whole_or_not_at_all_and_it_is_done_once(
    story: Story, moment: int
) -> None:
    first, second = story.world.function("first"), story.world.function("second")
    notice = story.week()
    story.world.clock.now = MORNING + timedelta(days=8)
    list(daily(Request(THE_CLOCK, story.world.clock(), Source.CLOCK), story.context))
    story.world.clock.forward(minutes=2)

    story.world.clock.broken_after = moment
    with pytest.raises(RuntimeError, match="the clock is broken"):
        story.tick()

    approved = [DecisionKind.APPROVED in story.kinds(arn) for arn in (first, second)]
    assert approved == [False, False]
    assert story.again(notice).state is NoticeState.ANNOUNCED
    story.tick()
    story.tick()
    for arn in (first, second):
        assert story.world.mode(arn) == "Active"
        assert story.kinds(arn).count(DecisionKind.APPLIED) == 1
    assert len([call for call in story.world.writes() if call.startswith("UpdateFunction")]) == 2


def cut_short(story: Story) -> Story:
    """The morning of the eighth day; the bot is told to end as soon as the batch is approved, and is started again."""
    story.world.clock.now = MORNING + timedelta(days=8)
    list(daily(Request(THE_CLOCK, story.world.clock(), Source.CLOCK), story.context))

    def end_once_approved() -> None:
        if story.context.store.batches.unfinished():
            story.context.ending.set()

    story.world.clock.asked = end_once_approved
    story.tick(minutes=2)
    story.world.clock.asked = lambda: None
    return replace(story, context=replace(story.context, ending=threading.Event()))


def test_what_was_approved_and_not_begun_when_the_bot_ended_is_fixed_after_the_next_start(story: Story) -> None:
    arn = story.world.function("refund")
    notice = story.week()

    story = cut_short(story)
    assert nothing_was_done(story, arn)
    assert story.kinds(arn)[-1] is DecisionKind.APPROVED
    story.tick(minutes=1)
    assert nothing_was_done(story, arn)
    for batch in story.context.store.batches.unfinished():  # as the bot does at its start
        run_batch(story.context, batch.id)

    assert story.again(notice).state is NoticeState.TAKEN
    assert story.world.mode(arn) == "Active"
    assert story.kinds(arn).count(DecisionKind.APPLIED) == 1


def test_what_an_approver_stopped_before_it_began_is_not_announced_again(story: Story) -> None:
    arn = story.world.function("refund")
    story.week()
    story = cut_short(story)

    [batch] = story.context.store.batches.unfinished()
    assert "Stopped. 1 function" in story.click(stop, batch.token)
    run_batch(story.context, batch.id)
    for number in range(9, 30):
        story.day(number)

    assert nothing_was_done(story, arn)
    assert len(story.context.store.posts.all(PostKind.GRACE)) == 1
    assert story.context.store.requests.get(story.request(arn)).state is RequestState.OPEN


def test_a_notice_late_in_the_evening_leaves_two_days(story: Story) -> None:
    arn = story.world.function("refund")
    story.day(0.6)
    story.day(7.6)  # at 23:24
    assert "on Wednesday, Dec 2, 2026" in story.shown(story.notice())

    story.day(8.6)
    assert nothing_was_done(story, arn)
    story.day(9.6)

    assert story.world.mode(arn) == "Active"


def test_what_is_snoozed_or_waits_for_a_second_persons_exemption_or_may_well_be_exempt_is_left_to_people(
    story: Story,
) -> None:
    arns = {name: story.world.function(name) for name in ("sleeps", "asked", "aws-controltower-Forwarder", "plain")}
    story.day(0)
    story.world.clock.now = MORNING + timedelta(days=6)
    now, later, store = story.world.clock(), MORNING + timedelta(days=30), story.context.store
    store.snoozes.begin(arns["sleeps"], "payments", ANA, now, later)
    wish = Wish("moves", later, "payments", ("payments",), arns["asked"])
    store.exemptions.ask(wish, (arns["asked"],), ANA, now, later)

    story.day(7)

    assert story.named(story.notice()) == ["plain"]


def test_a_team_that_is_snoozed_gets_no_notice(story: Story) -> None:
    story.world.function("refund")
    story.day(0)
    now = story.world.clock()
    story.context.store.snoozes.begin(None, "payments", ANA, now, now + timedelta(days=30))

    story.day(7)

    assert story.context.store.grace.announced() == []
