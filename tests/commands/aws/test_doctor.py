"""What the doctor finds in AWS, under the roles of our templates and with each fault turned on in the stand-in."""

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from bot.demo.aws import AwsStandIn
from commands.aws.accounts import Aggregator, AwsSettings, Cloud
from commands.aws.doctor.examine import examine
from commands.aws.doctor.reads import PROBES
from commands.aws.doctor.words import AUDIT, AWS, BILLS, EVENTS, Uses
from commands.aws.wire import Retries
from storage.diagnosis import Outcome, wanting
from tests.commands.aws.derived import Whose
from tests.commands.aws.given_roles import EXTERNAL_ID, HUB, MEMBER, granted
from tests.commands.aws.test_templates_at_work import HOME, OF_MEMBERS, deploy

OTHER, GOVERNED = "222233334444", "555566667777"
SETTINGS = AwsSettings(
    accounts=(HUB, MEMBER),
    role="lamplighter-audit",
    fix_role="lamplighter-fix",
    external_id=EXTERNAL_ID,
    calls_per_second=0,
)
ALONE = AwsSettings(calls_per_second=0)  # of keys that may do everything in the account of NOBODY
IMPATIENT = Retries(
    deadline=20.0,
    attempt=20.0,
    first_wait=0.001,
    longest_wait=0.01,
    throttled=3,
    refused=2,
    unreachable=1,
    bad_answer=1,
)
CHANGES = ("Update", "Put", "Attach", "Detach", "Delete", "Create", "Publish", "Send", "Receive", "Purge", "Tag", "Set")
BILLED = {"GetMetricData", "GetTraceSummaries", "GetCostAndUsage", "GetDimensionValues"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    members = OF_MEMBERS | {"ExternalId": EXTERNAL_ID}
    quick = {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}
    with AwsStandIn(calls_per_second=None, **quick) as aws, pytest.MonkeyPatch.context() as environment:
        for account in (HUB, MEMBER):
            deploy(aws, "audit-role", account, **members)
            deploy(aws, "fix-role", account, **members)
        aws.organizations.found(HUB, {HUB: "hub", MEMBER: "payments"})
        queue = f"arn:aws:sqs:{HOME}:{HUB}:lamplighter-events"
        deploy(aws, "hub-role", HUB, ConfigAggregator="yes", CustomMetrics="yes", Queue=queue)
        nothing = str(tmp_path_factory.mktemp("aws") / "none")
        settings = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_DEFAULT_REGION": HOME,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in (settings | hub_keys(aws)).items():
            environment.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION"):
            environment.delenv(name, raising=False)
        yield aws


@pytest.fixture
def aws(running):
    yield running
    running.forgive()


def hub_keys(aws):
    """As a task of ECS has them."""
    nobody = {"aws_access_key_id": "pretend", "aws_secret_access_key": "pretend"}
    sts = boto3.client("sts", HOME, endpoint_url=aws.url, **nobody)
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{HUB}:role/lamplighter", RoleSessionName="task")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


@pytest.fixture
def keys_of_nobody(monkeypatch):
    """Which may do everything in an account of their own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPRETEND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "pretend")
    monkeypatch.delenv("AWS_SESSION_TOKEN")


def queue_of(aws, name="lamplighter-events", **more):
    return aws.queues.create(f"{aws.url}/{HUB}/{name}", **more)


def look(uses=None, settings=SETTINGS, **more):
    return examine(Cloud(settings), uses or Uses(), **({"retries": IMPATIENT} | more))


def of(found, what):
    """The one of this name that is not well, or that is there."""
    named = [one for one in found if one.what == what]
    worst = [one for one in named if one.outcome is not Outcome.OK] or named
    assert len(worst) == 1, named
    return worst[0]


def bad(found):
    return {one.what: one.outcome for one in found if one.outcome is not Outcome.OK}


# ---- where all is well


@pytest.fixture(scope="module")
def well(running):
    """With every feature on: what was found, what was called and which roles were assumed."""
    calls, sessions = len(running.calls), len(running.sessions)
    queue = queue_of(running)
    uses = Uses(budget=True, custom_metrics=True, queue_url=queue.url, queue_region=HOME, approver="U0123ANA")
    running.queues.send(queue, "an event")
    found = look(uses)
    assert queue.bodies == ["an event"]
    assert next(iter(queue.letters.values())).received == 0
    return found, running.calls[calls:], running.sessions[sessions:]


def test_under_the_templates_roles_nothing_is_wanting(well):
    found, _, _ = well

    assert bad(found) == {"rules that lead to the queue": Outcome.UNKNOWN}
    assert not wanting(found)
    assert of(found, "role lamplighter-audit").places == (HUB, MEMBER)
    assert of(found, "queue").said == "1 message waiting, 0 being looked at"
    assert of(found, "dead-letter queue").said.startswith("empty")


def test_nothing_is_changed_and_nothing_asked_that_aws_bills(well):
    found, calls, _ = well

    assert calls
    assert [one.action for one in calls if one.action.startswith(CHANGES)] == []
    assert not BILLED & {one.action for one in calls}
    assert of(found, "ce:GetCostAndUsage").said == "allowed, by IAM's policy simulator"


def test_each_permission_of_the_templates_is_looked_at(well):
    told = {one.what for one in well[0]}

    by_others = {"account:ListRegions", "ec2:DescribeRegions"}  # told by the regions that are found
    assert {one.permission for one in PROBES} | by_others | {"lambda:ListFunctions"} == granted(Whose.AUDIT)
    assert granted(Whose.AUDIT) - by_others <= told
    # An organization's lists are asked where accounts are chosen, roles where they are assumed, AWS Config where the
    # settings say so, and the queue goes by its name.
    elsewhere = ("organizations:ListA", "organizations:ListO", "sts:", "config:", "sqs:GetQueueAttributes")
    assert {action for action in granted(Whose.HUB) if not action.startswith(elsewhere)} <= told
    assert granted(Whose.FIX) - told == {"iam:PutRolePolicy", "iam:DeleteRolePolicy"}  # given only with InlinePolicies


def test_the_fix_role_is_tried_with_leave_to_do_nothing_and_in_the_name_of_who_asks(well):
    tried = [one for one in well[2] if one.role_arn.endswith("lamplighter-fix")]

    assert [one.source_identity for one in tried] == ["U0123ANA", "U0123ANA"]
    nothing = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    assert [one.policy["Statement"] for one in tried] == [nothing, nothing]


def test_what_aws_bills_is_asked_of_who_is_ready_to_pay(aws):
    before = len(aws.calls)

    found = look(Uses(paid=True), replace(SETTINGS, accounts=(MEMBER,)))

    assert {one.action for one in aws.calls[before:]} >= BILLED
    assert of(found, "ce:GetCostAndUsage").said == "answered, for $0.01"
    assert bad(found) == {}


# ---- the audit role


@pytest.mark.parametrize("turn", [0, 1])
def test_a_permission_that_is_refused_is_named_and_no_other(aws, turn):
    refused = [one for one in PROBES if not one.billed][turn::2]
    for one in refused:
        aws.deny(account=MEMBER, action=one.permission.partition(":")[2])

    found = look(settings=replace(SETTINGS, accounts=(MEMBER,)))

    named = {one.what: one for one in found if one.area == AUDIT and one.outcome is not Outcome.OK}
    expected = {one.permission: Outcome.WARN if one.without else Outcome.FAIL for one in refused}
    if "iam:SimulatePrincipalPolicy" in expected:  # then what AWS bills cannot be told either
        expected |= {one.permission: Outcome.UNKNOWN for one in PROBES if one.billed}
    assert {what: one.outcome for what, one in named.items()} == expected
    for one in refused:
        told = named[one.permission]
        assert told.places == (MEMBER,)
        assert "python -m bot templates audit-role" in told.mend
        assert "is not authorized to perform" in told.detail
        assert one.without in told.said


@pytest.fixture(scope="module")
def faulty(running):
    """Much is wrong at once, each thing in a place of its own."""
    running.deny(region="us-east-1", action="ListFunctions", by="a service control policy")
    running.deny(action="GetServiceGraph", by="a service control policy")
    running.throttle(1000, account=MEMBER, action="GetIndexingRules")
    running.fail("InternalFailure", 500, account=HUB, action="DescribeAlarms")
    running.fail("ValidationError", 400, account=HUB, action="GetRolePolicy")
    for action in ("GetProducts", "DescribeBudgets", "ListTagsForResource", "GetQueueAttributes"):
        running.deny(account=HUB, action=action)
    running.deny(account=MEMBER, action="DescribeRegions")
    running.deny(account=HUB, action="SimulatePrincipalPolicy")
    others = tuple(f"3000000000{number:02}" for number in range(40))
    uses = Uses(custom_metrics=True, queue_url=queue_of(running).url, queue_region=HOME)
    found = look(uses, replace(SETTINGS, accounts=(HUB, MEMBER, *others), fix_role="lamplighter-fix"))
    running.forgive()
    return found


def test_what_a_policy_of_the_organization_forbids_no_template_mends(faulty):
    region, graph = of(faulty, "lambda:ListFunctions"), of(faulty, "xray:GetServiceGraph")

    assert region.places == (f"{HUB} us-east-1", f"{MEMBER} us-east-1")
    assert (region.outcome, graph.outcome) == (Outcome.FAIL, Outcome.WARN)
    for one in (region, graph):
        assert "a service control policy of the organization forbids it" in one.said
        assert "templates" not in one.mend
    assert "[aws] regions" in region.mend


def test_what_aws_would_not_answer_is_unknown_and_wanting(faulty):
    throttled, failed = of(faulty, "xray:GetIndexingRules"), of(faulty, "cloudwatch:DescribeAlarms")
    odd = of(faulty, "iam:GetRolePolicy")

    assert (throttled.outcome, throttled.said) == (Outcome.UNKNOWN, "AWS throttles it")
    assert (failed.outcome, odd.outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert throttled.is_wanting


def test_roles_that_aws_would_not_give_just_now_are_unknown_and_not_missing(aws):
    aws.throttle(1000, action="AssumeRole")

    told = of(look(settings=replace(SETTINGS, accounts=(MEMBER,))), "role lamplighter-audit")

    assert (told.outcome, told.said) == (Outcome.UNKNOWN, "AWS throttles it")


def test_accounts_without_the_roles_are_one_line_that_says_how_to_get_them(faulty):
    told = of(faulty, "role lamplighter-audit")

    assert (told.outcome, len(told.places)) == (Outcome.FAIL, 40)
    assert "python -m bot templates audit-role" in told.mend
    assert "ExternalId" in told.mend
    assert "sts:AssumeRole" in told.detail


def test_regions_that_ec2_will_not_list_the_account_service_does(faulty):
    assert "ec2:DescribeRegions" not in bad(faulty)
    assert f"{MEMBER} {HOME}" in next(one for one in faulty if one.what == "lambda:ListFunctions").places


@pytest.mark.parametrize(
    ("what", "area"),
    [("pricing:GetProducts", BILLS), ("budgets:ViewBudget", BILLS), ("organizations:ListTagsForResource", AWS)],
)
def test_the_bots_own_permissions_are_named_where_they_are_refused(faulty, what, area):
    told = of(faulty, what)

    assert (told.area, told.outcome) == (area, Outcome.WARN)
    assert "python -m bot templates hub-role" in told.mend


def test_a_queue_that_may_not_be_asked_is_a_failure(faulty):
    told = of(faulty, "queue")

    assert (told.area, told.outcome) == (EVENTS, Outcome.FAIL)
    assert "python -m bot templates hub-role" in told.mend


@pytest.mark.parametrize("what", ["ce:GetCostAndUsage", "sqs:ReceiveMessage", "cloudwatch:PutMetricData"])
def test_what_is_not_tried_is_unknown_without_the_simulator(faulty, what):
    told = of(faulty, what)

    assert (told.outcome, told.asked) == (Outcome.UNKNOWN, False)
    assert "not tried" in told.said


def test_what_would_change_aws_is_unknown_without_the_simulator(faulty):
    told = of(faulty, "lambda:UpdateAlias")

    assert (told.outcome, told.asked, told.places) == (Outcome.UNKNOWN, False, (HUB,))


def test_listing_and_regions_that_are_refused_everywhere_are_the_roles_own_lack(aws):
    for action in ("ListFunctions", "DescribeRegions", "ListRegions"):
        aws.deny(account=MEMBER, action=action)

    found = look(settings=replace(SETTINGS, accounts=(MEMBER,)))

    listing, regions = of(found, "lambda:ListFunctions"), of(found, "ec2:DescribeRegions")
    assert (listing.outcome, listing.places) == (Outcome.FAIL, (f"{MEMBER} {HOME}",))
    assert "python -m bot templates audit-role" in listing.mend
    assert regions.outcome is Outcome.FAIL
    assert f"only {HOME} is looked at then" in regions.said


# ---- the fix role


def test_a_fix_role_that_is_nowhere_is_a_failure(aws):
    told = of(look(settings=replace(SETTINGS, fix_role="nowhere")), "role nowhere")

    assert (told.outcome, told.places) == (Outcome.FAIL, (HUB, MEMBER))
    assert "python -m bot templates fix-role" in told.mend


def test_a_fix_role_that_is_in_some_accounts_only_is_a_warning(aws):
    deploy(aws, "audit-role", OTHER, **OF_MEMBERS | {"ExternalId": EXTERNAL_ID})

    found = look(settings=replace(SETTINGS, accounts=(MEMBER, OTHER)))

    told = of(found, "role lamplighter-fix")
    assert (told.outcome, told.places) == (Outcome.WARN, (OTHER,))


def test_a_fix_role_that_may_not_do_what_it_is_for_is_told_by_the_simulator(aws):
    for role in ("audit-role", "fix-role"):
        deploy(aws, role, GOVERNED, **OF_MEMBERS | {"ExternalId": EXTERNAL_ID})
    allow, deny = {"Effect": "Allow", "Action": "*"}, {"Effect": "Deny", "Action": "lambda:UpdateAlias"}
    rules = [one | {"Resource": "*"} for one in (allow, deny)]
    aws.simulator.govern(GOVERNED, {"Version": "2012-10-17", "Statement": rules})

    told = of(look(settings=replace(SETTINGS, accounts=(GOVERNED,))), "lambda:UpdateAlias")

    assert (told.outcome, told.places) == (Outcome.FAIL, (GOVERNED,))
    assert "a policy of the organization forbids it" in told.said


# ---- without roles, and events


def test_without_roles_the_bots_own_credentials_are_looked_at(aws, keys_of_nobody):
    bare = queue_of(aws, "bare", most_receives=0, visibility=20)

    found = look(Uses(queue_url=bare.url, queue_region=HOME), ALONE)

    assert of(found, "[aws] fix_role").outcome is Outcome.WARN
    assert "bot's own credentials" in of(found, "[aws] fix_role").said
    assert of(found, "iam:GetRole").outcome is Outcome.OK
    letters = of(found, "dead-letter queue")
    assert letters.outcome is Outcome.WARN
    assert "maxReceiveCount" in letters.mend
    assert of(found, "visibility timeout").outcome is Outcome.WARN


def test_what_nobody_could_read_is_told_and_a_queue_that_is_not_there(aws, keys_of_nobody):
    box = queue_of(aws, "full")
    aws.queues.send(box.dead_letters, "poison")

    found = look(Uses(queue_url=box.url, queue_region=HOME), ALONE)
    assert of(found, "dead-letter queue").said.startswith("1 message in it that nobody could read")

    gone = of(look(Uses(queue_url=f"{aws.url}/{HUB}/nowhere", queue_region=HOME), ALONE), "queue")
    assert gone.outcome is Outcome.FAIL
    assert gone.mend.startswith("correct [events] queue_url")


def test_an_aggregator_of_aws_config_is_asked_both_of_the_audits_questions(aws):
    settings = replace(SETTINGS, accounts=(MEMBER,), aggregator=Aggregator("nowhere"))

    found = look(settings=settings)

    for action in ("SelectAggregateResourceConfig", "DescribeConfigurationAggregatorSourcesStatus"):
        assert of(found, f"config:{action}").outcome is Outcome.FAIL
        assert "aggregator" in of(found, f"config:{action}").mend


# ---- the way there


def test_without_credentials_nothing_else_is_asked(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    found = look()

    assert [(one.what, one.outcome) for one in found] == [
        ("the clock, beside AWS's", Outcome.OK),
        ("credentials", Outcome.FAIL),
    ]
    assert "AWS_PROFILE" in found[1].mend


def test_a_profile_that_does_not_exist_is_a_line_and_not_a_traceback(aws, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    (told,) = look()

    assert told.outcome is Outcome.FAIL
    assert "nobody" in told.said


def test_an_endpoint_that_hangs_is_unknown_within_its_time(aws, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, and never answers
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{deaf.getsockname()[1]}")

        (told,) = look(retries=Retries(deadline=0.2, attempt=0.2, connect=0.2))

    assert (told.what, told.outcome) == ("the way to AWS", Outcome.UNKNOWN)
    assert "no answer from" in told.said


def test_one_service_that_hangs_leaves_the_others_known(aws, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", address)
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", address)

        found = look(
            settings=replace(SETTINGS, accounts=(MEMBER,)), retries=replace(IMPATIENT, deadline=3.0, attempt=3.0)
        )

    prices = of(found, "pricing:GetProducts")
    assert (prices.outcome, prices.said) == (Outcome.UNKNOWN, "no answer within 3 s")
    assert of(found, "xray:GetServiceGraph").outcome is Outcome.UNKNOWN
    assert of(found, "iam:GetRole").outcome is Outcome.OK


def test_accounts_that_take_too_long_are_named_and_what_is_known_of_them_is_said(aws, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{deaf.getsockname()[1]}")

        found = look(settings=replace(SETTINGS, accounts=(MEMBER,)), seconds=3.0)

    assert of(found, "accounts").said == "not all of it was looked at within 3 s"
    assert of(found, "accounts").is_wanting
    assert of(found, "role lamplighter-audit").outcome is Outcome.OK
    assert of(found, "pricing:GetProducts").outcome is Outcome.OK


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(-30, Outcome.OK), (90, Outcome.WARN), (-90, Outcome.WARN), (400, Outcome.FAIL)]
)
def test_a_clock_that_is_off_is_said_before_aws_refuses_what_it_signs(aws, monkeypatch, seconds, outcome):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    found = look(clock=lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    told = of(found, "the clock, beside AWS's")
    assert told.outcome is outcome
    if outcome is not Outcome.OK:
        assert ("ahead" if seconds > 0 else "behind") in told.said
        assert "chrony" in told.mend
