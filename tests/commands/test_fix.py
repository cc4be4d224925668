"""From an approval to what AWS says afterwards, against the local AWS."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from commands._carry_out import carry_out
from commands._drawing import draw
from commands._production import Production, TwoPeople
from commands._types import FixPolicy, Progress, Replace, Say
from commands.audit import audit
from commands.fix import approve, fix
from commands.views.actions import APPROVE, CANCEL, DENY, EXEMPT, SHOW_PATCH
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind, MayWrite, PostKind, Source, Verdict
from tests.commands.conftest import ANA, BERLIN, BO, DAEMON, EVE, HOME, MODIFIED, OTHER, World

APPROVED, APPLIED, FAILED, RESOLVED = (
    DecisionKind.APPROVED,
    DecisionKind.APPLIED,
    DecisionKind.FAILED,
    DecisionKind.RESOLVED,
)


def click(world: World, asked: FixRequest | str, who: str = ANA, **more) -> list:
    """The replies to *Approve fix*."""
    value = asked if isinstance(asked, str) else asked.id
    return list(approve(world.asks(who, value=value, **more), world.context))


def said(replies: list) -> str:
    """All that the person is told; "Progress" is not shown to who clicked."""
    return "\n".join(reply.text for reply in replies if isinstance(reply, Say))


def kinds(world: World, arn: str) -> list[DecisionKind]:
    return [row.kind for row in world.history(arn)]


def posted(world: World, asked: FixRequest):
    """A message that shows the request, and a click on it."""
    post = world.post(asked)
    return post, {"channel": post.posted_channel, "message": post.ts}


def test_an_approved_function_is_active_its_role_may_write_and_both_decisions_are_kept(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)
    post, where = posted(world, asked)

    replies = click(world, asked, **where)

    assert said(replies) == ""
    assert {type(reply) for reply in replies} == {Progress}
    assert world.mode(arn) == "Active"
    known = world.known(arn)
    assert (known.mode, known.role_may_write, known.verdict) == ("Active", MayWrite.YES, Verdict.TRACED)
    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.approved_by) == (RequestState.APPLIED, ANA)
    assert world.is_to_be_redrawn(post)
    approved, applied = world.history(arn)
    assert (approved.kind, approved.actor, approved.message) == (APPROVED, ANA, post.ts)
    assert approved.detail["allowed_by"] == f"approver {ANA}"
    assert (applied.kind, applied.actor) == (APPLIED, ANA)
    assert (applied.before, applied.after) == ("PassThrough", "Active")
    assert applied.detail["attached_policy"] == DAEMON
    assert world.store.decisions.verify() is None


@pytest.mark.parametrize(
    ("who", "workspace"), [(EVE, "T0LAMPLIT"), (ANA, "T0OTHER")], ids=["no approver", "another workspace"]
)
def test_who_may_not_approve_changes_nothing(world: World, who: str, workspace: str) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)

    replies = click(world, asked, who, workspace=workspace)

    click(world, asked, who, workspace=workspace)
    assert said(replies) == "Nothing was changed: You are not an approver."
    assert world.writes() == []
    assert world.mode(arn) == "PassThrough"
    assert world.store.requests.get(asked.id).state is RequestState.OPEN
    (refused,) = world.history(arn)  # however often they click
    assert (refused.kind, refused.actor, refused.workspace) == (DecisionKind.REFUSED, who, workspace)
    assert refused.reason == "You are not an approver."


def test_an_approver_of_another_team_may_not_approve_and_the_functions_team_of_today_counts(world: World) -> None:
    world.people.of_team = {"search": (BO,)}
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.lambdas().tag_resource(Resource=arn, Tags={"team": "search"})
    world.audit()

    assert "You are not an approver" in said(click(world, asked, ANA))
    assert world.mode(arn) == "PassThrough"


def test_a_button_with_an_unknown_id_is_answered_and_does_nothing(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    for value in ("", "nothing", arn, "' or 1=1 --"):
        assert "another installation" in said(click(world, value))
    assert world.writes() == []


def test_a_function_that_was_exempted_meanwhile_is_not_fixed(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.store.exemptions.grant(arn, "moves in OPS-12", BO, world.clock(), world.clock().replace(month=12))
    world.audit()

    replies = click(world, asked)

    assert "Nothing is left to do for `refund`: exempt: moves in OPS-12" in said(replies)
    assert world.writes() == []
    assert kinds(world, arn) == [RESOLVED]


def test_a_function_whose_exemption_no_audit_has_seen_to_yet_is_not_fixed(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.store.exemptions.grant(arn, "moves in OPS-12", BO, world.clock(), world.clock().replace(month=12))
    world.store.functions.set_verdict(arn, Verdict.EXEMPT, world.clock())

    assert "Nothing was changed. `refund` is exempt until" in said(click(world, asked))
    assert world.writes() == []
    assert world.store.requests.get(asked.id).state is RequestState.OPEN


def test_a_function_that_is_known_to_be_traced_meanwhile_is_not_touched(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.aws.seed_tracing_mode(arn, "Active", world.clock())
    world.audit()

    assert "Nothing is left to do for `refund`: Traced now" in said(click(world, asked))
    assert world.writes() == []


def test_a_function_that_was_traced_unseen_is_read_first_and_not_written_to(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    _, where = posted(world, asked)
    world.aws.seed_tracing_mode(arn, "Active", world.clock())

    click(world, asked, **where)

    assert world.writes() == []
    assert world.known(arn).verdict is Verdict.TRACED
    applied = world.history(arn)[-1]
    assert (applied.kind, applied.before, applied.after) == (APPLIED, "Active", "Active")
    assert applied.detail["changed"] is False


def test_a_function_that_needs_a_deployment_is_not_claimed(world: World) -> None:
    arn = world.served_untraced("refund")
    world.audit()
    assert world.known(arn).verdict is Verdict.UNTRACED
    asked = world.request(arn)

    assert said(click(world, asked)) == (
        "Nothing was changed: `refund` needs a deployment, not a fix of its configuration."
    )
    assert world.writes() == []
    assert world.store.requests.get(asked.id).state is RequestState.OPEN


def test_a_role_that_changed_after_the_audit_is_named_beside_the_new_one_and_nothing_is_changed(world: World) -> None:
    arn = world.function("refund", role="writes")
    world.audit()
    asked = world.request(arn)
    _, where = posted(world, asked)
    world.lambdas().update_function_configuration(FunctionName="refund", Role=f"arn:aws:iam::{HOME}:role/mute")
    world.aws.settle()
    others = world.writes()

    click(world, asked, **where)

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert "Nothing was changed" in ended.outcome
    assert "`writes`" in ended.outcome
    assert "`mute`" in ended.outcome
    assert world.writes() == others
    assert kinds(world, arn) == [APPROVED, FAILED]
    assert world.known(arn).role_name == "mute"

    click(world, asked, BO, **where)
    assert world.store.requests.get(asked.id).state is RequestState.APPLIED
    assert world.mode(arn) == "Active"


def test_a_role_that_lost_its_permission_since_is_not_given_it_unseen(world: World) -> None:
    arn = world.function("refund", role="writes")
    world.audit()
    asked = world.request(arn)
    post, where = posted(world, asked)
    world.role_client().detach_role_policy(RoleName="writes", PolicyArn=DAEMON)
    world.aws.settle()
    others = world.writes()

    click(world, asked, **where)

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert "has lost its permission" in ended.outcome
    assert world.writes() == others
    assert world.is_to_be_redrawn(post)
    assert world.known(arn).role_may_write is MayWrite.NO

    click(world, asked, **where)
    assert world.mode(arn) == "Active"


def test_what_an_audit_sees_changed_is_drawn_again_where_it_can_be_approved(world: World) -> None:
    arn = world.function("refund", role="writes")
    world.audit()
    post = world.post(world.request(arn))
    world.audit()
    assert not world.is_to_be_redrawn(post)

    world.lambdas().update_function_configuration(FunctionName="refund", Role=f"arn:aws:iam::{HOME}:role/mute")
    world.aws.settle()
    world.audit()

    assert world.is_to_be_redrawn(post)


def test_aws_being_busy_for_a_moment_does_not_fail_a_fix(world: World) -> None:
    arn = world.function("refund", role="writes")
    world.audit()
    asked = world.request(arn)
    world.aws.throttle(8, service="cloudwatch")

    click(world, asked)

    assert world.store.requests.get(asked.id).state is RequestState.APPLIED


def test_a_fault_after_the_fix_does_not_make_it_a_failure(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)
    assert world.store.requests.claim(asked.id, ANA, world.clock())
    for reply in carry_out(world.context, asked.id):
        if "back" in reply.text:  # the fix reads back; the next question of the time is of looking once more
            world.clock.broken_after = 0

    assert world.store.requests.get(asked.id).state is RequestState.APPLIED
    (applied,) = world.history(arn)
    assert applied.detail["attached_policy"] == DAEMON
    assert applied.detail["aws_requests"]


def test_a_function_that_a_running_audit_saw_deleted_is_gone_though_its_role_was_given_the_policy(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    before = world.clock()
    world.clock.forward(minutes=5)
    click(world, world.request(arn))
    assert world.known(other).role_may_write is MayWrite.YES

    world.store.functions.mark_unseen_gone([(HOME, BERLIN)], before + (world.clock() - before) / 2)

    assert world.store.functions.get(other) is None


def test_a_request_whose_message_was_deleted_is_posted_anew(world: World) -> None:
    world.function("refund")
    world.audit()
    ask = world.asks(EVE, text="refund", source=Source.SLASH)
    list(fix(ask, world.context))
    (first,) = world.store.posts.all(PostKind.REQUEST)
    world.store.posts.abandon(first.id, "message_not_found")

    list(fix(ask, world.context))

    assert len(world.store.posts.all(PostKind.REQUEST)) == 2


def test_a_function_that_was_deleted_meanwhile_ends_the_request(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    post, where = posted(world, asked)
    world.lambdas().delete_function(FunctionName="refund")

    click(world, asked, **where)

    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.outcome) == (RequestState.RESOLVED, "The function no longer exists.")
    assert kinds(world, arn) == [APPROVED, RESOLVED]
    assert world.store.functions.get(arn) is None
    assert world.is_to_be_redrawn(post)
    assert "no longer exists" in said(click(world, asked, BO))


def test_the_other_functions_of_a_role_that_was_given_the_policy_are_known_to_be_able_to_write(world: World) -> None:
    arn, sibling = world.function("refund", role="mute"), world.function("charge", role="mute")
    stranger = world.function("far", role="mute", account=OTHER)
    world.audit()
    asked, other, third = (world.request(one) for one in (arn, sibling, stranger))
    post, unrelated = world.post(other), world.post(third)

    click(world, asked)

    assert world.known(sibling).role_may_write is MayWrite.YES
    assert world.known(sibling).verdict is Verdict.UNTRACED
    assert world.is_to_be_redrawn(post)
    assert world.known(stranger).role_may_write is MayWrite.NO
    assert not world.is_to_be_redrawn(unrelated)


def test_an_active_function_of_such_a_role_is_traced_by_it_and_its_request_ends(world: World) -> None:
    arn, silent = world.function("refund", role="mute"), world.function("charge", role="mute", mode="Active")
    world.audit()
    asked, other = world.request(arn), world.request(silent)
    post = world.post(other)

    click(world, asked)

    assert world.known(silent).verdict is Verdict.TRACED
    ended = world.store.requests.get(other.id)
    assert ended.state is RequestState.RESOLVED
    assert "in a fix of another function" in ended.outcome
    assert world.is_to_be_redrawn(post)


def test_a_fix_that_is_carried_out_twice_at_once_is_made_once(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)
    assert world.store.requests.claim(asked.id, ANA, world.clock())
    gate, done = threading.Barrier(4), []

    def work() -> None:
        gate.wait()
        done.append(list(carry_out(world.context, asked.id)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert kinds(world, arn) == [APPLIED]
    assert sum(action.startswith("AttachRolePolicy") for action in world.writes()) == 1
    assert sorted(bool(steps) for steps in done) == [False, False, False, True]
    assert world.mode(arn) == "Active"
    assert not world.context.in_hand.held(asked.id)


def test_two_fixes_of_one_role_at_once_give_it_the_policy_once(world: World) -> None:
    arns = [world.function(name, role="mute") for name in ("refund", "charge")]
    world.audit()
    asked = [world.request(arn) for arn in arns]
    threads = [threading.Thread(target=click, args=(world, one)) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [world.mode(arn) for arn in arns] == ["Active", "Active"]
    assert [world.store.requests.get(one.id).state for one in asked] == [RequestState.APPLIED] * 2
    assert sum(action.startswith("AttachRolePolicy") for action in world.writes()) == 1


def test_the_second_click_is_told_who_was_first(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    replies = iter(approve(world.asks(ANA, value=asked.id), world.context))
    next(replies)

    assert f"is being fixed already, approved by <@{ANA}>" in said(click(world, asked, BO))
    list(replies)
    assert f"was fixed already, approved by <@{ANA}>" in said(click(world, asked, BO))
    assert kinds(world, arn) == [APPROVED, APPLIED]


def test_a_fault_of_our_own_marks_the_fix_failed_and_it_may_be_approved_again(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    _, where = posted(world, asked)
    assert world.store.requests.claim(asked.id, ANA, world.clock())
    world.clock.broken_after = 0

    with pytest.raises(RuntimeError, match="the clock is broken"):
        list(carry_out(world.context, asked.id))

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert "safe to approve again" in ended.outcome
    assert kinds(world, arn) == [FAILED]
    assert not world.context.in_hand.held(asked.id)

    click(world, asked, **where)
    assert world.store.requests.get(asked.id).state is RequestState.APPLIED


def test_a_fix_that_met_a_busy_file_is_no_failure_and_is_taken_up_again(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    assert world.store.requests.claim(asked.id, ANA, world.clock())
    world.store._connection.patience = 0.05
    with closing(sqlite3.connect(world.store.path, isolation_level=None)) as other:
        steps = carry_out(world.context, asked.id)
        next(steps)
        other.execute("begin immediate")
        world.clock.asked = lambda: other.in_transaction and other.execute("rollback")  # it lasts for a moment only
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            list(steps)
    world.clock.asked = lambda: None
    assert world.store.requests.get(asked.id).state is RequestState.RUNNING
    assert kinds(world, arn) == []

    list(carry_out(world.context, asked.id, again=True))

    assert kinds(world, arn) == [APPLIED]


def test_a_failed_fix_that_gave_the_role_its_policy_says_so_wherever_the_role_is_shown(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    asked, sibling = world.request(arn), world.request(other)
    post = world.post(sibling)
    world.aws.deny(account=HOME, service="lambda", action="UpdateFunctionConfiguration")

    click(world, asked)

    assert world.store.requests.get(asked.id).state is RequestState.FAILED
    assert world.history(arn)[-1].detail["attached_policy"] == DAEMON
    assert world.known(arn).role_may_write is MayWrite.YES
    assert world.known(other).role_may_write is MayWrite.YES
    assert world.is_to_be_redrawn(post)


def test_a_look_at_one_function_draws_its_messages_again_if_it_changed(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    post = world.post(world.request(arn))
    world.role_client().attach_role_policy(RoleName="mute", PolicyArn=DAEMON)
    world.aws.settle()
    world.clock.forward(minutes=1)

    list(audit(world.asks(text="refund", source=Source.SLASH), world.context))

    assert world.known(arn).role_may_write is MayWrite.YES
    assert world.is_to_be_redrawn(post)


def test_a_fix_that_aws_refuses_says_which_permission_is_missing(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.aws.deny(service="lambda", action="UpdateFunctionConfiguration")

    replies = click(world, asked)

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert "lambda:UpdateFunctionConfiguration" in ended.outcome
    assert "*Not fixed*" in said(replies)
    assert world.mode(arn) == "PassThrough"


def test_an_account_that_lets_nobody_in_fails_the_fix_and_says_so(world: World) -> None:
    arn = world.function("refund", account=OTHER)
    world.audit()
    asked = world.request(arn)
    world.aws.deny(service="sts", action="AssumeRole")
    locked_out = world.configured()

    list(approve(world.asks(ANA, value=asked.id), locked_out))

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert ended.outcome.startswith("AWS did not let Lamplighter in")
    assert world.mode(arn) == "PassThrough"


def test_a_click_on_a_private_card_draws_it_again_before_and_after(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    replies = [one for one in click(world, world.request(arn), private=True) if isinstance(one, Replace)]

    assert len(replies) == 2
    assert "Turning on" in str(replies[0].blocks)
    assert "Active since" in str(replies[1].blocks)


def ask_for(world: World, text: str, who: str = EVE) -> str:
    return said(list(fix(world.asks(who, text=text, source=Source.SLASH), world.context)))


def test_anybody_may_ask_for_a_fix_and_the_teams_channel_is_asked_once_a_day(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    assert "Asked in #team-payments to turn on tracing for `refund`" in ask_for(world, "refund")
    assert "was asked for already" in ask_for(world, f"refund {HOME} {BERLIN}", BO)

    (post,) = world.store.posts.all(PostKind.REQUEST)
    assert (post.channel, post.team) == ("#team-payments", "payments")
    assert f"<@{EVE}> asks to turn on active tracing for `refund`" in post.text
    assert f"<@{ANA}>" in post.text
    assert [(row.kind, row.actor) for row in world.history(arn)] == [(DecisionKind.REQUESTED, EVE)]
    assert world.writes() == []

    world.clock.forward(days=1)
    assert "Asked in" in ask_for(world, "refund")  # what nobody decided on in time is asked for anew
    assert [row.kind for row in world.history(arn)][1:] == [DecisionKind.EXPIRED, DecisionKind.REQUESTED]


def test_a_reason_is_kept_as_it_was_typed_and_shown_without_any_meaning(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    reason = "blind in OPS-12, <!channel> *now* 123456789012"

    told = ask_for(world, f"refund {BERLIN} {HOME} {reason}")

    assert "Asked in #team-payments" in told
    asked = world.store.requests.live(arn)
    assert asked
    assert (asked.asked_by, asked.reason) == (EVE, reason)
    assert asked.expires_at == world.clock() + timedelta(hours=24)
    assert world.history(arn)[0].reason == reason
    (post,) = world.store.posts.all(PostKind.REQUEST)
    text, blocks = draw(world.context, post)
    for shown in (text, str(blocks)):
        assert "blind in OPS-12" in shown
        assert "<!channel>" not in shown
    (actions,) = [block for block in blocks if block["type"] == "actions"]
    assert [one["action_id"] for one in actions["elements"]] == [APPROVE, DENY, EXEMPT, SHOW_PATCH, CANCEL]


def test_a_reason_that_is_too_long_is_not_cut_in_silence(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    assert "Say it in 500 at most" in ask_for(world, f"refund {'why ' * 200}")
    assert world.store.requests.live(arn) is None


def test_where_two_people_are_needed_whoever_asked_does_not_approve(world: World) -> None:
    world.context = replace(world.context, policy=FixPolicy(two_people=TwoPeople.ALWAYS))
    arn = world.function("refund")
    world.audit()
    assert "another approver than you" in ask_for(world, "refund", ANA)
    asked = world.store.requests.live(arn)
    assert asked

    assert "you asked for this fix, and it takes two people" in said(click(world, asked, ANA))
    assert world.writes() == []
    click(world, asked, BO)

    assert world.mode(arn) == "Active"
    assert [(row.kind, row.actor) for row in world.history(arn)] == [
        (DecisionKind.REQUESTED, ANA),
        (DecisionKind.REFUSED, ANA),
        (APPROVED, BO),
        (APPLIED, BO),
    ]


def test_what_has_become_production_after_the_audit_takes_two_people_too(world: World) -> None:
    rules = Production(tags=("env=prod",))
    policy = FixPolicy(two_people=TwoPeople.PRODUCTION, production=rules)
    world.context = replace(world.configured(production_tags=rules.tags), policy=policy)
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.lambdas().tag_resource(Resource=arn, Tags={"env": "prod"})

    click(world, asked, ANA)

    failed = world.store.requests.get(asked.id)
    assert (failed.state, world.writes()) == (RequestState.FAILED, [])
    assert failed.outcome.startswith("Nothing was changed. It counts as production by now")
    assert "You have asked for it now" in said(click(world, asked, ANA))
    click(world, asked, BO)
    assert world.mode(arn) == "Active"
    assert kinds(world, arn) == [APPROVED, DecisionKind.FAILED, DecisionKind.REQUESTED, APPROVED, APPLIED]


def test_a_plan_that_is_made_anew_is_shown_before_it_can_be_approved(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    ask_for(world, "refund")
    (post,) = world.store.posts.all(PostKind.REQUEST)
    world.store.posts.sent(post.id, "C0PAY", "1.1", post.wanted_version)
    assert not world.is_to_be_redrawn(post)
    version = world.aws.seed_version(arn, MODIFIED)
    world.aws.seed_alias(arn, "live", version)
    world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _hour: 10.0, qualifier="live", version=version)

    ask_for(world, "refund", BO)

    asked = world.store.requests.live(arn)
    assert asked
    assert asked.plan
    assert asked.plan.publishes
    assert world.is_to_be_redrawn(post)


@pytest.mark.parametrize(("hours", "undoable"), [(24, True), (0, False)])
def test_a_fix_can_be_undone_for_as_long_as_the_settings_say(world: World, hours: float, undoable: bool) -> None:
    world.context = replace(world.context, policy=FixPolicy(undo_hours=hours))
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    click(world, asked)

    until = world.store.requests.get(asked.id).undo_until
    assert until == (world.clock() + timedelta(hours=hours) if undoable else None)


@pytest.mark.parametrize(
    ("mode", "words"), [("Active", "is traced already"), ("gone", "no longer exists"), ("denied", "AWS did not say")]
)
def test_a_fix_is_asked_for_only_after_aws_was_asked(world: World, mode: str, words: str) -> None:
    arn = world.function("refund")
    world.audit()
    if mode == "gone":
        world.lambdas().delete_function(FunctionName="refund")
    elif mode == "denied":
        world.aws.deny(service="lambda", action="GetFunctionConfiguration")
    else:
        world.aws.seed_tracing_mode(arn, mode, world.clock())

    assert words in ask_for(world, "refund")
    assert world.store.posts.all() == []


def test_what_moving_an_alias_can_mend_is_asked_for_with_a_plan_that_says_so(world: World) -> None:
    arn = world.served_untraced("refund")
    world.audit()

    assert "clicks there" in ask_for(world, "refund")
    plan = world.request(arn).plan
    assert [(each.name, each.version) for each in plan.publishes] == [("live", "1")]
    list(approve(world.asks(value=world.request(arn).id), world.context))

    assert world.aws.function(f"{arn}:live")["TracingConfig"]["Mode"] == "Active"
    assert world.known(arn).verdict is Verdict.TRACED


def test_a_fix_that_needs_a_deployment_is_not_asked_for(world: World) -> None:
    world.served_untraced("refund")
    world.lambdas().update_function_configuration(FunctionName="refund", MemorySize=512)
    world.aws.settle()
    world.audit()

    told = ask_for(world, "refund")

    assert "needs a deployment" in told
    assert "live" in told
    assert world.store.posts.all() == []
