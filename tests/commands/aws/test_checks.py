"""What a function's facts mean: one verdict, and a sentence for each thing that is wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from commands.aws.checks import CHECKS, judge
from storage.models import Alias, CheckName, Finding, Form, Function, MayWrite, ServedVersion, TracingMode, Verdict

ACTIVE, PASS_THROUGH = TracingMode.ACTIVE, TracingMode.PASS_THROUGH
REFUND = Function(
    arn="arn:aws:lambda:eu-central-1:111122223333:function:refund",
    account="111122223333",
    region="eu-central-1",
    name="refund",
    mode=ACTIVE,
    role="arn:aws:iam::111122223333:role/service-role/refund-role",
    role_may_write=MayWrite.YES,
    runtime="python3.13",
    last_modified=datetime(2026, 11, 1, tzinfo=UTC),
    revision_id="r",
    code_sha256="s",
    team="payments",
    layers=("arn:aws:lambda:eu-central-1:1:layer:x:1",),
    environment_keys=("STAGE",),
)


MANAGED = {"forms": (Form.MANAGED_INSTANCES,)}
CALLERS = tuple(f"arn:aws:lambda:eu-central-1:111122223333:function:{name}" for name in "abcde")


def alias(*versions, name="live"):
    return (Alias(name, tuple(ServedVersion(number, mode, weight) for number, mode, weight in versions)),)


TABLE = {
    "active, and its role may write": ({}, Verdict.TRACED, ""),
    "PassThrough": ({"mode": PASS_THROUGH}, Verdict.UNTRACED, "passthrough"),
    "no mode at all": ({"mode": None}, Verdict.UNTRACED, "passthrough"),
    "PassThrough says nothing of its role": (
        {"mode": PASS_THROUGH, "role_may_write": MayWrite.NO},
        Verdict.UNTRACED,
        "passthrough",
    ),
    "its role may not write": ({"role_may_write": MayWrite.NO}, Verdict.UNTRACED, "role_denied"),
    "its role may write under a condition": (
        {"role_may_write": MayWrite.CONDITIONAL},
        Verdict.UNKNOWN,
        "role_conditional",
    ),
    "its role could not be read": ({"role_may_write": None}, Verdict.UNKNOWN, "role_unreadable"),
    "an alias that serves traced versions": ({"aliases": alias(("3", ACTIVE, 1.0))}, Verdict.TRACED, ""),
    "an alias that serves an untraced version": (
        {"aliases": alias(("3", PASS_THROUGH, 1.0))},
        Verdict.UNTRACED,
        "alias_untraced",
    ),
    "an alias that gives a share to an untraced version": (
        {"aliases": alias(("4", ACTIVE, 0.9), ("3", PASS_THROUGH, 0.1))},
        Verdict.UNTRACED,
        "alias_untraced",
    ),
    "an alias whose version could not be read": (
        {"aliases": alias(("3", None, 1.0))},
        Verdict.UNKNOWN,
        "aliases_unreadable",
    ),
    "an untraced version and one that could not be read": (
        {"aliases": alias(("4", None, 0.9), ("3", PASS_THROUGH, 0.1))},
        Verdict.UNTRACED,
        "alias_untraced aliases_unreadable",
    ),
    "aliases could not be read": ({"aliases": None}, Verdict.UNKNOWN, "aliases_unreadable"),
    "aliases could not be read, and it is PassThrough": (
        {"aliases": None, "mode": PASS_THROUGH},
        Verdict.UNTRACED,
        "passthrough",
    ),
    "at the edge": ({"edge": True}, Verdict.NOT_APPLICABLE, "not_applicable"),
    "at the edge, and PassThrough": (
        {"edge": True, "mode": PASS_THROUGH},
        Verdict.NOT_APPLICABLE,
        "not_applicable passthrough",
    ),
    "only MSK": ({"sources": ("msk",)}, Verdict.NOT_APPLICABLE, "not_applicable"),
    "only Kafka and DocumentDB": ({"sources": ("documentdb", "kafka")}, Verdict.NOT_APPLICABLE, "not_applicable"),
    "only MQ, and its role may not write": (
        {"sources": ("mq",), "role_may_write": MayWrite.NO},
        Verdict.NOT_APPLICABLE,
        "not_applicable role_denied",
    ),
    "MSK and SQS": ({"sources": ("msk", "sqs")}, Verdict.TRACED, ""),
    "SQS": ({"sources": ("sqs",), "mode": PASS_THROUGH}, Verdict.UNTRACED, "passthrough"),
    "sources could not be read": ({"sources": None, "mode": PASS_THROUGH}, Verdict.UNTRACED, "passthrough"),
    "an alias of $LATEST, which is PassThrough": (
        {"mode": PASS_THROUGH, "aliases": alias(("$LATEST", PASS_THROUGH, 1.0))},
        Verdict.UNTRACED,
        "passthrough",
    ),
    "an alias of $LATEST, which is Active": ({"aliases": alias(("$LATEST", ACTIVE, 1.0))}, Verdict.TRACED, ""),
    "managed instances that run a traced version": ({**MANAGED, "published_mode": ACTIVE}, Verdict.TRACED, ""),
    "managed instances that run an untraced version": (
        {**MANAGED, "published_mode": PASS_THROUGH},
        Verdict.UNTRACED,
        "alias_untraced",
    ),
    "managed instances that run who knows what": (MANAGED, Verdict.UNKNOWN, "aliases_unreadable"),
    "durable": ({"forms": (Form.DURABLE,)}, Verdict.TRACED, ""),
    "without a team": ({"team": None}, Verdict.TRACED, "unowned"),
    "its caller is untraced": ({"untraced_callers": CALLERS[:1]}, Verdict.TRACED, "starved"),
    "its caller is untraced, and so is it": (
        {"untraced_callers": CALLERS, "mode": PASS_THROUGH},
        Verdict.UNTRACED,
        "passthrough",
    ),
    "its caller is untraced, and it is fed by Kafka alone": (
        {"untraced_callers": CALLERS, "sources": ("kafka",)},
        Verdict.NOT_APPLICABLE,
        "not_applicable",
    ),
    "nothing of its own": ({"package_type": "Zip", "handler": "app.handler"}, Verdict.TRACED, "surface_only"),
    "nothing of its own, and PassThrough": (
        {"package_type": "Zip", "mode": PASS_THROUGH},
        Verdict.UNTRACED,
        "passthrough",
    ),
    "nothing of its own that could be seen in an image": ({"package_type": "Image"}, Verdict.TRACED, ""),
    "settings that are encrypted": ({"package_type": "Zip", "environment_keys": None}, Verdict.TRACED, ""),
    "a vendor's handler": (
        {"package_type": "Zip", "handler": "datadog_lambda.handler.handler"},
        Verdict.TRACED,
        "traced_elsewhere",
    ),
    "a vendor's handler, and PassThrough": (
        {"mode": PASS_THROUGH, "handler": "datadog_lambda.handler.handler"},
        Verdict.UNTRACED,
        "passthrough traced_elsewhere",
    ),
    "a runtime of old": (
        {"mode": PASS_THROUGH, "runtime": "nodejs12.x"},
        Verdict.UNTRACED,
        "passthrough runtime_blocked",
    ),
    "a runtime of old, and Active": ({"runtime": "nodejs12.x"}, Verdict.TRACED, ""),
    "a runtime that is deprecated and not yet blocked": (
        {"mode": PASS_THROUGH, "runtime": "nodejs16.x"},
        Verdict.UNTRACED,
        "passthrough",
    ),
}


@pytest.mark.parametrize(("facts", "verdict", "checks"), TABLE.values(), ids=TABLE.keys())
def test_facts_lead_to_a_verdict_and_findings(facts, verdict, checks):
    judged = judge(structs.replace(REFUND, **facts))

    assert judged.verdict is verdict
    assert {str(finding.check) for finding in judged.findings} == set(checks.split())


def test_judging_changes_verdict_and_findings_alone():
    judged = judge(structs.replace(REFUND, verdict=Verdict.EXEMPT, findings=(Finding(CheckName.UNOWNED, "old"),)))

    assert judged == structs.replace(REFUND, verdict=Verdict.TRACED, findings=())


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"mode": PASS_THROUGH}, "TracingConfig.Mode is PassThrough, so it sends no traces."),
        ({"mode": None}, "AWS gave no TracingConfig.Mode, so it sends no traces."),
        (
            {"role_may_write": MayWrite.NO},
            "Active, but its role refund-role may not call xray:PutTraceSegments: its traces are lost.",
        ),
        (
            {"role_may_write": MayWrite.CONDITIONAL},
            "Active, but whether its role refund-role may write to X-Ray cannot be told from its policies alone.",
        ),
        (
            {"role_may_write": MayWrite.CONDITIONAL, "role_doubt": "it depends on `aws:SourceIp`"},
            "Active, but whether its role refund-role may write to X-Ray cannot be told: it depends on `aws:SourceIp`.",
        ),
        (
            {"aliases": alias(("4", ACTIVE, 0.9), ("3", PASS_THROUGH, 0.1))},
            "Alias `live` serves version 3 (10% of its traffic), which was published without active tracing.",
        ),
        (
            {"aliases": alias(("3", PASS_THROUGH, 1.0)) + alias(("2", PASS_THROUGH, 1.0), name="old")},
            "Alias `live` serves version 3, which was published without active tracing, and 1 more.",
        ),
        (
            {"sources": ("kafka", "msk")},
            "Its only event sources are self-managed Kafka and Amazon MSK, which Lambda does not trace.",
        ),
        (
            {"aliases": alias(("4", ACTIVE, 0.995), ("3", PASS_THROUGH, 0.005))},
            "Alias `live` serves version 3 (0.5% of its traffic), which was published without active tracing.",
        ),
        (
            {**MANAGED, "published_mode": PASS_THROUGH},
            "Calls without an alias run $LATEST.PUBLISHED (Managed Instances), published without active tracing.",
        ),
        (
            {"untraced_callers": CALLERS[:1]},
            "Active, but a may call it and sends no traces, so those calls are not traced here either.",
        ),
        (
            {"untraced_callers": CALLERS[:3]},
            "Active, but a, b and c may call it and send no traces, so those calls are not traced here either.",
        ),
        (
            {"untraced_callers": CALLERS},
            "Active, but a, b, c and 2 more may call it and send no traces, so those calls are not traced here either.",
        ),
        (
            {"package_type": "Zip"},
            (
                "Active, but none of its layers, its handler or its settings is instrumentation that we recognise "
                "(libraries in its package cannot be seen): traces may show no more than that it ran."
            ),
        ),
        (
            {"layers": ("arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Python313:9",)},
            "Looks traced by Datadog (layer `Datadog-Python313`) already.",
        ),
        ({"team": None}, "No tag names its team."),
    ],
)
def test_sentences_name_the_facts(facts, words):
    assert [finding.text for finding in judge(structs.replace(REFUND, **facts)).findings] == [words]


def test_every_check_says_why_it_matters_and_where_that_is_written():
    assert [check.__name__ for check in CHECKS if "https://" not in (check.__doc__ or "")] == []
    assert {check.__name__ for check in CHECKS} == {str(name) for name in CheckName}


modes = st.sampled_from([*TracingMode, None])
names = st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=140)
versions = st.builds(ServedVersion, st.sampled_from(["$LATEST", "3", "12"]), modes, st.floats(0, 1))
aliases = st.lists(st.builds(Alias, names, st.lists(versions, min_size=1, max_size=2).map(tuple)), max_size=3)
functions = st.builds(
    Function,
    arn=st.just(REFUND.arn),
    account=st.just("111122223333"),
    region=st.just("eu-central-1"),
    name=names,
    mode=modes,
    role=st.none() | names.map(lambda name: f"arn:aws:iam::111122223333:role/{name}"),
    role_may_write=st.sampled_from([*MayWrite, None]),
    team=st.none() | names,
    aliases=st.none() | aliases.map(tuple),
    sources=st.none() | st.lists(st.sampled_from(["msk", "kafka", "mq", "documentdb", "sqs"]), unique=True).map(tuple),
    edge=st.booleans(),
    package_type=st.sampled_from(["Zip", "Image", None]),
    handler=st.none() | names,
    runtime=st.sampled_from(["python3.13", "nodejs12.x", None]),
    layers=st.lists(names.map(lambda name: f"arn:aws:lambda:x:1:layer:Datadog-{name}:1"), max_size=2).map(tuple),
    environment_keys=st.none() | st.lists(names, max_size=2).map(tuple),
    forms=st.lists(st.sampled_from(Form), unique=True).map(tuple),
    published_mode=modes,
    untraced_callers=st.lists(names.map(lambda name: f"arn:aws:lambda:x:1:function:{name}"), max_size=6).map(tuple),
)


@given(functions)
def test_whatever_the_facts_traced_means_that_nothing_is_wrong_or_open(function):
    judged = judge(function)

    served = [version.mode for alias in function.aliases or () for version in alias.versions]
    if judged.verdict is Verdict.TRACED:
        assert function.mode is ACTIVE
        assert function.role_may_write is MayWrite.YES
        assert function.aliases is not None
        assert function.published_mode is ACTIVE or Form.MANAGED_INSTANCES not in function.forms
        assert all(mode is ACTIVE for mode in served)
    assert all(len(finding.text) <= 200 and "\n" not in finding.text for finding in judged.findings)
    kept = set(Function.__struct_fields__) - {"verdict", "findings"}
    assert all(getattr(judged, name) == getattr(function, name) for name in kept)
