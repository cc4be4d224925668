"""Credentials that end in the middle of an audit are renewed once, and STS is asked where the session is."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.aws import AwsStandIn
from commands.aws import reads
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.identity import AuditIdentity
from commands.aws.sweep import Sweep
from commands.aws.wire import Wire

HOME, ANA, BO = "123456789012", "222222222222", "333333333333"
REGIONS = tuple("eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 us-east-1 us-east-2 us-west-2".split())
SETTINGS = AwsSettings(accounts=(ANA, BO), regions=REGIONS, role="audit", calls_per_second=0)
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class StsClock:
    """The stand-in's clock; an hour may pass there at once."""

    passed = timedelta(0)

    def __init__(self):
        self.passes_when = lambda: False

    def __call__(self):
        if self.passes_when():
            self.passed = timedelta(hours=1, seconds=1)
        return datetime.now(UTC) + self.passed


def trusting(**principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def clock():
    return StsClock()


@pytest.fixture
def aws(clock, monkeypatch, tmp_path):
    with AwsStandIn(calls_per_second=None, clock=clock, aws_policies=False) as running:
        settings = {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
            "AWS_DEFAULT_REGION": REGIONS[0],
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        for account in (ANA, BO):
            running.create_role(account, "audit", trusting(AWS=f"arn:aws:iam::{HOME}:root"), inline={"all": READS})
            role = running.create_role(account, "worker", trusting(Service="lambda.amazonaws.com"))
            spec = {"FunctionName": "refund", "Role": role, "Runtime": "python3.13", "Handler": "a.b"}
            for region in REGIONS:
                code = {"Code": {"ZipFile": b""}}
                running.seed_function(account, region, spec | code, datetime(2026, 11, 1, tzinfo=UTC))
        running.settle()
        yield running


def on_the_wire(use):
    async def talk():
        cloud = Cloud(SETTINGS)
        async with Wire(cloud.endpoints, paces=cloud.paces) as wire:
            return await use(cloud, wire)

    return asyncio.run(talk())


def assumed(aws):
    return [session.account for session in aws.sessions]


def test_sessions_that_end_in_the_middle_are_renewed_once_for_each_account(aws, clock):
    # Tags, metrics and more are asked for only after a region's functions, so each account has calls to come.
    clock.passes_when = lambda: {ANA, BO} <= {call.account for call in aws.calls if call.action == "ListFunctions"}

    seen = on_the_wire(lambda cloud, wire: Sweep(cloud, wire, ("team",), None).run(None, None))

    assert len(seen.functions) == 2 * len(REGIONS)
    assert seen.not_scanned == ()
    assert sorted(assumed(aws)) == [ANA, ANA, BO, BO]


def test_sessions_about_to_end_are_renewed_beforehand_and_once_for_all_calls(aws):
    async def many(cloud, wire):
        who = AuditIdentity(cloud, ANA, wire)
        held = await who.keys()
        cloud.hold(ANA, replace(held, expires=datetime.now(UTC) + timedelta(minutes=4)))

        async def names(region):
            return [each.name async for page in reads.functions(wire, who, region) for each in page]

        return await asyncio.gather(*(names(region) for region in REGIONS * 4))

    assert on_the_wire(many) == [["refund"]] * 4 * len(REGIONS)
    assert assumed(aws) == [ANA, ANA]
    assert len([call for call in aws.calls if call.action == "ListFunctions"]) == 4 * len(REGIONS)


@pytest.mark.parametrize("where", ["environment", "file"])
def test_sts_is_asked_in_the_sessions_region_also_where_the_global_endpoint_is_asked_for(
    aws, monkeypatch, tmp_path, where
):
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    if where == "environment":
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    else:
        (tmp_path / "config").write_text("[default]\nsts_regional_endpoints = legacy\n")
    cloud = Cloud(SETTINGS)

    assert cloud.endpoints.find("sts", cloud.home_region).url == "https://sts.eu-central-1.amazonaws.com"
    assert cloud.client("sts", cloud.home_region).meta.endpoint_url == "https://sts.eu-central-1.amazonaws.com"


def test_an_endpoint_that_is_configured_for_sts_is_asked_all_the_same(aws, monkeypatch):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://sts.amazonaws.com")
    cloud = Cloud(SETTINGS)

    assert cloud.endpoints.find("sts", cloud.home_region).url == "https://sts.amazonaws.com"
    assert cloud.client("sts", cloud.home_region).meta.endpoint_url == "https://sts.amazonaws.com"


def test_calls_to_sts_bear_the_sessions_region(aws):
    on_the_wire(lambda cloud, wire: AuditIdentity(cloud, ANA, wire).keys())

    assert {call.region for call in aws.calls if call.service == "sts"} == {"eu-central-1"}
