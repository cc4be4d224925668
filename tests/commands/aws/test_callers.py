"""Who may call whom, and that of environment variables nothing else is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.callers import SHARED, Callers
from commands.aws.mentions import mentioned
from commands.aws.roles import Role
from commands.aws.shapes import listed_in
from storage.models import Function, MayWrite, TracingMode

ACTIVE, PASS_THROUGH = TracingMode.ACTIVE, TracingMode.PASS_THROUGH
ACCOUNT, REGION = "111122223333", "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/caller"


def arn(name, account=ACCOUNT, region=REGION):
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def function(name, mode=ACTIVE, account=ACCOUNT, region=REGION, **facts):
    return Function(arn=arn(name, account, region), account=account, region=region, name=name, mode=mode, **facts)


def settings(name, variables, account=ACCOUNT, region=REGION):
    spec = {"FunctionName": name, "FunctionArn": arn(name, account, region), "Environment": {"Variables": variables}}
    return listed_in(spec)


def granting(*names, account=ACCOUNT):
    resources = [arn(name, account) for name in names]
    document = {"Statement": {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resources}}
    return {ROLE: Role(arn=ROLE, policies=(document,))}


def marked(callers, *functions):
    found = list(functions)
    callers.mark(found)
    return {one.name: [caller.rpartition(":")[2] for caller in one.untraced_callers] for one in found}


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"TARGET": arn("refund")}, (arn("refund"),)),
        ({"TARGET": arn("refund") + ":live"}, (arn("refund"),)),
        ({"TARGET": arn("refund") + ":$LATEST"}, (arn("refund"),)),
        ({"REFUND_FUNCTION": "refund"}, ("refund",)),
        ({"refundLambdaName": "refund:live"}, ("refund",)),
        ({"TARGET": "refund"}, ()),
        ({"FUNCTION_URL": "https://refund.example.com"}, ()),
        ({"LAMBDA_KEY": "two words"}, ()),
        ({"LAMBDA_KEY": "x" * 65}, ()),
        ({"QUEUE": f"arn:aws:sqs:{REGION}:{ACCOUNT}:refund"}, ()),
        ({"TARGETS": f"{arn('refund')},{arn('other')}"}, (arn("refund"), arn("other"))),
        ({"TARGETS": f"{arn('refund')}:live, {arn('other')}:7"}, (arn("refund"), arn("other"))),
        (
            {"ROUTES": json.dumps({"eu": arn("refund"), "us": [arn("other")], "key": "hunter2"})},
            (arn("refund"), arn("other")),
        ),
        ({"ROUTES": json.dumps({"in": json.dumps({"eu": arn("refund") + ":live"})})}, (arn("refund"),)),
        ({"URI": f"/2015-03-31/functions/{arn('refund')}/invocations"}, (arn("refund"),)),
        (
            {"ROUTES": json.dumps({"eu": arn("refund"), "queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:a:function:b"})},
            (arn("refund"),),
        ),
        ({"FUNCTION_LIST": arn("*")}, ()),
        ({"FUNCTION_LIST": f"{arn('refund-*')},{arn('refund-${stage}')},{arn('refund-{0}')}"}, ()),
        ({"TARGETS": f"{arn('x' * 141)},{arn('x' * 140)}"}, (arn("x" * 140),)),
        ({"TARGETS": f"no{arn('refund')}"}, ()),
    ],
)
def test_only_what_may_name_a_function_is_taken_from_a_value(variables, found):
    assert mentioned(variables) == found


@given(st.dictionaries(st.sampled_from(["A", "MY_FUNCTION", "lambda"]), st.text()))
def test_nothing_else_of_a_value_survives(variables):
    for text in mentioned(variables):
        assert text.isascii()
        assert len(text) <= 64 or text.startswith("arn:")
        assert not any(sign.isspace() for sign in text)


@given(st.text(), st.text())
def test_nothing_of_what_stands_around_an_arn_survives(before, after):
    assert mentioned({"ROUTES": f'{before}"{arn("refund")}"{after}'}) == (arn("refund"),)


def test_functions_that_a_list_names_are_starved():
    callers = Callers()
    variables = {"ROUTES": json.dumps([arn("refund"), arn("gone"), {"to": arn("ledger", "999999999999") + ":live"}])}
    callers.learn_functions([settings("caller", variables), settings("refund", {})])

    found = marked(
        callers, function("caller", PASS_THROUGH), function("refund"), function("ledger", account="999999999999")
    )

    assert found == {"caller": [], "refund": ["caller"], "ledger": ["caller"]}


def test_an_untraced_caller_is_known_by_its_settings():
    callers = Callers()
    variables = {"REFUND_FUNCTION": "refund", "LEDGER": arn("ledger", "999999999999"), "SECRET_LAMBDA": "hunter2"}
    callers.learn_functions([settings("caller", variables), settings("refund", {})])

    found = marked(
        callers, function("caller", PASS_THROUGH), function("refund"), function("ledger", account="999999999999")
    )

    assert found == {"caller": [], "refund": ["caller"], "ledger": ["caller"]}


def test_a_name_means_a_function_of_the_same_region_alone():
    callers = Callers()
    callers.learn_functions([settings("caller", {"REFUND_FUNCTION": "refund"})])
    callers.learn_functions([settings("refund", {}, region="us-east-1")])

    assert marked(callers, function("caller", PASS_THROUGH), function("refund", region="us-east-1")) == {
        "caller": [],
        "refund": [],
    }


def test_an_untraced_caller_is_known_by_its_role():
    callers = Callers()
    callers.learn_roles(granting("refund", "gone"))

    assert marked(callers, function("caller", None, role=ROLE), function("refund")) == {
        "caller": [],
        "refund": ["caller"],
    }


def test_a_grant_into_another_account_takes_that_accounts_word_too():
    callers = Callers()
    callers.learn_roles(granting("refund", account="999999999999"))

    found = marked(callers, function("caller", PASS_THROUGH, role=ROLE), function("refund", account="999999999999"))

    assert found["refund"] == []


def test_a_role_that_many_share_says_too_little():
    callers = Callers()
    callers.learn_roles(granting("refund"))
    few = [function(f"caller-{number:02}", PASS_THROUGH, role=ROLE) for number in range(SHARED)]

    assert len(marked(callers, *few, function("refund"))["refund"]) == SHARED
    assert marked(callers, *few, function("one-more", role=ROLE), function("refund"))["refund"] == []


@pytest.mark.parametrize(
    "facts",
    [
        {"mode": ACTIVE},
        {"mode": ACTIVE, "role_may_write": MayWrite.CONDITIONAL},
        {"mode": PASS_THROUGH, "edge": True},
        {"mode": PASS_THROUGH, "sources": ("msk",)},
    ],
    ids=["traced", "perhaps traced", "at the edge", "fed by Kafka alone"],
)
def test_these_callers_starve_nobody(facts):
    callers = Callers()
    callers.learn_functions([settings("caller", {"REFUND_FUNCTION": "refund"}), settings("refund", {})])

    assert marked(callers, function("caller", **facts), function("refund"))["refund"] == []


def test_a_caller_whose_traces_are_lost_starves_too_and_nobody_starves_itself():
    callers = Callers()
    variables = {"SELF_FUNCTION": "caller", "REFUND_FUNCTION": "refund"}
    callers.learn_functions([settings("caller", variables), settings("refund", {})])

    found = marked(callers, function("caller", role_may_write=MayWrite.NO), function("refund"))

    assert found == {"caller": [], "refund": ["caller"]}
