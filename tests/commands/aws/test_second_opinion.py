"""`may_write` against a second opinion: all of AWS's own policies, and policies drawn at random.

Two properties. *Sound*: never yes where some context denies, never no where some context allows; for every document.
*Precise*: `conditional` only where contexts really differ; for documents of the operators that we decide, in which no
key that is left open is tested twice (what two tests of one key come to together, three values cannot say).
"""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data

from commands.aws.roles import Role, explain, may_write
from storage.models import MayWrite
from tests.commands.aws.second_opinion import allows, outcomes, relevant

ACCOUNT = "111111111111"
ARN = f"arn:aws:iam::{ACCOUNT}:role/service-role/refund"
ANSWERS = {frozenset({True}): MayWrite.YES, frozenset({False}): MayWrite.NO}

# What a function's own call carries, written down anew from AWS's list of global condition keys.
CERTAIN = {
    "aws:PrincipalAccount": (ACCOUNT,),
    "aws:ResourceAccount": (ACCOUNT,),
    "aws:PrincipalArn": (ARN, f"arn:aws:iam::{ACCOUNT}:role/refund"),  # whether with its path, AWS does not say
    "aws:PrincipalType": ("AssumedRole",),
    "aws:PrincipalIsAWSService": ("false",),
    "aws:ViaAWSService": ("false",),
    "aws:SecureTransport": ("true",),
    "aws:MultiFactorAuthPresent": (None, "false"),
    "aws:MultiFactorAuthAge": (None,),
    "aws:CalledViaFirst": (None,),
    "aws:CalledViaLast": (None,),
    "aws:username": (None,),
    "aws:IsMcpServiceAction": (None, "false"),
}
OPEN = (
    "aws:SourceVpc",
    "aws:PrincipalTag/team",
    "aws:CurrentTime",
    "aws:SourceIp",
    "aws:EpochTime",
    "aws:TagKeys",
    "vendor:anything",
)


def role(*policies, boundary=None):
    return Role(arn=ARN, policies=policies, boundary=boundary)


def second_opinion(candidate):
    return ANSWERS.get(frozenset(outcomes(candidate.policies, candidate.boundary, CERTAIN)), MayWrite.CONDITIONAL)


# AWS's own policies


@cache
def aws_policies():
    return {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}


def test_of_every_aws_policy_both_say_the_same():
    found = {name: may_write(role(document), account=ACCOUNT) for name, document in aws_policies().items()}

    assert len(found) > 1400
    assert found == {name: second_opinion(role(document)) for name, document in aws_policies().items()}


def test_of_every_aws_policy_as_a_boundary_both_say_the_same():
    traces = aws_policies()["AWSXRayDaemonWriteAccess"]
    bounded = {name: role(traces, boundary=document) for name, document in aws_policies().items()}

    found = {name: may_write(candidate, account=ACCOUNT) for name, candidate in bounded.items()}

    assert found == {name: second_opinion(candidate) for name, candidate in bounded.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CloudWatchLambdaApplicationSignalsExecutionRolePolicy", MayWrite.YES),  # `aws:ResourceAccount` is its own
        ("AWSMcpServiceActionsFullAccess", MayWrite.NO),  # every action, and only for an MCP server
    ],
)
def test_a_condition_that_always_or_never_holds_for_a_function_is_decided(name, expected):
    candidate = role(aws_policies()[name])

    assert may_write(candidate, account=ACCOUNT) is expected
    assert second_opinion(candidate) is expected


# Drawn at random


def one_or_more(values):
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


def operators(names, *, quantifiers=("", "", "", "ForAllValues:", "ForAnyValue:")):
    return st.builds(
        lambda quantifier, name, suffix: quantifier + name + suffix,
        st.sampled_from(quantifiers),
        st.sampled_from(names),
        st.sampled_from(("", "", "IfExists")),
    )


STRINGS = (
    "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike".split()
)
ARNS = "ArnEquals ArnNotEquals ArnLike ArnNotLike".split()
OTHERS = (
    "NumericEquals NumericNotEquals NumericLessThan NumericGreaterThanEquals DateEquals DateNotEquals DateLessThan "
    "DateGreaterThan IpAddress NotIpAddress BinaryEquals"
).split()
NONSENSE = "StringSomething NotStringEquals stringequals BoolNot NotBool NumericNothing DateBefore NullIfExists".split()

actions = one_or_more(
    st.sampled_from(
        ["*", "xray:*", "XRAY:Put*", "xray:PutTraceSegment?", "xray:Get*", "s3:*", "xray:puttracesegments", "xray:[P]*"]
    )
)
resources = one_or_more(
    st.sampled_from(["*", "*", "**", "arn:aws:s3:::x", "arn:aws:xray:*:*:group/*", "arn:aws:s3:::${aws:username}"])
)
any_operator = st.one_of(
    operators([*STRINGS, *ARNS, "Bool", *OTHERS]),
    st.sampled_from(["Null", "Null", "ForAllValues:Null", "ForMost:StringEquals"]),
    st.sampled_from(NONSENSE),
)
TEXTS = """
    vpc-1 vpc-* * ? payments PAYMENTS true false TRUE 10 3600 2026-11-24T00:00:00+00:00 10.0.0.0/8 10.1.2.3 AssumedRole
    11?1* arn:aws:iam::*:role/* arn:aws:iam::*:role/service-role/* arn:*:role/* arn:aws:iam::${aws:PrincipalAccount}:*
    ${aws:PrincipalAccount} ${aws:username} ${aws:SourceVpc} ${aws:SecureTransport} ${*} vpc-${?} ${$} $ vpc-[1]
""".split()
DEFAULTS = ["${aws:username, 'ana'}", f"${{aws:username,'{ACCOUNT}'}}", "${aws:PrincipalAccount, 'x'}"]
any_value = st.sampled_from([*TEXTS, ACCOUNT, ARN, *DEFAULTS, "é", True, False, 10, 3600])


# Strategies are made once: to make them for each role, and to have them checked, takes longer than to draw from them.
few_open = st.lists(st.sampled_from(OPEN), min_size=1, max_size=2)


@st.composite
def any_candidate(draw):
    """Any role; of the keys that are open it names two at most, so that all contexts can be tried."""
    policies, boundary = policies_on(tuple(draw(few_open)))
    return role(*draw(policies), boundary=draw(boundary))


@cache
def policies_on(named):
    """Policies and boundaries with conditions on these keys that are open, and on any of the others."""
    pool = [*CERTAIN, *named]
    keys = st.sampled_from(pool) | st.sampled_from(pool).map(str.upper) | st.sampled_from(named)
    conditions = st.dictionaries(
        any_operator, st.dictionaries(keys, one_or_more(any_value), min_size=1, max_size=2), max_size=2
    )
    documents = document(conditions)
    return st.lists(documents, max_size=3), st.none() | documents


def document(conditions):
    statements = st.builds(
        lambda effect, action, actions, resource, resources, condition: {
            "Effect": effect,
            action: actions,
            resource: resources,
            **({"Condition": condition} if condition else {}),
        },
        st.sampled_from(["Allow", "Allow", "Deny"]),
        st.sampled_from(["Action", "Action", "NotAction"]),
        actions,
        st.sampled_from(["Resource", "Resource", "NotResource"]),
        resources,
        conditions,
    )
    versions = st.sampled_from([{"Version": "2012-10-17"}, {"Version": "2012-10-17"}, {"Version": "2008-10-17"}, {}])
    found = st.one_of(statements, st.lists(statements, min_size=1, max_size=3))
    return st.builds(lambda version, statement: {**version, "Statement": statement}, versions, found)


def when(operator, key, wanted, effect="Allow"):
    statement = {"Effect": effect, "Action": "xray:*", "Resource": "*", "Condition": {operator: {key: wanted}}}
    return {"Version": "2012-10-17", "Statement": statement}


WRITE = {"Statement": {"Effect": "Allow", "Action": "xray:*", "Resource": "*"}}


@settings(max_examples=700, deadline=None)
@given(any_candidate())
@example(role(when("ForAnyValue:StringEqualsIfExists", "aws:username", "ana")))
@example(role(when("NotStringEquals", "aws:PrincipalAccount", "222222222222")))
@example(role(WRITE, when("Bool", "aws:SecureTransport", "${aws:ViaAWSService}", "Deny")))
@example(role(when("Null", "aws:username", "yes", "Deny"), WRITE))
@example(role(when("StringLike", "aws:SourceVpc", "vpc-1"), boundary=WRITE))
@example(role(WRITE, boundary=when("Null", "aws:PrincipalAccount", "TRUE")))
def test_a_yes_holds_in_every_context_and_a_no_in_none(candidate):
    found = may_write(candidate, account=ACCOUNT)

    assert found in (MayWrite.CONDITIONAL, second_opinion(candidate))
    assert explain(candidate, ACCOUNT)


# Only what we claim to decide


DECIDED = st.one_of(
    st.tuples(
        operators(STRINGS), one_or_more(st.sampled_from([ACCOUNT, "1111*", "?1*1", "zz", "${aws:ResourceAccount}"]))
    ),
    st.tuples(
        operators(ARNS, quantifiers=("",)),
        one_or_more(
            st.sampled_from([ARN, "arn:aws:iam::*:role/*", "arn:aws:iam::*:role/admin", "arn:*:iam::*:user/*"])
        ),
    ),
    st.tuples(operators(["Bool"]), st.sampled_from(["true", "false", True, False])),
    st.tuples(st.just("Null"), st.sampled_from(["true", "false", True, False])),
)
OF_KEY = {  # which of those suit a key's kind of value
    "aws:PrincipalArn": ("Arn", "String", "Null"),
    "aws:SecureTransport": ("Bool", "Null", "String"),
    "aws:ViaAWSService": ("Bool", "Null", "String"),
    "aws:PrincipalIsAWSService": ("Bool", "Null", "String"),
    "aws:MultiFactorAuthPresent": ("Bool", "Null", "String"),
}
TWO_WAYS = {"aws:PrincipalArn", "aws:MultiFactorAuthPresent", *OPEN}  # each may be tested once
SURE = [key for key in CERTAIN if key not in TWO_WAYS and key != "aws:IsMcpServiceAction"]
ON_OPEN = st.one_of(
    st.tuples(operators(STRINGS), one_or_more(st.sampled_from(["vpc-1", "vpc-*", "p?yments", "a"]))),
    st.tuples(operators(["Bool"]), st.sampled_from(["true", "false"])),
    st.tuples(operators(["NumericLessThan", "NumericNotEquals"]), st.sampled_from(["10", 3600])),
    st.tuples(operators(["DateLessThan", "DateGreaterThan"]), st.just("2026-11-24T00:00:00+00:00")),
    st.tuples(operators(["IpAddress", "NotIpAddress"]), one_or_more(st.just("10.0.0.0/8"))),
    st.tuples(st.just("Null"), st.sampled_from(["true", "false"])),
)


any_order, any_sure = st.permutations(sorted(TWO_WAYS)), st.sampled_from(SURE)
unconditional = document(st.just({}))


@st.composite
def decidable(draw):
    """A role whose conditions are all of the kind that we decide, each key that is open tested once in all of it."""
    once = draw(any_order)[:3]

    def conditions():
        key = draw(any_sure)
        found = [(key, *draw(decided(key)))] if draw(st.booleans()) else []
        if once and draw(st.booleans()):
            key = once.pop()
            found.append((key, *draw(ON_OPEN if key in OPEN else decided(key))))
        block = {}
        for key, operator, wanted in found:
            block.setdefault(operator, {})[key] = wanted
        return block

    def drawn():
        made = draw(unconditional)
        statements = [made["Statement"]] if isinstance(made["Statement"], dict) else made["Statement"]
        return {**made, "Statement": [{**statement, "Condition": conditions()} for statement in statements]}

    policies = [drawn() for _ in range(draw(st.integers(0, 2)))]
    return role(*policies, boundary=drawn() if draw(st.booleans()) else None)


@cache
def decided(key):
    return DECIDED.filter(lambda one: suits(key, one[0]))


def suits(key, operator):
    return operator.rpartition(":")[2].startswith(OF_KEY.get(key, ("String", "Null")))


@settings(max_examples=600, deadline=None)
@given(decidable())
def test_what_we_claim_to_decide_is_left_open_only_where_contexts_differ(candidate):
    assert may_write(candidate, account=ACCOUNT) is second_opinion(candidate)


# What a simulator by somebody else said (opinions.mjs asks it again)


def recorded():
    return json.loads((Path(__file__).parent / "opinions.json").read_text(encoding="utf-8"))


def test_a_third_opinion_agrees_with_the_second_and_never_with_the_contrary_of_ours():
    cases = recorded()

    assert len(cases) > 200
    for case in cases:
        allowed = case["said"] == "Allowed"
        context = {key: tuple(value) if isinstance(value, list) else value for key, value in case["context"].items()}
        layers = [relevant(case["policies"]), *([relevant([case["boundary"]])] if case["boundary"] else [])]
        found = may_write(role(*case["policies"], boundary=case["boundary"]), account=ACCOUNT)

        assert all(allows(layer, context, doubt=False) for layer in layers) is allowed, case
        assert found in (MayWrite.CONDITIONAL, MayWrite.YES if allowed else MayWrite.NO), case
