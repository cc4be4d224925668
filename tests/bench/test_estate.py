"""The pretend AWS tells the truth, and an audit of it in a process of its own is right and is measured."""

import os
import sys
from contextlib import ExitStack

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.bench.contestants import Lamplighter, Start
from tests.bench.measuring import counts, estate, measure
from tests.bench.world import HOME, Truth, World, arn

ONE, MANY = World.read("1x2x120x7@1"), World.read("3x2x60x7@1")
EAST, WEST = "us-east-1", "eu-west-1"
SPENDS = "import time\nheld = bytearray(b'x') * 64_000_000\nwhile time.process_time() < 0.4: pass"


@pytest.fixture(scope="module")
def urls():
    with ExitStack() as stack:
        yield {world: stack.enter_context(estate(world)) for world in (ONE, MANY)}


@pytest.fixture
def client(urls, monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    def make(service, region=EAST, *, url=urls[ONE], key=f"AKIA{HOME}0000", token=None):
        keys = {"aws_access_key_id": key, "aws_secret_access_key": "pretend", "aws_session_token": token}
        return boto3.client(service, region, endpoint_url=url, **keys)

    return make


@pytest.mark.parametrize(
    ("number", "truth"),
    [
        pytest.param(0, Truth("Active", "payments", "traced"), id="its role writes by an inline policy"),
        pytest.param(1, Truth("PassThrough", "search", "untraced"), id="PassThrough"),
        pytest.param(3, Truth("Active", "identity", "untraced"), id="its role has no policy for X-Ray"),
        pytest.param(6, Truth("Active", "search", "untraced"), id="its alias serves an untraced version"),
        pytest.param(9, Truth("Active", "mobile", "not_applicable"), id="only Kafka feeds it"),
        pytest.param(18, Truth("Active", "identity", "untraced"), id="its role is denied X-Ray"),
        pytest.param(30, Truth("Active", "payments", "traced"), id="its role writes by a customer's policy"),
        pytest.param(36, Truth("Active", "search", "traced"), id="its role writes by a policy of AWS"),
        pytest.param(101, Truth("PassThrough", "search", "untraced"), id="a queue feeds it"),
        pytest.param(99, Truth("Active", None, "traced"), id="no tag names its team"),
    ],
)
def test_the_truth_is_what_one_would_say_by_hand(number, truth):
    assert ONE.truths()[arn(HOME, EAST, number)] == truth


@pytest.mark.parametrize("world", [ONE, MANY], ids=str)
def test_an_audit_is_right_in_every_function_and_is_refused_nothing(urls, world):
    took = measure(Lamplighter(), world, urls[world])

    assert (took.problem, took.refused, took.log) == ("", {}, "")
    assert took.calls > world.pages
    assert 1 <= took.connections <= took.calls


def test_boto3_reads_here_what_custodian_is_asked_for(client):
    found = set()
    for region in (EAST, WEST):
        pages = client("lambda", region).get_paginator("list_functions").paginate()
        described = [each for page in pages for each in page["Functions"]]
        dark = [each["FunctionArn"] for each in described if each["TracingConfig"]["Mode"] != "Active"]
        asked = client("resourcegroupstaggingapi", region).get_resources(ResourceARNList=dark)
        tagged = asked["ResourceTagMappingList"]
        found |= {each["ResourceARN"] for each in tagged if "team" in {tag["Key"] for tag in each["Tags"]}}

    assert found == ONE.not_active_with_team()
    assert len(found) == 2 * (80 - 4)  # of 120 functions a third is Active, and four of the others name no team


def test_the_pretend_aws_knows_accounts_and_regions(client):
    role = "arn:aws:iam::300000000000:role/audit"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    theirs = client("sts", key=keys["AccessKeyId"], token=keys["SessionToken"])

    assert theirs.get_caller_identity()["Account"] == "300000000000"
    assert client("sts").get_caller_identity()["Account"] == HOME
    assert [each["RegionName"] for each in client("ec2").describe_regions()["Regions"]] == [EAST, WEST]


def test_an_account_with_many_roles_shows_them_page_by_page(client):
    with estate(World.read("1x1x1x2300@0")) as url:
        paginator = client("iam", url=url).get_paginator("get_account_authorization_details")
        pages = list(paginator.paginate(Filter=["Role", "LocalManagedPolicy"]))

    assert [len(page["RoleDetailList"]) for page in pages] == [1000, 1000, 302]  # one more reads Kafka, and one queues
    assert [policy["PolicyName"] for page in pages for policy in page["Policies"]] == ["tracing"]


def test_what_the_pretend_aws_does_not_serve_is_refused_and_counted(client, urls):
    counts(urls[ONE])
    for asked in (lambda: client("lambda").delete_function(FunctionName="x"), client("iam").list_users):
        with pytest.raises(ClientError, match="AccessDenied"):
            asked()

    reached = counts(urls[ONE])

    assert reached["refused"] == {"lambda:DELETE /2015-03-31/functions/x": 1, "iam:ListUsers": 1}
    assert sum(reached["calls"].values()) == 2
    assert reached["connections"] == 2


class Spender:
    """Has a process below it hold 64 MB and take 0.4 s of a core."""

    name = "Spender"

    def start(self, world, url, folder):
        below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPENDS!r}])"
        return Start((sys.executable, "-c", below), dict(os.environ), folder)

    def problem(self, world, printed, folder):
        return "it says nothing"


def test_what_is_measured_includes_the_processes_below(urls):
    took = measure(Spender(), ONE, urls[ONE])

    assert took.cpu_seconds > 0.4
    assert took.seconds > 0.4
    assert 64 < took.peak_mb < 200
    assert (took.calls, took.connections, took.problem) == (0, 0, "it says nothing")
