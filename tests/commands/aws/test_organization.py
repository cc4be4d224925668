"""An audit of an organization: who is listed, who is chosen, and what is said of whom AWS will not show."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.demo.aws import AwsStandIn
from commands.aws import identity, selection
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.errors import AwsProblem, Denied, Throttled
from commands.aws.inventory import take_inventory
from commands.aws.scope import Rules
from commands.aws.sweep import Sweep
from commands.aws.wire import Retries, Wire
from storage.models import NotScanned

HOME = "123456789012"  # the management account
TEAMS = [f"2{number:011d}" for number in range(47)]
BERLIN, VIRGINIA = "eu-central-1", "us-east-1"
WORK, PAYMENTS, SANDBOX = "ou-l4mp-workload", "ou-l4mp-payments", "ou-l4mp-sandbox0"
HASTY = Retries(first_wait=0.001, throttled=3, refused=2)
SETTINGS = AwsSettings(organization=True, role="audit", calls_per_second=0)
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def trusting(**principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class World:
    """48 accounts. The first dozen of the teams are workloads, and the first three of these belong to payments."""

    def __init__(self, aws):
        self.aws, self.organizations = aws, aws.organizations
        self.organizations.found(HOME, {HOME: "management", **{one: f"team-{int(one[1:])}" for one in TEAMS}})
        self.organizations.unit(HOME, WORK, TEAMS[3:12])
        self.organizations.unit(HOME, PAYMENTS, TEAMS[:3], parent=WORK)
        self.organizations.unit(HOME, SANDBOX, TEAMS[40:])

    def roles(self, *accounts):
        for account in accounts:
            self.aws.create_role(account, "audit", trusting(AWS=f"arn:aws:iam::{HOME}:root"), inline={"all": READS})

    def function(self, name, account, region=BERLIN):
        role = self.aws.create_role(account, f"{name}-role", trusting(Service="lambda.amazonaws.com"))
        spec = {"FunctionName": name, "Role": role, "Runtime": "python3.13", "Handler": "app.handler"}
        code = {"Code": {"ZipFile": b""}}
        return self.aws.seed_function(account, region, spec | code, datetime(2026, 11, 1, tzinfo=UTC))

    def chosen(self, wanted=None, retries=HASTY, **settings):
        def choose(cloud, wire):
            return selection.choose(cloud, wire, wanted, lambda: identity.home(cloud, wire))

        return self.on_the_wire(choose, retries, **settings)

    def swept(self, **settings):
        """A whole audit whose calls are not tried for minutes."""
        return self.on_the_wire(lambda cloud, wire: Sweep(cloud, wire, ("team",), None).run(None, None), **settings)

    def on_the_wire(self, use, retries=HASTY, **settings):
        async def talk():
            cloud = Cloud(replace(SETTINGS, **settings))
            async with Wire(cloud.endpoints, paces=cloud.paces, retries=retries) as wire:
                return await use(cloud, wire)

        return asyncio.run(talk())

    def asked(self, action):
        return [call for call in self.aws.calls if call.action == action]


@pytest.fixture
def world(monkeypatch, tmp_path):
    with AwsStandIn(calls_per_second=None, aws_policies=False) as aws:
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


# ---- who is listed


@pytest.mark.parametrize("empty", [False, True], ids=["full pages", "empty pages between"])
@pytest.mark.parametrize("dated", [False, True], ids=["State", "Status"])
def test_every_active_account_is_chosen_over_all_pages(world, empty, dated):
    world.organizations.empty_pages, world.organizations.dated = empty, dated
    for account, state in zip(TEAMS[:4], ("SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"), strict=True):
        world.organizations.member(account).state = state

    chosen = world.chosen()

    assert chosen.ids == (HOME, *TEAMS[4:])
    assert (chosen.not_scanned, chosen.whole, chosen.management) == ((), True, HOME)
    assert len(world.asked("ListAccounts")) == (6 if empty else 3)


def test_organizations_is_asked_in_its_own_region(world):
    world.chosen()

    assert {call.region for call in world.asked("ListAccounts")} == {VIRGINIA}


def test_names_are_kept_and_addresses_are_not(world):
    world.organizations.member(TEAMS[0]).name = "ops (ana@example.com)"

    chosen = world.chosen()

    assert "team-1" in repr(chosen)
    assert "@" not in repr(chosen)


def test_a_delegated_administrator_may_ask(world, monkeypatch):
    key, secret = world.aws.create_user(TEAMS[5], "bot", READS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with pytest.raises(Denied) as refused:
        world.chosen()

    world.organizations.delegate(TEAMS[5])

    assert len(world.chosen().accounts) == 48
    said = str(refused.value)
    assert said.startswith(f"organizations:ListAccounts was refused to account {TEAMS[5]}. ")
    assert "management account and its delegated administrators" in said
    assert 'accounts = ["111122223333"]' in said
    assert "AccessDeniedException" in said
    assert "\n" not in said


def test_an_account_without_an_organization_is_told_to_list_accounts(world, monkeypatch):
    key, secret = world.aws.create_user("999999999999", "bot", READS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)

    with pytest.raises(AwsProblem) as refused:
        world.chosen()

    assert str(refused.value) == (
        'Account 999999999999 is in no AWS organization: list the accounts, as in accounts = ["111122223333"]'
    )


def test_a_first_page_that_does_not_come_ends_it(world):
    world.aws.throttle(99, service="organizations")

    with pytest.raises(Throttled, match=f"organizations:ListAccounts in account {HOME}, {BERLIN}: TooManyRequests"):
        world.chosen()


def test_throttles_are_waited_out(world):
    world.aws.throttle(2, service="organizations")

    assert len(world.chosen().accounts) == 48


@pytest.mark.parametrize("empty", [False, True], ids=["full pages", "empty pages between"])
def test_a_list_that_breaks_off_says_so_and_what_came_is_audited(world, empty):
    world.organizations.empty_pages, world.organizations.breaks_off = empty, "TooManyRequestsException"

    chosen = world.chosen()

    assert (len(chosen.accounts), chosen.whole) == (20, False)
    (row,) = chosen.not_scanned
    assert (row.account, row.region) == ("organization", "")
    assert row.reason.startswith("only the first 20 accounts were listed: organizations:ListAccounts in account")
    assert "TooManyRequestsException" in row.reason


def test_a_list_that_broke_off_before_anybody_who_is_meant_is_no_empty_cloud(world):
    world.organizations.breaks_off = "AccessDeniedException"

    chosen = world.chosen(include=Rules(names=("team-46",)))

    assert (chosen.ids, chosen.whole) == ((), False)
    assert [row.account for row in chosen.not_scanned] == ["organization"]


# ---- who is chosen


def named(*numbers):
    return tuple(TEAMS[number] for number in numbers)


@pytest.mark.parametrize(
    ("include", "exclude", "ids"),
    [
        pytest.param(Rules(accounts=named(5, 7)), Rules(), named(5, 7), id="ids"),
        pytest.param(Rules(units=(PAYMENTS,)), Rules(), named(0, 1, 2), id="a unit"),
        pytest.param(Rules(units=(WORK,)), Rules(), named(*range(12)), id="a unit with those below it"),
        pytest.param(Rules(units=("r-l4mp",)), Rules(accounts=tuple(TEAMS[1:])), (HOME, TEAMS[0]), id="the root"),
        pytest.param(Rules(units=(WORK,)), Rules(units=(PAYMENTS,)), named(*range(3, 12)), id="a unit less another"),
        pytest.param(Rules(names=("team-4?",)), Rules(), named(*range(40, 47)), id="names"),
        pytest.param(Rules(names=("team-4?",)), Rules(names=("*5",)), named(40, 41, 42, 43, 44, 46), id="less names"),
        pytest.param(Rules(tags=("env=prod",)), Rules(), named(3, 4), id="a tag"),
        pytest.param(Rules(tags=("env",)), Rules(tags=("frozen",)), named(3, 13), id="a key less another"),
        pytest.param(Rules(units=(PAYMENTS,), tags=("env=prod",)), Rules(), named(0, 1, 2, 3, 4), id="either"),
    ],
)
@pytest.mark.parametrize("dated", [False, True], ids=["Paths", "the tree"])
def test_rules_choose_alike_whether_accounts_say_where_they_are_or_the_tree_is_walked(
    world, include, exclude, ids, dated
):
    world.organizations.dated = dated
    world.organizations.empty_pages = True
    for number, tags in {3: {"env": "prod"}, 4: {"env": "prod", "frozen": ""}, 13: {"env": "test"}}.items():
        world.organizations.member(TEAMS[number]).tags = tags

    chosen = world.chosen(include=include, exclude=exclude)

    assert chosen.ids == ids
    assert chosen.not_scanned == ()
    walked = bool(include.units or exclude.units) and dated
    assert bool(world.asked("ListAccountsForParent")) is walked


def test_tags_are_asked_only_of_whom_the_other_rules_leave_open(world):
    world.organizations.member(TEAMS[2]).tags = {"audit": "no"}

    chosen = world.chosen(include=Rules(units=(PAYMENTS,)), exclude=Rules(names=("team-0",), tags=("audit=no",)))

    assert chosen.ids == (TEAMS[1],)
    assert len(world.asked("ListTagsForResource")) == 2


def test_where_tags_are_denied_an_account_is_neither_in_nor_out(world):
    world.aws.deny(action="ListTagsForResource")

    chosen = world.chosen(include=Rules(accounts=named(3), units=(PAYMENTS,)), exclude=Rules(tags=("audit=no",)))

    assert (chosen.accounts, chosen.unread) == ((), named(0, 1, 2, 3))
    assert [row.account for row in chosen.not_scanned] == list(named(0, 1, 2, 3))
    reason = chosen.not_scanned[0].reason
    assert reason.startswith("whether it is to be audited could not be decided: organizations:ListTagsForResource")
    assert "AccessDenied" in reason


def test_where_the_tree_is_denied_only_those_are_undecided_of_whom_it_matters(world):
    world.organizations.dated = True
    world.aws.deny(action="ListOrganizationalUnitsForParent")

    chosen = world.chosen(include=Rules(accounts=named(0, 3, 20), units=(WORK,)), exclude=Rules(names=("team-4*",)))

    known = named(0, 3, *range(5, 12), 20)
    assert tuple(account.id for account in chosen.accounts) == known
    assert set(chosen.unread) == {HOME, *TEAMS} - {*known, *named(4, *range(40, 47))}
    assert {row.account for row in chosen.not_scanned} == set(chosen.unread)


@pytest.mark.parametrize(
    ("include", "account", "reason"),
    [
        (Rules(accounts=("999999999999", *TEAMS[:1])), "999999999999", "is no account of the organization"),
        (Rules(accounts=tuple(TEAMS[:2])), TEAMS[1], "is SUSPENDED in the organization"),
    ],
)
def test_who_is_included_by_an_id_and_cannot_be_audited_is_said(world, include, account, reason):
    world.organizations.member(TEAMS[1]).state = "SUSPENDED"

    chosen = world.chosen(include=include)

    assert chosen.not_scanned == (NotScanned(account, "", reason),)
    assert chosen.ids == (TEAMS[0], account)
    assert world.chosen(include=include, exclude=Rules(accounts=(account,))).not_scanned == ()


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (TEAMS[0], None),
        (TEAMS[1], "is SUSPENDED in the organization"),
        (TEAMS[20], "is left out by [aws.include] or [aws.exclude]"),
        ("999999999999", "is no account of the organization"),
    ],
)
def test_one_account_of_the_organization_may_be_wanted(world, wanted, reason):
    world.organizations.member(TEAMS[1]).state = "SUSPENDED"

    chosen = world.chosen([wanted], include=Rules(units=(WORK,)))

    assert chosen.ids == ((wanted,) if reason is None else ())
    assert [row.reason for row in chosen.not_scanned] == ([reason] if reason else [])


def test_who_is_wanted_from_a_list_that_broke_off_may_be_there_all_the_same(world):
    world.organizations.breaks_off = "AccessDeniedException"

    rows = world.chosen([TEAMS[40]]).not_scanned

    assert rows[1] == NotScanned(TEAMS[40], "", "is not among the accounts that could be listed")


def test_rules_that_leave_nobody_are_told_and_not_an_empty_cloud(world):
    with pytest.raises(AwsProblem, match=r"^\[aws.include\] and \[aws.exclude\] leave no account: loosen them$"):
        world.chosen(include=Rules(names=("nobody-*",)))


def test_a_rule_that_names_nobody_is_logged(world, caplog):
    world.chosen(include=Rules(names=("team-*", "taem-*")), exclude=Rules(units=("ou-l4mp-notthere",)))

    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "[aws.include] taem-* names no active account of the organization",
        "[aws.exclude] ou-l4mp-notthere names no active account of the organization",
    ]


def test_a_list_of_ids_is_narrowed_by_ids(world):
    chosen = world.chosen(organization=False, accounts=tuple(TEAMS[:3]), exclude=Rules(accounts=named(1)))

    assert chosen.ids == named(0, 2)
    assert world.asked("ListAccounts") == []


def test_what_is_not_known_of_a_listed_id_leaves_it_undecided(world):
    chosen = world.chosen(organization=False, accounts=tuple(TEAMS[:1]), exclude=Rules(names=("x",)))

    assert (chosen.accounts, chosen.unread) == ((), named(0))
    assert 'only with accounts = "organization" are names' in chosen.not_scanned[0].reason


# ---- what is audited


def test_an_audit_of_everybody_says_of_each_what_it_could_not_see(world):
    aws, (denied, dark, throttled, suspended) = world.aws, TEAMS[:4]
    world.roles(*TEAMS)
    for account in TEAMS[:6]:
        world.function(f"fn-{account[-2:]}", account)
        world.function(f"far-{account[-2:]}", account, VIRGINIA)
    world.organizations.member(suspended).state = "SUSPENDED"
    aws.deny(account=denied)  # the calls of the audit role; it can be assumed, and do nothing
    aws.deny(account=dark, region=VIRGINIA, service="lambda")
    aws.throttle(99, account=throttled, region=BERLIN, action="ListFunctions")

    seen = world.swept(regions=(BERLIN, VIRGINIA), exclude=Rules(accounts=(HOME,)))

    rows = {(row.account, row.region): row.reason for row in seen.not_scanned}
    assert rows.keys() == {(denied, BERLIN), (denied, VIRGINIA), (dark, VIRGINIA), (throttled, BERLIN)}
    assert rows[dark, VIRGINIA].startswith("team-1: lambda:ListFunctions in account")
    assert "AccessDenied" in rows[dark, VIRGINIA]
    assert "TooManyRequestsException" in rows[throttled, BERLIN]
    names = {function.name for function in seen.functions}
    assert names == {"fn-01", "far-02", "fn-04", "far-04", "fn-05", "far-05"}
    assert len(seen.accounts) == 46
    assert suspended not in seen.accounts


def test_an_account_whose_role_cannot_be_assumed_is_a_row_and_the_management_account_says_more(world):
    world.roles(*TEAMS[1:])

    seen = world.swept(regions=(BERLIN,))

    rows = {row.account: row.reason for row in seen.not_scanned}
    assert rows.keys() == {HOME, TEAMS[0]}
    assert rows[TEAMS[0]].startswith(f"team-0: sts:AssumeRole in account {HOME}, {BERLIN}: AccessDenied")
    assert f"arn:aws:iam::{TEAMS[0]}:role/audit" in rows[TEAMS[0]]
    assert rows[HOME].startswith(
        "management: StackSets leave the management account out, so make the audit role there by itself, "
        "or name the account under [aws.exclude]: sts:AssumeRole in account"
    )


def test_the_management_account_is_audited_where_it_has_the_role(world):
    world.roles(HOME)
    world.function("own", HOME)

    seen = world.swept(include=Rules(accounts=(HOME,)))

    assert [function.name for function in seen.functions] == ["own"]
    assert seen.not_scanned == ()


def test_a_region_that_is_denied_everywhere_is_a_row_in_each_account(world):
    world.roles(*TEAMS[:3])
    for account in TEAMS[:3]:
        world.function("refund", account)
    world.aws.deny(region=VIRGINIA, service="lambda")

    seen = take_inventory(Cloud(replace(SETTINGS, include=Rules(units=(PAYMENTS,)))), tag_keys=("team",))

    assert [(row.account, row.region) for row in seen.not_scanned] == [(account, VIRGINIA) for account in TEAMS[:3]]
    assert len(seen.functions) == 3


def test_each_account_is_read_in_the_regions_that_it_has_enabled(world):
    world.roles(*TEAMS[:2])
    world.aws.regions.enable(TEAMS[0], (BERLIN, "eu-south-1"))

    world.swept(include=Rules(accounts=named(0, 1)))

    assert {(call.account, call.region) for call in world.asked("ListFunctions")} == {
        (TEAMS[0], BERLIN), (TEAMS[0], "eu-south-1"), (TEAMS[1], BERLIN), (TEAMS[1], VIRGINIA)
    }  # fmt: skip
