"""An audit from AWS Config beside a direct one: the same verdicts, and every gap said once."""

import json
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from msgspec import structs

from commands.aws import checks, config_gaps, config_rows
from commands.aws.accounts import Aggregator, Cloud
from commands.aws.errors import AwsProblem, Denied
from commands.aws.inventory import take_inventory
from commands.aws.one_function import read_function
from commands.aws.scope import Rules
from storage.models import ORGANIZATION, Function, Inventory, MayWrite, TracingMode, Verdict
from tests.commands.conftest import (
    BERLIN,
    HOME,
    MODIFIED,
    OTHER,
    SETTINGS,
    VIRGINIA,
    HandClock,
    World,
    trusting,
)

THIRD = "333333333333"
FROM_CONFIG = replace(SETTINGS, aggregator=Aggregator("view"))


@pytest.fixture
def recorded(world: World) -> World:
    """Every account and region is recorded, and `view` shows them all."""
    world.aws.aggregators.aggregate(HOME, BERLIN, "view")
    for account in (HOME, OTHER):
        for region in (BERLIN, VIRGINIA):
            world.aws.aggregators.record(account, region)
    return world


def take(settings: Any = FROM_CONFIG, **narrow: Any) -> Inventory:
    return take_inventory(Cloud(settings), tag_keys=("team",), **narrow)


def by_name(seen: Inventory) -> dict[str, Function]:
    return {function.name: checks.judge(function) for function in seen.functions}


def rows(seen: Inventory) -> list[tuple[str, str, str]]:
    return [(row.account, row.region, row.reason) for row in seen.not_scanned]


def awkward_fleet(world: World) -> None:
    """A function of each kind that gets another verdict, or the same one for another reason."""
    world.function("plain")
    world.function("traced", mode="Active", team="Search Team")
    world.function("mute", mode="Active", role="mute", account=OTHER)
    world.function("unowned", team=None, region=VIRGINIA)
    world.served_untraced("aliased")
    world.aws.create_role(OTHER, "at-edge", trusting(Service=["lambda.amazonaws.com", "edgelambda.amazonaws.com"]))
    world.function("edge", account=OTHER, region=VIRGINIA, role="at-edge")
    fed = world.function("fed", account=OTHER, mode="Active")
    world.aws.seed_event_source(fed, {"EventSourceArn": f"arn:aws:kafka:{BERLIN}:{OTHER}:cluster/c/1", "Topics": ["t"]})
    layer = "arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:65"
    spec = {"Layers": [layer], "Runtime": "nodejs22.x", "Handler": "a.b", "Code": {"ZipFile": b""}}
    role = f"arn:aws:iam::{HOME}:role/writes"
    world.aws.seed_function(HOME, VIRGINIA, {"FunctionName": "layered", "Role": role, **spec}, MODIFIED)


def test_verdicts_are_those_of_a_direct_audit_and_so_is_all_that_config_shows(recorded: World) -> None:
    awkward_fleet(recorded)

    direct, shown = take(SETTINGS), by_name(take())

    assert {name: str(one.verdict) for name, one in by_name(direct).items()} == {
        name: str(one.verdict) for name, one in shown.items()
    }
    # Environment variables are all that Config lacks here, and what they tell is not guessed.
    blind = [checks.judge(structs.replace(function, environment_keys=None)) for function in direct.functions]
    assert shown == {function.name: function for function in blind}
    assert {name: str(one.verdict) for name, one in shown.items()} == {
        "plain": "untraced",
        "traced": "traced",
        "mute": "untraced",
        "unowned": "untraced",
        "aliased": "untraced",
        "edge": "not_applicable",
        "fed": "not_applicable",
        "layered": "untraced",
    }
    assert (shown["traced"].team, shown["unowned"].team) == ("search-team", None)


def test_where_everything_is_recorded_there_is_no_gap(recorded: World) -> None:
    recorded.function("plain")

    seen = take()

    assert rows(seen) == []
    assert (seen.accounts, seen.regions, seen.open_places) == ((HOME, OTHER), (BERLIN, VIRGINIA), frozenset())


def test_nothing_is_listed_and_accounts_without_functions_are_left_alone(recorded: World) -> None:
    recorded.function("plain")

    take()

    actions = [call.action for call in recorded.aws.calls]
    assert not {"ListFunctions", "GetResources", "DescribeRegions"} & set(actions)
    assert actions.count("SelectAggregateResourceConfig") == 2  # functions, and recorders
    assert actions.count("AssumeRole") == actions.count("GetAccountAuthorizationDetails") == 1


def test_all_pages_are_read_a_hundred_rows_each(recorded: World) -> None:
    for number in range(205):
        recorded.function(f"many-{number:03}")

    seen = take()

    assert len(seen.functions) == 205
    assert [call.action for call in recorded.aws.calls].count("SelectAggregateResourceConfig") == 3 + 1


def test_without_configured_accounts_the_aggregator_decides_which_there_are(recorded: World) -> None:
    recorded.function("plain")
    recorded.function("other", account=OTHER)

    everything = take(replace(FROM_CONFIG, accounts=None))
    without = take(replace(FROM_CONFIG, accounts=None, exclude=Rules(accounts=(OTHER,))))

    assert everything.accounts == (HOME, OTHER)
    assert not everything.accounts_whole  # who drops out of it may be there all the same
    assert (without.accounts, set(by_name(without))) == ((HOME,), {"plain"})


def test_an_account_or_region_that_is_asked_for_narrows_the_query(recorded: World) -> None:
    recorded.function("plain")
    recorded.function("far", region=VIRGINIA)
    recorded.function("other", account=OTHER)

    assert set(by_name(take(accounts=[OTHER]))) == {"other"}
    assert set(by_name(take(regions=[VIRGINIA]))) == {"far"}
    assert rows(take(accounts=[THIRD])) == [(THIRD, "", "is not among the configured accounts")]
    elsewhere = take(replace(FROM_CONFIG, accounts=None), accounts=[THIRD])
    assert rows(elsewhere) == [(THIRD, "", "is not among the accounts that AWS Config shows")]


def test_a_region_without_a_recorder_is_not_taken_for_empty(recorded: World) -> None:
    recorded.aws.aggregators.aggregate(HOME, BERLIN, "view", [HOME, THIRD])
    recorded.function("plain")

    seen = take(replace(FROM_CONFIG, accounts=(HOME, THIRD)))

    assert [(account, region) for account, region, _ in rows(seen)] == [(THIRD, BERLIN), (THIRD, VIRGINIA)]
    assert "cannot tell whether there are none" in seen.not_scanned[0].reason


def test_an_account_that_the_aggregator_does_not_know_is_one_row(recorded: World) -> None:
    recorded.function("plain")

    seen = take(replace(FROM_CONFIG, accounts=(HOME, THIRD)))

    assert rows(seen) == [(THIRD, "", "AWS Config's aggregator shows nothing of the account")]
    assert (THIRD, "") in seen.unseen


def test_recorders_that_are_stopped_choosy_or_daily_and_failed_updates_are_said(recorded: World) -> None:
    recorded.function("plain")
    recorded.function("other", account=OTHER)
    recorded.aws.aggregators.stop(HOME, BERLIN)
    recorded.aws.aggregators.record(HOME, VIRGINIA, ["AWS::S3::Bucket"])
    recorded.aws.aggregators.record(OTHER, BERLIN, daily=True)
    recorded.aws.aggregators.fail(OTHER, VIRGINIA, "AccessDenied")

    seen = take()

    assert rows(seen) == [
        (
            ORGANIZATION,
            "",
            f"{OTHER} {BERLIN}: AWS Config records functions only once a day, so what is shown may be a day old",
        ),
        (HOME, BERLIN, "its recorder of AWS Config is stopped, so what is shown may be old"),
        (HOME, VIRGINIA, "its recorder of AWS Config leaves Lambda functions out"),
        (OTHER, VIRGINIA, "AWS Config's aggregator could not update what it shows (FAILED: AccessDenied)"),
    ]
    assert seen.open_places == {(HOME, BERLIN), (HOME, VIRGINIA), (OTHER, VIRGINIA)}
    assert set(by_name(seen)) == {"plain", "other"}


def test_an_account_whose_role_cannot_be_assumed_is_known_as_far_as_config_shows_it(recorded: World) -> None:
    recorded.function("dark", account=OTHER)
    recorded.function("lit", account=OTHER, mode="Active")
    recorded.aws.deny(action="AssumeRole")

    seen = take()
    found = by_name(seen)

    assert (found["dark"].verdict, found["lit"].verdict) == (Verdict.UNTRACED, Verdict.UNKNOWN)
    assert (found["lit"].role_may_write, found["lit"].aliases, found["lit"].team) == (None, None, "payments")
    [(account, region, reason)] = rows(seen)
    assert (account, region) == (OTHER, "")
    assert reason.startswith("only what AWS Config shows is known of its functions: sts:AssumeRole")


def test_without_a_role_to_assume_other_accounts_functions_are_unknown_and_not_traced(recorded: World) -> None:
    recorded.function("here", mode="Active")
    recorded.function("there", account=OTHER, mode="Active")

    found = by_name(take(replace(FROM_CONFIG, accounts=None, role=None)))

    assert (found["here"].verdict, found["there"].verdict) == (Verdict.TRACED, Verdict.UNKNOWN)


def test_roles_that_are_not_shown_make_an_active_function_unknown(recorded: World) -> None:
    recorded.function("lit", mode="Active")
    recorded.aws.deny(action="GetAccountAuthorizationDetails")

    seen = take()

    assert by_name(seen)["lit"].verdict is Verdict.UNKNOWN
    assert "execution roles could not be read" in seen.not_scanned[0].reason


def test_an_aggregator_that_may_not_be_read_is_one_line(recorded: World) -> None:
    recorded.aws.deny(service="config")

    with pytest.raises(Denied) as caught:
        take()

    line = str(caught.value)
    assert line.startswith(f"AWS Config's aggregator view in account {HOME}, {BERLIN} may not be read")
    assert "allow config:SelectAggregateResourceConfig" in line
    assert 'source = "lambda"' in line
    assert "\n" not in line


def test_an_aggregator_that_is_not_there_is_one_line(recorded: World) -> None:
    with pytest.raises(AwsProblem) as caught:
        take(replace(FROM_CONFIG, aggregator=Aggregator("view", VIRGINIA)))

    said = f"AWS Config has no aggregator view in account {HOME}, {VIRGINIA}: "
    assert str(caught.value) == said + "correct aggregator or aggregator_region in [aws]"


def test_an_aggregator_that_shows_nothing_is_no_empty_cloud(world: World) -> None:
    world.aws.aggregators.aggregate(HOME, BERLIN, "view")

    with pytest.raises(AwsProblem, match="aggregator view shows nothing"):
        take(replace(FROM_CONFIG, accounts=None))


def test_what_is_said_about_the_aggregator_itself_may_be_refused(recorded: World) -> None:
    recorded.function("plain")
    recorded.aws.deny(action="DescribeConfigurationAggregatorSourcesStatus")

    seen = take()

    assert set(by_name(seen)) == {"plain"}
    [(account, _, reason)] = rows(seen)
    assert account == ORGANIZATION
    assert reason.startswith("whether AWS Config's aggregator is up to date could not be read: config:Describe")


def test_a_function_without_its_configuration_leaves_its_place_open(recorded: World) -> None:
    recorded.function("plain")
    recorded.aws.aggregators.lose_configuration(recorded.function("half"))

    seen = take()

    assert set(by_name(seen)) == {"plain"}
    assert rows(seen) == [(HOME, BERLIN, "AWS Config shows functions without their configuration")]


def test_an_organizations_accounts_are_held_against_what_the_aggregator_shows(recorded: World) -> None:
    recorded.aws.organizations.found(HOME, {HOME: "management", OTHER: "payments", THIRD: "search"})
    recorded.function("other", account=OTHER)

    seen = take(replace(FROM_CONFIG, accounts=None, organization=True, exclude=Rules(names=("manage*",))))

    assert (set(by_name(seen)), seen.accounts, seen.accounts_whole) == ({"other"}, (OTHER, THIRD), True)
    assert rows(seen) == [(THIRD, "", "search: AWS Config's aggregator shows nothing of the account")]


class BreaksOff(BaseHTTPRequestHandler):
    """Shows one function, and refuses the next page and everything else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if "GetCallerIdentity" in body:
            self.answer(200, f"<a><Arn>arn:aws:iam::{HOME}:user/nobody</Arn><Account>{HOME}</Account></a>")
        elif action == "SelectAggregateResourceConfig" and "Recorder" in body:
            self.answer(200, '{"Results": []}')
        elif action == "SelectAggregateResourceConfig" and "NextToken" not in body:
            self.answer(200, json.dumps({"Results": [row()], "NextToken": "more"}))
        else:
            self.answer(400, '{"__type": "AccessDeniedException", "message": "no"}')

    def do_GET(self) -> None:
        self.answer(403, '{"message": "no"}')

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_what_was_shown_before_the_query_broke_off_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BreaksOff) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        seen = take(replace(FROM_CONFIG, accounts=(HOME,), role=None))
        server.shutdown()
        serving.join()

    assert [function.name for function in seen.functions] == ["refund"]
    assert (HOME, "") in seen.open_places
    said = [reason for account, _, reason in rows(seen) if account == ORGANIZATION]
    assert [reason.partition(": ")[0] for reason in said] == [
        "whether AWS Config's aggregator is up to date could not be read",
        "only the first 1 functions were listed",
    ]


# ---- rows


def row(name: str = "refund", **configuration: Any) -> str:
    arn = f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}"
    described = {"functionName": name, "role": "arn:aws:iam::1:role/r", **configuration}
    return json.dumps({"accountId": HOME, "awsRegion": BERLIN, "arn": arn, "configuration": described})


def shown(*texts: object) -> config_rows.Shown:
    found = config_rows.Shown()
    found.take_functions(texts)
    return found


@pytest.mark.parametrize(
    "strange",
    [
        "{",
        "[]",
        "null",
        "7",
        {"arn": "x"},
        None,
        json.dumps({"accountId": HOME, "awsRegion": BERLIN}),
        json.dumps({"accountId": "", "awsRegion": BERLIN, "arn": "x"}),
        row(lastModified="yesterday"),
        row(layers=["arn"]),
        row(tracingConfig="Active"),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_is_counted_and_leaves_everything_open(strange: object) -> None:
    found = shown(row(), strange)

    gaps = config_gaps.find(found, [HOME, OTHER], [BERLIN])

    assert (found.rows, found.unreadable, len(found.functions[HOME, BERLIN])) == (2, 1, 1)
    assert {(HOME, ""), (OTHER, "")} <= gaps.open_places
    assert gaps.rows[0].reason == "1 of AWS Config's rows could not be read"


def test_a_mode_that_is_missing_or_new_is_none_that_is_active() -> None:
    found = shown(row("a"), row("b", tracingConfig={"mode": "Later"}), row("c", tracingConfig={"mode": "Active"}))

    modes = [one.mode for one in found.functions[HOME, BERLIN].values()]
    assert modes == [None, None, TracingMode.ACTIVE]


def test_a_function_that_is_shown_twice_is_one() -> None:
    assert len(shown(row(), row()).functions[HOME, BERLIN]) == 1


def test_a_replica_is_told_by_its_name() -> None:
    [replica] = shown(row("us-east-1.resizer")).functions[HOME, BERLIN].values()

    assert replica.replica


def test_a_query_stays_within_its_length_and_names_nothing_but_accounts_and_regions() -> None:
    many = [f"{number:012}" for number in range(1_000)]

    query = config_rows.functions_query(many, [BERLIN])

    assert len(query) <= 4096
    assert query.endswith(f"awsRegion IN ('{BERLIN}')")
    with pytest.raises(ValueError, match="neither an account nor a region"):
        config_rows.functions_query(["1' OR '1' = '1"], None)


def in_small_letters(said: Any) -> Any:
    """With the first letter of each key small, as Config's own API spells them."""
    if isinstance(said, dict):
        return {key[0].lower() + key[1:]: in_small_letters(value) for key, value in said.items()}
    return [in_small_letters(each) for each in said] if isinstance(said, list) else said


@pytest.mark.parametrize(
    ("group", "mode", "recorded"),
    [
        ({"AllSupported": True}, {}, (True, False)),
        ({"RecordingStrategy": {"UseOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}, None, (True, False)),
        ({"ResourceTypes": ["AWS::Lambda::Function"]}, {"RecordingFrequency": "DAILY"}, (True, True)),
        ({"ResourceTypes": ["AWS::S3::Bucket"]}, {}, (False, False)),
        (
            {
                "RecordingStrategy": {"UseOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "ExclusionByResourceTypes": {"ResourceTypes": ["AWS::Lambda::Function"]},
            },
            {},
            (False, False),
        ),
        (
            {"AllSupported": True},
            {
                "RecordingFrequency": "CONTINUOUS",
                "RecordingModeOverrides": [{"ResourceTypes": ["AWS::Lambda::Function"], "RecordingFrequency": "DAILY"}],
            },
            (True, True),
        ),
    ],
    ids=["all", "all by strategy", "a list, daily", "another list", "all but", "daily by override"],
)
@pytest.mark.parametrize("spelled", [lambda said: said, in_small_letters], ids=["RecordingGroup", "recordingGroup"])
def test_a_recorder_says_whether_it_records_functions_and_how_often(
    group: dict[str, Any],
    mode: dict[str, Any] | None,
    recorded: tuple[bool, bool],
    spelled: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    configuration = spelled({"Recording": True, "RecordingGroup": group, "RecordingMode": mode})
    found = config_rows.Shown()
    found.take_recorders([json.dumps({"accountId": HOME, "awsRegion": BERLIN, "configuration": configuration})])

    recorder = found.recorders[HOME, BERLIN]
    assert (recorder.recording, recorder.functions, recorder.daily) == (True, *recorded)


def test_many_places_with_one_reason_share_a_row_and_stay_open_each() -> None:
    accounts = [f"{number:012}" for number in range(1, 101)]
    found = config_rows.Shown()
    found.take_sources([{"SourceId": account, "SourceType": "ACCOUNT", "AwsRegion": BERLIN} for account in accounts])

    gaps = config_gaps.find(found, accounts, [BERLIN, VIRGINIA])

    assert len(gaps.open_places) == 200
    [one] = gaps.rows
    assert (one.account, one.region) == (ORGANIZATION, "")
    assert one.reason.startswith(
        f"000000000001 {BERLIN}, 000000000001 {VIRGINIA}, 000000000002 {BERLIN} and 197 more: "
    )


def test_a_list_that_broke_off_leaves_everything_open() -> None:
    gaps = config_gaps.find(shown(row()), [HOME], [BERLIN], ["only the first 100 functions were listed: throttled"])

    assert gaps.rows[0].reason == "only the first 100 functions were listed: throttled"
    assert (HOME, "") in gaps.open_places


def test_an_organization_that_the_aggregator_could_not_list_is_said() -> None:
    found = shown(row())
    found.take_sources(
        [{"SourceId": "Organization", "SourceType": "ORGANIZATION", "AwsRegion": BERLIN, "LastUpdateStatus": "FAILED"}]
    )

    [one] = config_gaps.find(found, [HOME], [BERLIN]).rows

    assert (one.account, one.region) == (ORGANIZATION, BERLIN)
    assert one.reason == "AWS Config's aggregator could not list it (FAILED)"


# ---- what an audit remembers


def test_a_function_is_gone_only_where_its_region_is_known_to_be_recorded(recorded: World) -> None:
    gone, perhaps = recorded.function("gone"), recorded.function("perhaps", region=VIRGINIA)
    recorded.audit()
    recorded.lambdas().delete_function(FunctionName="gone")
    recorded.aws.aggregators.record(HOME, VIRGINIA, ["AWS::S3::Bucket"])

    recorded.audit(recorded.configured(aggregator=Aggregator("view")))

    assert recorded.store.functions.get(gone) is None
    assert recorded.known(perhaps).name == "perhaps"


def test_a_change_that_config_does_not_show_yet_is_not_taken_for_undone(recorded: World, clock: HandClock) -> None:
    arn = recorded.function("fixed")
    recorded.aws.aggregators.stop(HOME, BERLIN)  # it shows PassThrough from now on
    recorded.aws.seed_tracing_mode(arn, "Active", MODIFIED.replace(day=20))
    recorded.audit()
    assert recorded.known(arn).verdict is Verdict.TRACED

    taken = recorded.audit(recorded.configured(aggregator=Aggregator("view")))

    assert recorded.known(arn).verdict is Verdict.TRACED
    assert taken.functions == 1
    assert [one.name for one in recorded.store.functions.seen_since(taken.started_at)] == ["fixed"]


def test_one_function_is_asked_of_lambda_itself(recorded: World) -> None:
    arn = recorded.function("fixed")
    recorded.aws.aggregators.stop(HOME, BERLIN)
    recorded.aws.seed_tracing_mode(arn, "Active", MODIFIED)

    now = read_function(Cloud(FROM_CONFIG), HOME, BERLIN, "fixed", ("team",))

    assert (now.mode, now.role_may_write) == (TracingMode.ACTIVE, MayWrite.YES)
