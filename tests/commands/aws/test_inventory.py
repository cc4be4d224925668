"""What an audit reads, against the local AWS: pages, tags, roles, aliases, event sources, and what refuses."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bot.demo.aws import AwsStandIn
from bot.demo.fleet import seed
from bot.demo.fleet_access import AUDIT_ROLE
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.errors import Denied, Gone
from commands.aws.inventory import take_inventory
from commands.aws.one_function import read_function
from commands.aws.shapes import alias, event_sources, following, listed_in, listing, read_page
from commands.aws.tags import team_of
from storage.models import Alias, Form, Manager, MayWrite, ServedVersion, TracingMode

HOME, ANA, BO = "123456789012", "222222222222", "333333333333"
BERLIN, VIRGINIA = "eu-central-1", "us-east-1"
ACTIVE, PASS_THROUGH = TracingMode.ACTIVE, TracingMode.PASS_THROUGH
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MODIFIED = datetime(2026, 11, 1, 10, 11, 12, tzinfo=UTC)
SETTINGS = AwsSettings(accounts=(ANA, BO), role="audit", calls_per_second=0)


def trusting(**principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allowing(action, effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}


def busy(_hour):
    return 10.0


LAMBDA = trusting(Service="lambda.amazonaws.com")


class World:
    """Two accounts that the audit role may read."""

    def __init__(self, aws):
        self.aws = aws
        for account in (ANA, BO):
            aws.create_role(account, "audit", trusting(AWS=f"arn:aws:iam::{HOME}:root"), attached=[ADMIN])
            aws.create_role(account, "plain-role", LAMBDA, attached=[DAEMON])

    def function(self, name, account=ANA, region=BERLIN, role=None, mode="Active", master=None, **spec):
        role = role or f"arn:aws:iam::{account}:role/plain-role"
        given = {"FunctionName": name, "Role": role, "Runtime": "python3.13", "Handler": "app.handler", **spec}
        arn = self.aws.seed_function(account, region, {"Code": {"ZipFile": b""}, **given}, MODIFIED, master)
        self.aws.seed_tracing_mode(arn, mode, MODIFIED)
        return arn

    def take(self, settings=SETTINGS, **narrow):
        seen = take_inventory(Cloud(settings), tag_keys=("team", "owner"), **narrow)
        return {function.name: function for function in seen.functions}, seen

    def actions(self):
        return [call.action for call in self.aws.calls]

    def read(self, name, account=ANA):
        return read_function(Cloud(SETTINGS), account, BERLIN, name, ("team", "owner"))


@pytest.fixture
def world(monkeypatch, tmp_path):
    with AwsStandIn(calls_per_second=None) as aws:
        settings = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
            "AWS_DEFAULT_REGION": BERLIN,
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield World(aws)


def test_a_function_comes_with_everything_that_is_known_of_it(world):
    arn = world.function(
        "refund", Tags={"team": "Payments Team"}, Environment={"Variables": {"DB_PASSWORD": "hunter2", "STAGE": "prod"}}
    )
    world.aws.seed_event_source(arn, {"EventSourceArn": f"arn:aws:sqs:{BERLIN}:{ANA}:refunds"})

    functions, seen = world.take()

    refund = functions["refund"]
    assert (refund.arn, refund.account, refund.region, refund.name) == (arn, ANA, BERLIN, "refund")
    assert (refund.mode, refund.role_may_write) == (ACTIVE, MayWrite.YES)
    assert (refund.role, refund.runtime) == (f"arn:aws:iam::{ANA}:role/plain-role", "python3.13")
    assert (refund.team, refund.last_modified) == ("payments-team", MODIFIED)
    assert (refund.sources, refund.aliases, refund.edge) == (("sqs",), (), False)
    assert set(refund.environment_keys) == {"DB_PASSWORD", "STAGE"}
    assert "hunter2" not in repr(seen)
    assert refund.revision_id
    assert refund.code_sha256
    assert seen.not_scanned == ()


def test_one_function_read_alone_is_the_same(world):
    arn = world.function("refund", Tags={"team": "payments"}, Environment={"Variables": {"STAGE": "prod"}})
    version = world.aws.seed_version(arn, MODIFIED)
    world.aws.seed_alias(arn, "live", version)
    world.aws.seed_event_source(f"{arn}:live", {"EventSourceArn": f"arn:aws:sqs:{BERLIN}:{ANA}:refunds"})
    world.aws.metrics.invoked(ANA, BERLIN, "refund", busy, qualifier="live", version=version)

    functions, _ = world.take()

    assert world.read("refund") == functions["refund"]
    assert functions["refund"].sources == ("sqs",)


def test_all_pages_of_all_accounts_and_regions_are_read(world):
    for number in range(120):
        world.function(f"many-{number:03}", Tags={"team": f"team-{number % 3}", "a": "1", "b": "2"})
    world.function("far", region=VIRGINIA)
    world.function("other", account=BO)

    functions, seen = world.take()

    assert len(functions) == 122
    assert {functions[f"many-{number:03}"].team for number in range(120)} == {"team-0", "team-1", "team-2"}
    assert (seen.accounts, seen.regions, seen.not_scanned) == ((ANA, BO), (BERLIN, VIRGINIA), ())
    assert list(seen.functions) == sorted(seen.functions, key=lambda function: function.arn)
    assert seen.aws_calls == len(world.aws.calls)


def test_where_there_are_no_functions_nothing_else_is_asked(world):
    world.function("refund")

    world.take()

    actions = world.actions()
    assert actions.count("AssumeRole") == 2
    assert actions.count("DescribeRegions") == 2
    assert actions.count("ListFunctions") == 4
    for once in ("GetResources", "ListEventSourceMappings", "ListMetrics", "GetAccountAuthorizationDetails"):
        assert actions.count(once) == 1, once


def test_awss_own_policies_are_read_once_for_all_accounts(world):
    for number in range(3):
        world.function(f"refund-{number}")
        world.function(f"search-{number}", account=BO)

    functions, _ = world.take()

    assert {function.role_may_write for function in functions.values()} == {MayWrite.YES}
    assert world.actions().count("GetPolicyVersion") == 1


def test_roles_decide_who_may_write(world):
    aws = world.aws
    own = aws.create_policy(ANA, "team-xray", allowing("xray:Put*"))
    boundary = aws.create_policy(ANA, "limit", allowing("logs:*"))
    roles = {
        "plain": aws.create_role(ANA, "nothing-role", LAMBDA),
        "inline": aws.create_role(ANA, "inline-role", LAMBDA, inline={"x": allowing("xray:PutTraceSegments")}),
        "own": aws.create_role(ANA, "own-role", LAMBDA, attached=[own], path="/service-role/"),
        "denied": aws.create_role(
            ANA, "denied-role", LAMBDA, attached=[DAEMON], inline={"no": allowing("xray:*", "Deny")}
        ),
        "bounded": aws.create_role(ANA, "bounded-role", LAMBDA, attached=[DAEMON], boundary=boundary),
    }
    for name, role in roles.items():
        world.function(name, role=role)

    functions, _ = world.take()

    assert {name: str(function.role_may_write) for name, function in functions.items()} == {
        "plain": "no",
        "inline": "yes",
        "own": "yes",
        "denied": "no",
        "bounded": "no",
    }


def test_a_role_that_was_deleted_is_not_known_to_write(world):
    role = world.aws.create_role(ANA, "deleted-role", LAMBDA)
    world.function("refund", role=role)
    cloud = Cloud(SETTINGS)
    with cloud.acting_as(ANA):
        cloud.client("iam", BERLIN).delete_role(RoleName="deleted-role")
    world.aws.settle()

    functions, seen = world.take()

    assert functions["refund"].role_may_write is None
    assert seen.not_scanned == ()
    assert world.read("refund").role_may_write is None


def test_lambda_at_edge_is_recognised(world):
    edge = world.aws.create_role(
        ANA, "edge-role", trusting(Service=["lambda.amazonaws.com", "edgelambda.amazonaws.com"])
    )
    world.function("master", region=VIRGINIA, role=edge)
    world.function("replica", master=f"arn:aws:lambda:{VIRGINIA}:{ANA}:function:master:1")
    world.function("cannot-be-at-the-edge", role=edge)
    world.function("refund")

    functions, _ = world.take()

    assert {name for name, function in functions.items() if function.edge} == {"master", "replica"}
    assert not world.read("cannot-be-at-the-edge").edge


def test_a_replica_is_not_asked_for_aliases(world):
    world.function("replica", master=f"arn:aws:lambda:{VIRGINIA}:{ANA}:function:master:1")
    world.aws.deny(service="cloudwatch", action="ListMetrics")

    functions, _ = world.take()

    assert functions["replica"].aliases == ()
    assert "ListAliases" not in world.actions()


def test_managed_instances_are_asked_what_their_calls_run(world):
    provider = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn:x"}}
    dark = world.function("dark", mode="PassThrough", CapacityProviderConfig=provider)
    world.aws.seed_version(dark, MODIFIED)
    world.aws.seed_tracing_mode(dark, "Active", MODIFIED)
    world.aws.seed_version(world.function("lit", CapacityProviderConfig=provider), MODIFIED)
    world.function("unpublished", CapacityProviderConfig=provider)
    world.function("plain", DurableConfig={"ExecutionTimeout": 60})

    functions, _ = world.take()

    published = {name: (function.published_mode, function.forms) for name, function in functions.items()}
    managed = (Form.MANAGED_INSTANCES,)
    assert published == {
        "dark": (PASS_THROUGH, managed),
        "lit": (ACTIVE, managed),
        "unpublished": (None, managed),
        "plain": (None, (Form.DURABLE,)),
    }
    assert world.actions().count("GetFunctionConfiguration") == 3
    assert [world.read(name) for name in functions] == list(functions.values())
    world.aws.deny(service="lambda", action="GetFunctionConfiguration")
    assert world.take()[0]["lit"].published_mode is None


def test_what_deploys_a_function_is_read_with_its_tags(world):
    stack = {"aws:cloudformation:stack-name": "payments-prod", "aws:cloudformation:logical-id": "RefundFunction"}
    world.function("refund", Tags={**stack, "lambda:createdBy": "SAM"})
    world.function("plain", Tags={"lambda:createdBy": "SAM"})

    functions, _ = world.take()

    refund = functions["refund"]
    assert (refund.managed_by, refund.stack, refund.logical_id) == (Manager.SAM, "payments-prod", "RefundFunction")
    assert functions["plain"].managed_by is None
    assert world.read("refund") == refund


def test_what_a_function_is_made_of_is_read_with_it(world):
    world.function("zip")
    world.function("image", PackageType="Image", Code={"ImageUri": "x.dkr.ecr/y:1"}, Runtime=None, Handler=None)

    functions, _ = world.take()

    assert (functions["zip"].package_type, functions["zip"].handler) == ("Zip", "app.handler")
    assert (functions["image"].package_type, functions["image"].handler) == ("Image", None)


def test_untraced_callers_are_found_by_settings_and_by_roles(world):
    refund = world.function("refund")
    ledger = world.function("ledger", account=BO)
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": [refund, f"{refund}:*"]}
    call = {"Version": "2012-10-17", "Statement": [statement]}
    role = world.aws.create_role(ANA, "calling-role", LAMBDA, inline={"call": call})
    by_role = world.function("by-role", role=role, mode="PassThrough")
    variables = {"REFUND_FUNCTION_NAME": "refund", "LEDGER": ledger, "LAMBDA_PASSWORD": "hunter2"}
    by_name = world.function("by-name", mode="PassThrough", Environment={"Variables": variables})
    world.function("traced", Environment={"Variables": variables})

    functions, seen = world.take()

    assert functions["refund"].untraced_callers == (by_name, by_role)
    assert functions["ledger"].untraced_callers == (by_name,)
    assert "hunter2" not in repr(seen)


def test_of_the_demos_settings_no_value_survives(monkeypatch, tmp_path):
    with AwsStandIn(calls_per_second=None) as aws:
        fleet = seed(aws)
        for name, value in fleet.environment(aws).items():
            monkeypatch.setenv(name, value)
        settings = AwsSettings(fleet.accounts, fleet.regions, AUDIT_ROLE, external_id=fleet.external_id)
        seen = take_inventory(Cloud(settings), tag_keys=("team", "owner"))

    assert {function.arn for function in seen.functions} == {function.arn for function in fleet.functions}
    assert any("LEDGER_FUNCTION_TOKEN" in (function.environment_keys or ()) for function in seen.functions)
    assert fleet.canary not in repr(seen)
    values = {"INFO", "/opt/otel-instrument", "datadoghq.eu"}
    assert not any(value in repr(seen) for value in values)


def test_event_sources_are_named(world):
    arn = world.function("refund")
    kafka = {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["k:9092"]}}, "Topics": ["t"]}
    world.aws.seed_event_source(arn, kafka)
    world.aws.seed_event_source(arn, {"EventSourceArn": f"arn:aws:kafka:{BERLIN}:{ANA}:cluster/c/1", "Topics": ["t"]})
    world.aws.seed_event_source(
        arn, {"EventSourceArn": f"arn:aws:mq:{BERLIN}:{ANA}:broker:b:1", "Queues": ["q"], "Enabled": False}
    )

    functions, _ = world.take()

    assert functions["refund"].sources == ("kafka", "msk")


def test_only_functions_that_were_invoked_by_alias_are_asked_for_aliases(world):
    dark = world.function("dark", mode="PassThrough")
    first = world.aws.seed_version(dark, MODIFIED)
    world.aws.seed_tracing_mode(dark, "Active", MODIFIED)
    second = world.aws.seed_version(dark, MODIFIED)
    world.aws.seed_alias(dark, "live", second, {first: 0.1})
    unused = world.function("unused")
    world.aws.seed_alias(unused, "old", world.aws.seed_version(unused, MODIFIED))
    world.aws.metrics.invoked(ANA, BERLIN, "dark", busy, qualifier="live", version=second)
    world.aws.metrics.invoked(ANA, BERLIN, "unused", busy)

    functions, _ = world.take()

    served = (ServedVersion(second, ACTIVE, 0.9), ServedVersion(first, PASS_THROUGH, 0.1))
    assert functions["dark"].aliases == (Alias("live", served),)
    assert functions["unused"].aliases == ()
    assert world.actions().count("ListAliases") == 1


def test_one_function_read_alone_looks_at_aliases_as_an_audit_does(world):
    arn = world.function("unused", mode="PassThrough")
    world.aws.seed_alias(arn, "old", world.aws.seed_version(arn, MODIFIED))
    world.aws.metrics.invoked(ANA, BERLIN, "unused", busy)

    assert world.read("unused").aliases == ()
    world.aws.deny(service="cloudwatch", action="ListMetrics")
    assert world.read("unused").aliases == (Alias("old", (ServedVersion("1", PASS_THROUGH),)),)


def test_without_metrics_active_functions_are_asked_for_their_aliases(world):
    arn = world.function("active")
    world.aws.seed_alias(arn, "live", world.aws.seed_version(arn, MODIFIED))
    world.function("plain", mode="PassThrough")
    world.aws.deny(service="cloudwatch", action="ListMetrics")

    functions, seen = world.take()

    assert functions["active"].aliases == (Alias("live", (ServedVersion("1", ACTIVE),)),)
    assert functions["plain"].aliases is None
    assert seen.not_scanned == ()


@pytest.mark.parametrize(("active", "asked", "unknown"), [(100, 100, 0), (101, 0, 101)])
def test_without_metrics_a_sweep_is_finished_or_not_begun(world, active, asked, unknown):
    for number in range(active):
        world.function(f"many-{number:03}")
    world.aws.deny(service="cloudwatch", action="ListMetrics")

    functions, _ = world.take()

    assert world.actions().count("ListAliases") == asked
    assert sum(function.aliases is None for function in functions.values()) == unknown


def test_who_may_not_read_aliases_either_is_not_asked_over_and_over(world):
    for number in range(20):
        world.function(f"near-{number}")
        world.function(f"far-{number}", region=VIRGINIA)
    world.aws.deny(service="cloudwatch", action="ListMetrics")
    world.aws.deny(service="lambda", action="ListAliases")

    functions, _ = world.take()

    assert {function.aliases for function in functions.values()} == {None}
    assert world.actions().count("ListAliases") == 2
    assert world.actions().count("ListMetrics") == 1


def test_a_version_that_cannot_be_read_is_not_taken_for_traced(world):
    arn = world.function("refund")
    world.aws.seed_alias(arn, "live", world.aws.seed_version(arn, MODIFIED))
    world.aws.metrics.invoked(ANA, BERLIN, "refund", busy, qualifier="live", version="1")
    world.aws.deny(service="lambda", action="GetFunctionConfiguration")

    functions, _ = world.take()

    assert functions["refund"].aliases == (Alias("live", (ServedVersion("1", None),)),)


@pytest.mark.parametrize(
    ("denied", "region", "words"),
    [
        pytest.param({"service": "lambda", "action": "ListFunctions", "region": BERLIN}, BERLIN, "", id="functions"),
        pytest.param({"service": "sts"}, "", "sts:AssumeRole", id="the role"),
    ],
)
def test_what_could_not_be_seen_is_a_row_and_stops_nothing_else(world, denied, region, words):
    world.function("refund")
    world.function("search", account=BO)
    world.function("far", account=BO, region=VIRGINIA)
    if denied["service"] == "sts":
        world.aws.create_role("444444444444", "nobody", LAMBDA)
        settings = replace(SETTINGS, accounts=(BO, "444444444444"))
        account = "444444444444"
    else:
        settings, account = SETTINGS, ANA
        world.aws.deny(account=ANA, **denied)

    functions, seen = world.take(settings)

    assert {"search", "far"} == functions.keys()
    assert [(row.account, row.region) for row in seen.not_scanned] == [(account, region)]
    assert "AccessDenied" in seen.not_scanned[0].reason
    assert words in seen.not_scanned[0].reason
    assert "\n" not in seen.not_scanned[0].reason


@pytest.mark.parametrize(
    ("action", "region", "words", "left_open"),
    [
        ("GetResources", BERLIN, "tags could not be read: ", {"team": None}),
        ("ListEventSourceMappings", BERLIN, "event sources could not be read: ", {"sources": None}),
        ("GetAccountAuthorizationDetails", "", "execution roles could not be read: ", {"role_may_write": None}),
    ],
)
def test_what_is_denied_beside_the_functions_is_left_open_and_said(world, action, region, words, left_open):
    world.function("refund", Tags={"team": "payments"})
    world.aws.deny(account=ANA, action=action)

    functions, seen = world.take()

    assert functions["refund"] == structs.replace(functions["refund"], mode=ACTIVE, **left_open)
    assert [(row.account, row.region) for row in seen.not_scanned] == [(ANA, region)]
    assert seen.not_scanned[0].reason.startswith(words)
    assert "AccessDenied" in seen.not_scanned[0].reason


class BreaksOff(BaseHTTPRequestHandler):
    """An account of which one page of functions can be had, and nothing else."""

    def do_GET(self):
        name = "refund"
        arn = f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}"
        first = {"Functions": [{"FunctionName": name, "FunctionArn": arn}], "NextMarker": "more"}
        self.say(403, b"{}") if "Marker=" in self.path or "/functions/" not in self.path else self.say(
            200, json.dumps(first).encode()
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        who = f"<R><Account>{HOME}</Account><Arn>arn:aws:iam::{HOME}:user/me</Arn></R>"
        self.say(200, who.encode()) if b"GetCallerIdentity" in body else self.say(403, b"{}")

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_listing_that_breaks_off_keeps_what_it_had_and_says_so(world, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), BreaksOff) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        functions, seen = world.take(AwsSettings(regions=(BERLIN,), calls_per_second=0))
        server.shutdown()
        serving.join()

    refund = functions["refund"]
    assert (refund.mode, refund.team, refund.role_may_write, refund.aliases, refund.sources) == (None,) * 5
    reasons = sorted(row.reason for row in seen.not_scanned)
    assert [reason.partition(":")[0] for reason in reasons] == [
        "event sources could not be read",
        "execution roles could not be read",
        "only the first 1 functions were listed",
        "tags could not be read",
    ]


class Twice(BreaksOff):
    """A listing whose second page has a function of the first one again, changed since."""

    def do_GET(self):
        arn = f"arn:aws:lambda:{BERLIN}:{HOME}:function:refund"
        item = {"FunctionName": "refund", "FunctionArn": arn, "MemorySize": 1}
        if "/functions/" not in self.path:
            self.say(200, b'{"EventSourceMappings": []}')
        elif "Marker=" in self.path:
            self.say(200, json.dumps({"Functions": [item | {"TracingConfig": {"Mode": "Active"}}]}).encode())
        else:
            self.say(200, json.dumps({"Functions": [item], "NextMarker": "more"}).encode())


def test_a_function_that_comes_twice_is_there_once(world, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Twice) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        _, seen = world.take(AwsSettings(regions=(BERLIN,), calls_per_second=0))
        server.shutdown()
        serving.join()

    assert [(function.name, function.mode) for function in seen.functions] == [("refund", ACTIVE)]


def test_throttles_are_waited_out(world):
    world.function("refund", Tags={"team": "payments"})
    world.aws.throttle(2, action="ListFunctions")
    world.aws.throttle(2, action="GetAccountAuthorizationDetails")
    world.aws.throttle(1, action="AssumeRole")

    functions, seen = world.take()

    assert functions["refund"].role_may_write is MayWrite.YES
    assert seen.not_scanned == ()
    assert seen.aws_calls == len(world.aws.calls)


def test_regions_that_cannot_be_listed_leave_the_sessions_own(world):
    world.function("refund")
    world.function("far", region=VIRGINIA)
    world.aws.deny(account=ANA, action="DescribeRegions")
    world.aws.deny(account=ANA, action="ListRegions")

    functions, seen = world.take()

    assert functions.keys() == {"refund"}
    row = seen.not_scanned[0]
    assert (row.account, row.region) == (ANA, "")
    assert row.reason.startswith(f"regions could not be listed, so only {BERLIN} was looked at: ")
    assert "ec2:DescribeRegions" in row.reason
    assert "account:ListRegions" in row.reason


def test_where_ec2_will_not_list_regions_the_account_service_does(world):
    world.function("refund")
    world.function("far", region=VIRGINIA)
    world.aws.deny(account=ANA, action="DescribeRegions")

    functions, seen = world.take()

    assert (functions.keys(), seen.regions) == ({"refund", "far"}, (BERLIN, VIRGINIA))
    assert seen.not_scanned == ()
    assert world.actions().count("ListRegions") == 1


def test_accounts_and_regions_narrow_an_audit(world):
    for account in (ANA, BO):
        for region in (BERLIN, VIRGINIA):
            world.function(f"f-{account}-{region}", account=account, region=region)

    functions, seen = world.take(accounts=[BO], regions=[VIRGINIA])

    assert functions.keys() == {f"f-{BO}-{VIRGINIA}"}
    assert (seen.accounts, seen.regions, seen.not_scanned) == ((BO,), (VIRGINIA,), ())
    assert "DescribeRegions" not in world.actions()


def test_narrowing_to_what_is_not_configured_says_so(world):
    settings = replace(SETTINGS, regions=(BERLIN,))

    functions, seen = world.take(settings, accounts=[ANA, "999999999999"], regions=[VIRGINIA])

    assert functions == {}
    assert [(row.account, row.region, row.reason) for row in seen.not_scanned] == [
        (ANA, VIRGINIA, "is not among the configured regions"),
        ("999999999999", "", "is not among the configured accounts"),
    ]


def test_without_settings_the_credentials_own_account_is_read(world):
    role = world.aws.create_role(HOME, "own-role", LAMBDA, attached=[DAEMON])
    world.function("mine", account=HOME, role=role)

    functions, seen = world.take(AwsSettings(calls_per_second=0))

    assert (functions["mine"].account, functions["mine"].role_may_write) == (HOME, MayWrite.YES)
    assert seen.accounts == (HOME,)


def test_the_first_function_tells_whose_the_credentials_are(world):
    role = world.aws.create_role(HOME, "plain-role", LAMBDA, attached=[DAEMON])
    world.function("refund", account=HOME, role=role)

    functions, seen = world.take(AwsSettings(regions=(BERLIN,), calls_per_second=0))

    assert (functions["refund"].account, seen.accounts) == (HOME, (HOME,))
    assert "GetCallerIdentity" not in world.actions()
    assert world.actions().count("ListFunctions") == 1


@pytest.mark.parametrize("denied", [False, True], ids=["no functions", "functions that are not shown"])
def test_without_a_function_sts_tells_whose_the_credentials_are(world, denied):
    if denied:
        world.aws.deny(account=HOME, action="ListFunctions")

    _, seen = world.take(AwsSettings(regions=(BERLIN,), calls_per_second=0))

    assert seen.accounts == (HOME,)
    assert [(row.account, row.region) for row in seen.not_scanned] == [(HOME, BERLIN)] * denied
    assert world.actions().count("GetCallerIdentity") == 1


def test_without_a_role_other_accounts_are_not_mistaken_for_ones_own(world):
    role = world.aws.create_role(HOME, "own-role", LAMBDA)
    world.function("mine", account=HOME, role=role)

    functions, seen = world.take(AwsSettings(accounts=(HOME, ANA), calls_per_second=0))

    assert {function.account for function in functions.values()} == {HOME}
    assert [(row.account, row.region) for row in seen.not_scanned] == [(ANA, "")]
    assert f"the credentials belong to account {HOME}" in seen.not_scanned[0].reason


def test_progress_is_told_region_by_region(world):
    told = []

    world.take(on_progress=lambda done, total, what: told.append((done, total, what)))

    assert [done for done, _, _ in told] == [1, 2, 3, 4]
    assert told[-1][1] == 4
    assert {what for _, _, what in told} == {
        f"{account} {region}" for account in (ANA, BO) for region in (BERLIN, VIRGINIA)
    }


def test_a_function_that_is_not_there_is_gone(world):
    with pytest.raises(Gone, match="ResourceNotFoundException"):
        world.read("nothing")


def test_a_function_that_may_not_be_read_is_denied(world):
    world.function("refund")
    world.aws.deny(action="GetFunctionConfiguration")

    with pytest.raises(Denied, match=rf"lambda:GetFunctionConfiguration in account {ANA}, {BERLIN}: AccessDenied"):
        world.read("refund")


def test_one_functions_surroundings_may_stay_open(world):
    world.function("refund", Tags={"team": "payments"})
    for action in ("ListTags", "ListMetrics", "ListAliases", "ListEventSourceMappings", "GetRole"):
        world.aws.deny(action=action)

    read = world.read("refund")

    assert (read.team, read.aliases, read.sources, read.role_may_write) == (None, None, None, None)
    assert read.mode is ACTIVE


@pytest.mark.parametrize(
    ("tags", "team"),
    [
        ({"team": "payments", "owner": "search"}, "payments"),
        ({"owner": "search"}, "search"),
        ({"Team": "Payments"}, "payments"),
        ({"TEAM": "x", "team": "y"}, "y"),
        ({"team": "  Payments_and  Refunds "}, "payments-and-refunds"),
        ({"team": "", "owner": "search"}, "search"),
        ({"team": " _ "}, None),
        ({"owner": "jane.doe@example.com"}, None),
        ({"team": "jane.doe@example.com", "owner": "search"}, "search"),
        ({"cost-center": "4711"}, None),
        ({}, None),
    ],
)
def test_tags_name_a_team(tags, team):
    assert team_of(tags, ("team", "owner")) == team


@given(st.dictionaries(st.sampled_from(["team", "Team", "owner", "other"]), st.text()))
def test_a_team_is_never_an_address_and_never_empty(tags):
    team = team_of(tags, ("team", "owner"))

    assert team is None or (team and "@" not in team and not any(sign.isspace() or sign == "_" for sign in team))


@pytest.mark.parametrize(
    ("mapping", "kinds"),
    [
        ({"EventSourceArn": "arn:aws:kinesis:x:1:stream/s"}, ["kinesis"]),
        ({"EventSourceArn": "arn:aws:rds:x:1:cluster:c", "DocumentDBEventSourceConfig": {}}, ["documentdb"]),
        ({"EventSourceArn": "arn:aws:dynamodb:x:1:table/t/stream/s", "State": "Disabled"}, []),
        ({}, ["unknown"]),
    ],
)
def test_mappings_have_kinds(mapping, kinds):
    arn = f"arn:aws:lambda:{BERLIN}:{ANA}:function:refund"

    found = event_sources([{"FunctionArn": f"{arn}:live", **mapping}])

    assert [(source.function_arn, source.kind) for source in found] == [(arn, kind) for kind in kinds]


@pytest.mark.parametrize(
    "mode", [{}, {"TracingConfig": None}, {"TracingConfig": {}}, {"TracingConfig": {"Mode": "New"}}]
)
def test_a_mode_that_is_missing_or_new_is_none(mode):
    arn = f"arn:aws:lambda:{BERLIN}:{ANA}:function:refund"

    assert listed_in({"FunctionName": "refund", "FunctionArn": arn, **mode}).mode is None


def test_settings_that_may_not_be_decrypted_are_not_taken_for_none():
    arn = f"arn:aws:lambda:{BERLIN}:{ANA}:function:refund"
    refused = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}}

    assert listed_in({"FunctionName": "refund", "FunctionArn": arn, "Environment": refused}).environment_keys is None
    assert listed_in({"FunctionName": "refund", "FunctionArn": arn, "Environment": None}).environment_keys == ()


def test_what_is_being_deleted_is_gone():
    arn = f"arn:aws:lambda:{BERLIN}:{ANA}:function:"
    states = {"a": None, "b": "Active", "c": "Inactive", "d": "Deleting"}
    items = [{"FunctionName": name, "FunctionArn": arn + name, "State": state} for name, state in states.items()]

    assert [each.name for each in listing(read_page(orjson.dumps({"Functions": items})).functions)] == ["a", "b", "c"]


WORDS = st.text(max_size=20) | st.sampled_from(
    ['"NextMarker":"x"}', '],"NextMarker":"x"}', "NextMarker", "]", "}", "\\"]
)


@settings(max_examples=300)
@given(
    functions=st.lists(st.dictionaries(WORDS, WORDS, max_size=3), max_size=3),
    named=st.none() | WORDS,
    first=st.booleans(),
    indented=st.booleans(),
)
def test_the_next_page_is_the_one_that_the_answer_names_whatever_functions_and_their_settings_are_called(
    functions: list[dict[str, str]], named: str | None, first: bool, indented: bool
) -> None:
    items = [{"FunctionName": "x", "Layers": [], "Environment": {"Variables": variables}} for variables in functions]
    told = {"NextMarker": named, "Functions": items} if first else {"Functions": items, "NextMarker": named}
    body = json.dumps(told, indent=2 if indented else None, ensure_ascii=False).encode(errors="surrogatepass")

    assert following(body) == (named or "")
    for cut in range(len(body)):
        with suppress(ValueError):  # else it is as if nothing were cut: only space was
            assert following(body[:cut]) == (named or "")


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        (None, {"3": 1.0}),
        ({"4": 0.1}, {"3": 0.9, "4": 0.1}),
        ({"4": 0.0}, {"3": 1.0}),
        ({"4": 1.0}, {"4": 1.0}),
    ],
)
def test_a_version_that_is_left_no_traffic_serves_nobody(weights, shares):
    routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}

    assert alias({"Name": "live", "FunctionVersion": "3", **routing}).weights == shares


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("commands.aws.inventory", {"boto3", "botocore", "urllib3", "pycurl"}),
        ("commands.aws.sweep", {"boto3", "botocore", "urllib3"}),
    ],
)
def test_importing_what_takes_an_audit_loads_no_http_client_before_its_time(module, unwanted):
    program = f"import sys, {module}; print(sorted({unwanted} & sys.modules.keys()))"

    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )

    assert told.stdout == "[]\n"
