"""lamplighter.toml and the environment: what is taken, and what is refused by name with the way to mend it."""

from decimal import Decimal
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.auditing import AccountRules
from bot.config import Config, ConfigProblem, File, load, require_slack
from bot.people import people_of
from commands._budget_rules import BudgetRules, SpendRules
from commands._grace import Grace
from commands._production import Production, TwoPeople
from commands._types import FixPolicy
from commands.aws.accounts import Aggregator
from storage.models import team_name

SETTINGS = (
    "SLACK_BOT_TOKEN SLACK_APP_TOKEN SLACK_SIGNING_SECRET SLACK_API_URL LAMPLIGHTER_CONFIG LAMPLIGHTER_DATABASE"
).split()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def reading(text: str) -> Config:
    Path("lamplighter.toml").write_text(text, encoding="utf-8")
    return load()


def refused(text: str) -> str:
    with pytest.raises(ConfigProblem) as problem:
        reading(text)
    return str(problem.value)


QUEUE = "https://sqs.eu-central-1.amazonaws.com/111122223333/lamplighter-events"
KEYS = [  # section, key, a good value, what comes of it, a bad value, what the line says besides the key
    ("aws", "accounts", '["111122223333"]', ["111122223333"], '["1111"]', "'1111' should look like"),
    ("aws", "accounts", '["111122223333"]', ["111122223333"], "[]", "at least 1"),
    ("aws", "accounts", '["111122223333"]', ["111122223333"], "[111122223333]", "valid string"),
    ("aws", "accounts", '["111122223333"]', ["111122223333"], '"organisation"', 'should be "organization", or a list'),
    ("aws", "accounts", '["111122223333"]', ["111122223333"], '"111122223333"', 'or a list of ids like ["1'),
    ("aws", "accounts", '["111122223333"]', ["111122223333"], "5", "valid list"),
    ("aws.include", "accounts", '["111122223333"]', ["111122223333"], '["x"]', "'x' should look like"),
    ("aws.exclude", "accounts", '["111122223333"]', ["111122223333"], "[]", "at least 1"),
    ("aws.include", "units", '["ou-ab12-11112222"]', ["ou-ab12-11112222"], '["Prod"]', "'Prod' should look like"),
    ("aws.exclude", "units", '["r-ab12"]', ["r-ab12"], '["o-ab12cd34ef"]', "(an organizational unit)"),
    ("aws.include", "names", '["payments-*"]', ["payments-*"], '[""]', "'' should look like"),
    ("aws.include", "tags", '["env=prod", "audited"]', ["env=prod", "audited"], '["=prod"]', '"env=prod"'),
    ("aws", "regions", '["eu-central-1"]', ["eu-central-1"], '["Frankfurt"]', "'Frankfurt' should look like"),
    ("aws", "regions", '["us-gov-west-1"]', ["us-gov-west-1"], "[]", "at least 1"),
    ("aws", "role", '"path/lamplighter-audit"', "path/lamplighter-audit", '"a b"', "'a b' should look like"),
    ("aws", "fix_role", '"lamplighter-fix"', "lamplighter-fix", '"arn:aws:iam::1:role/x"', "without its account"),
    ("aws", "external_id", '"lamplighter-4f9a"', "lamplighter-4f9a", '"x"', "should look like"),
    ("events", "queue_url", f'"{QUEUE}"', QUEUE, '"arn:aws:sqs:eu-central-1:1:x"', "the address of a queue"),
    ("events", "queue_url", '"http://127.0.0.1:4566/1/q"', "http://127.0.0.1:4566/1/q", '"lamplighter"', "https://sqs"),
    ("events", "region", '"eu-west-1"', "eu-west-1", '"Ireland"', "'Ireland' should look like"),
    ("events", "debounce_seconds", "5", 5.0, "61", "60"),
    ("aws", "source", '"lambda"', "lambda", '"cloudtrail"', "'lambda' or 'config'"),
    ("aws", "aggregator", '"organization-view"', "organization-view", '"a b"', '"organization-view"'),
    ("aws", "aggregator_region", '"eu-central-1"', "eu-central-1", '"Frankfurt"', "'Frankfurt' should look like"),
    ("aws", "calls_per_second", "12.5", 12.5, "16", "less than or equal to 15"),
    ("aws", "calls_per_second", "0", 0, "-1", "greater than or equal to 0"),
    ("scan", "pool", '"local"', "local", '"scheduler:8786"', '"tcp://scheduler:8786"'),
    ("scan", "pool", '"tcp://10.0.0.5:8786"', "tcp://10.0.0.5:8786", '"tcp://scheduler"', '"tcp://scheduler:8786"'),
    ("scan", "pool", '"tls://[fd00::5]:8786"', "tls://[fd00::5]:8786", '"http://scheduler:8786"', '"local"'),
    ("scan", "pool", '"tls://dask.internal:8786"', "tls://dask.internal:8786", '"cluster"', '"local"'),
    ("teams", "tag_keys", '["squad"]', ["squad"], '"team"', "valid list"),
    ("teams", "tag_keys", '["squad"]', ["squad"], "[]", "at least 1"),
    ("teams", "channel", '"#{team}-alerts"', "#{team}-alerts", '"#alerts"', '"#team-{team}"'),
    ("teams", "fallback_channel", '"C0123456789"', "C0123456789", '"finops"', '"#finops"'),
    ("teams.channels", "payments", '"#money"', "#money", '"money"', '"#finops"'),
    ("teams", "channel_tag", '"slack-channel"', "slack-channel", '""', '"slack-channel", the key of a tag'),
    ("teams.aliases", "payments", '["pay", "Payments Team"]', ["pay", "Payments Team"], '"pay"', "valid list"),
    ("teams.aliases", "payments", '["pay"]', ["pay"], "[]", "at least 1"),
    ("teams.aliases", "payments", '["pay"]', ["pay"], '[" _ "]', "a team as its tag names it"),
    ("teams.groups", "payments", '"S0123456789"', "S0123456789", '"@payments"', "(a user group)"),
    ("schedule", "daily", '"09:00"', "09:00", '"9:00"', "write one like 09:00"),
    ("schedule", "daily", '"23:59"', "23:59", '"24:00"', "write one like 09:00"),
    ("schedule", "daily", '"00:00"', "00:00", "09:00:00", "valid string"),
    ("schedule", "timezone", '"Europe/Berlin"', "Europe/Berlin", '"Berlin"', "write one like Europe/Berlin"),
    ("schedule", "timezone", '"UTC"', "UTC", '"../etc/passwd"', "write one like Europe/Berlin"),
    ("schedule", "days", '["mon", "sat"]', ["mon", "sat"], '["monday"]', "'monday' should be"),
    ("schedule", "days", '["mon"]', ["mon"], "[]", "at least 1"),
    ("schedule", "weekly", '"fri"', "fri", '"Friday"', "'Friday' should be"),
    ("schedule", "frequency", '"weekly"', "weekly", '"hourly"', "'daily', 'weekly' or 'never'"),
    ("schedule.teams.payments", "daily", '"10:30"', "10:30", '"half past ten"', "write one like 09:00"),
    ("schedule.teams.payments", "timezone", '"Asia/Tokyo"', "Asia/Tokyo", '"Tokyo"', "write one like Europe/Berlin"),
    ("schedule.teams.payments", "days", '["sun"]', ["sun"], '"sun"', "valid list"),
    ("schedule.teams.payments", "weekly", '"tue"', "tue", "2", 'should be "mon"'),
    ("schedule.teams.payments", "frequency", '"never"', "never", "false", "'daily', 'weekly' or 'never'"),
    ("policy", "approvers", '["U0ANA", "S0GROUP"]', ["U0ANA", "S0GROUP"], '["@ana"]', "'@ana' should look like"),
    ("policy", "deny", '["U0EVE", "S0GROUP"]', ["U0EVE", "S0GROUP"], '["eve"]', "'eve' should look like"),
    ("policy", "two_people", '"production"', "production", '"prod"', "'never', 'production' or 'always'"),
    ("policy", "request_hours", "1.5", 1.5, "0", "greater than or equal to 0.1"),
    ("policy", "request_hours", "720", 720, "721", "less than or equal to 720"),
    ("policy", "undo_hours", "0", 0, "-1", "greater than or equal to 0"),
    ("policy", "managed", '"patch"', "patch", '"both"', "'fix' or 'patch'"),
    ("policy", "managed_roles", '"fix"', "fix", "true", "'fix' or 'patch'"),
    ("policy", "fixes_per_second", "2.5", 2.5, "11", "less than or equal to 10"),
    ("policy", "largest_batch", "50", 50, "0", "greater than or equal to 1"),
    ("policy", "largest_batch", "1000", 1000, '"many"', "valid"),
    ("policy", "exemption_days", "30", 30, "0", "greater than or equal to 1"),
    ("policy", "exemption_max_days", "180", 180, "366", "less than or equal to 365"),
    ("policy", "exemption_two_people", '"production"', "production", "true", "'never', 'production' or 'always'"),
    ("policy.grace", "teams", '"all"', "all", '"payments"', "'payments' should be \"all\", or a list of teams like"),
    ("policy.grace", "teams", '["payments"]', ["payments"], "[]", "at least 1"),
    ("policy.grace", "teams", '["Data Platform"]', ["Data Platform"], '[" _"]', "' _' should look like \"payments\""),
    ("policy.teams.payments", "approvers", '["W0BO"]', ["W0BO"], '"W0BO"', "valid list"),
    ("policy.teams.payments", "deny", '["W0BO"]', ["W0BO"], '["C0PAY"]', "'C0PAY' should look like"),
    ("production", "accounts", '["111122223333"]', ["111122223333"], '["prod"]', "'prod' should look like"),
    ("production", "names", '["*-prod"]', ["*-prod"], "[]", "at least 1"),
    ("production", "tags", '["env=prod", "critical"]', ["env=prod", "critical"], '["=prod"]', '"env=prod"'),
    ("forecast", "enabled", "false", False, '"no"', "'no'"),
    ("forecast", "every_days", "3.5", 3.5, "0", "greater than or equal to 1"),
    ("forecast", "max_usd_per_day", "0.25", 0.25, "-1", "greater than or equal to 0"),
    ("forecast", "finer_above_usd", "5", 5, '"$5"', "valid"),
    ("forecast", "busy_usd", "25", 25, "-1", "greater than or equal to 0"),
    ("forecast", "scale", "true", True, "1", "true or false"),
    ("report", "weekly", '"fri"', "fri", '"friday"', '"never"'),
    ("report", "weekly", '"never"', "never", "false", 'should be "mon"'),
    ("report", "at", '"16:45"', "16:45", '"4pm"', "write one like 09:00"),
    ("report", "channel", '"#cloud-costs"', "#cloud-costs", '"cloud-costs"', '"#finops"'),
    ("slack", "listen", '"127.0.0.1:3000"', "127.0.0.1:3000", '"3000"', '"0.0.0.0:3000"'),
    ("spend", "enabled", "false", False, '"no"', "true or false"),
    ("spend", "max_requests_per_day", "12", 12, "0", "greater than or equal to 1"),
    ("budget", "monthly_usd", "199.5", 199.5, "0", "greater than or equal to 0.01"),
    ("budget", "monthly_usd", "200", 200.0, '"200"', "valid number"),
    ("budget", "thresholds_actual", "[50, 80, 100]", [50, 80, 100], "[0]", "greater than or equal to 1"),
    ("budget", "thresholds_actual", "[]", [], "80", "valid list"),
    ("budget", "thresholds_forecast", "[120]", [120], "[80.5]", "valid whole number"),
    ("budget", "channel", '"#money"', "#money", '"money"', '"#finops"'),
    ("slack", "listen", '"[::1]:65535"', "[::1]:65535", '"127.0.0.1:65536"', '"0.0.0.0:3000"'),
    ("metrics", "listen", '"127.0.0.1:9464"', "127.0.0.1:9464", '"9464"', '"0.0.0.0:3000"'),
    ("metrics", "cloudwatch", "true", True, '"yes"', "true or false"),
    ("health", "listen", '"off"', "off", '"on"', '"127.0.0.1:9464", or "off"'),
    ("health", "listen", '"0.0.0.0:9465"', "0.0.0.0:9465", "9464", "valid string"),
    ("stop", "seconds", "110", 110, "4", "greater than or equal to 5"),
]


EVERYBODY = '[aws]\naccounts = "organization"\nrole = "lamplighter-audit"\n'


@pytest.mark.parametrize(
    ("section", "key", "good", "taken", "bad", "says"), KEYS, ids=[f"{one[0]}.{one[1]}={one[4]}" for one in KEYS]
)
def test_each_key_takes_a_good_value_and_names_itself_over_a_bad_one(
    section: str, key: str, good: str, taken: object, bad: str, says: str
) -> None:
    around = EVERYBODY if section.startswith("aws.") else ""
    found: object = reading(f"{around}[{section}]\n{key} = {good}\n").file
    for part in (*section.split("."), key):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == taken

    line = refused(f"[{section}]\n{key} = {bad}\n")
    assert "\n" not in line
    assert line.startswith("lamplighter.toml: [" + section)
    assert key in line
    assert says in line


def test_every_key_of_the_file_is_in_the_table_above() -> None:
    sections = {name: type(getattr(reading("").file, name)) for name in File.__struct_fields__}
    keys = {(name, key) for name, section in sections.items() for key in section.__struct_fields__}

    tables = {("teams", name) for name in ("channels", "aliases", "groups")}
    tables |= {("policy", "teams"), ("policy", "grace"), ("schedule", "teams"), ("aws", "include"), ("aws", "exclude")}
    rules = {("aws.include", key) for key in AccountRules.__struct_fields__}
    assert (keys - tables) | rules <= {(section, key) for section, key, *_ in KEYS}


def test_functions_may_be_read_from_an_aggregator_of_aws_config() -> None:
    named = '[aws]\naggregator = "view"\naggregator_region = "us-east-1"\n'

    assert reading(f'{named}source = "config"\n').aws.aggregator == Aggregator("view", "us-east-1")
    assert reading('[aws]\naggregator = "view"\nsource = "config"\n').aws.aggregator == Aggregator("view")
    assert reading(named).aws.aggregator is None  # Lambda lists them unless it is said otherwise


def test_the_whole_organization_may_be_meant_less_what_is_excluded() -> None:
    config = reading(f'{EVERYBODY}[aws.include]\nunits = ["r-ab12"]\n[aws.exclude]\nnames = ["sandbox-*"]\n')

    assert (config.aws.organization, config.aws.accounts) == (True, None)
    assert (config.aws.include.units, config.aws.exclude.names) == (("r-ab12",), ("sandbox-*",))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[aws]\naccounts = "organization"\n', "[aws] role is missing: "),
        ('[aws]\nsource = "config"\n', "[aws] aggregator is missing: "),
        (
            '[aws]\nsource = "config"\naggregator = "v"\n[scan]\npool = "tcp://dask:8786"\n',
            "[scan] pool: what AWS Config",
        ),
        ('[aws.include]\nunits = ["r-ab12"]\n', "[aws.include] units: only the organization knows these"),
        (
            '[aws]\naccounts = ["111122223333"]\n[aws.exclude]\ntags = ["env"]\n',
            "[aws.exclude] tags: only the organization knows these",
        ),
        ("[spend]\nenabled = false\n[budget]\nmonthly_usd = 200\n", "[budget] monthly_usd: nobody asks what X-Ray"),
    ],
    ids=[
        "no role",
        "no aggregator",
        "aggregator and cluster",
        "units of one account",
        "tags of a list",
        "blind budget",
    ],
)
def test_what_cannot_be_used_together_is_said_with_the_way_to_mend_it(text: str, line: str) -> None:
    said = refused(text)

    assert said.startswith(f"lamplighter.toml: {line}")
    assert "\n" not in said


def test_a_list_of_ids_may_be_narrowed_by_ids() -> None:
    config = reading('[aws]\naccounts = ["111122223333", "444455556666"]\n[aws.exclude]\naccounts = ["444455556666"]\n')

    assert config.aws.exclude.accounts == ("444455556666",)


def test_all_bad_values_are_named_at_once() -> None:
    lines = refused('[aws]\nrole = "a b"\n[schedule]\ndaily = "9"\ntimezone = "x"\n').splitlines()

    assert [line.split(": ")[1] for line in lines] == ["[aws] role", "[schedule] daily", "[schedule] timezone"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[aws]\nrolle = "x"\n', "[aws] rolle is no setting of Lamplighter"),
        ('[aws]\nrolle = "x"\n', "perhaps role"),
        ('[awss]\nrole = "x"\n', "awss is no setting"),
        ('[awss]\nrole = "x"\n', "perhaps aws"),
        ('[aws.include]\nunit = ["r-ab12"]\n', "[aws.include] unit is no setting of Lamplighter"),
        ('[aws.include]\nunit = ["r-ab12"]\n', "perhaps units"),
        ("[schedule]\nxyz = 1\n", "known here: daily, timezone"),
        ('[policy.teams.payments]\napprover = ["U0ANA"]\n', "[policy.teams.payments] approver is no setting"),
        ('role = "x"\n', "role is no setting"),
    ],
)
def test_an_unknown_key_is_refused_by_name_with_the_nearest_that_is_known(text: str, says: str) -> None:
    assert says in refused(text)


@pytest.mark.parametrize("content", [b"[aws\n", b"\xff\xfe", b"a = 1\na = 2\n"], ids=["syntax", "not text", "twice"])
def test_what_is_not_toml_is_refused_with_the_files_name(content: bytes) -> None:
    Path("lamplighter.toml").write_bytes(content)

    with pytest.raises(ConfigProblem, match=r"lamplighter\.toml: this is not TOML"):
        load()


def test_without_a_file_everything_has_a_default() -> None:
    config = load()

    assert config.teams.channel_of("payments") == "#team-payments"
    assert config.teams.channel_of(None) == "#finops"
    assert (config.aws.accounts, config.aws.regions, config.aws.role) == (None, None, None)
    assert (str(config.schedule.general.slot), str(config.zone)) == ("09:00 UTC", "UTC")
    assert str(config.database) == "lamplighter.db"


def test_a_file_that_is_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_CONFIG", "/nowhere/lamplighter.toml")

    with pytest.raises(ConfigProblem, match=r"LAMPLIGHTER_CONFIG: there is no file /nowhere/lamplighter\.toml"):
        load()


def test_a_file_of_another_name_and_another_database_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('[schedule]\ndaily = "07:30"\n')
    monkeypatch.setenv("LAMPLIGHTER_CONFIG", "other.toml")
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", "elsewhere.db")

    config = load()

    assert (str(config.schedule.general.slot), str(config.database)) == ("07:30 UTC", "elsewhere.db")


def test_a_team_has_what_all_have_but_for_what_it_has_otherwise() -> None:
    schedule = reading(
        '[schedule]\ntimezone = "Europe/Berlin"\nweekly = "wed"\n'
        '[schedule.teams."Data Platform"]\ndaily = "10:30"\ndays = ["sat", "sun"]\n'
        '[schedule.teams.search]\nfrequency = "weekly"\n'
    ).schedule

    theirs = schedule.of_team("data-platform")
    assert (str(theirs.slot), theirs.days, theirs.weekly) == ("10:30 Europe/Berlin", {5, 6}, 2)
    assert schedule.of_team("search").frequency == "weekly"
    assert [str(slot) for slot in schedule.slots()] == ["09:00 Europe/Berlin", "10:30 Europe/Berlin"]
    assert schedule.of_team(None) == schedule.of_team("payments") == schedule.general


@pytest.mark.parametrize("written", ["data-platform", "Data Platform", "data_platform", " DATA  platform "])
def test_a_teams_channel_is_found_however_the_team_is_written(written: str) -> None:
    config = reading(f'[teams.channels]\n"{written}" = "#warehouse"\n')

    assert config.teams.channel_of(team_name("Data Platform")) == "#warehouse"
    assert config.teams.channel_of(team_name("data_platform")) == "#warehouse"
    assert config.teams.channel_of("payments") == "#team-payments"


@pytest.mark.parametrize("written", ["data-platform", "Data Platform", "data_platform"])
def test_a_teams_approvers_are_found_however_the_team_is_written(written: str, client) -> None:
    policy = reading(f'[policy.teams."{written}"]\napprovers = ["U0BO", "U0EVE"]\ndeny = ["U0EVE"]\n').file.policy

    people = people_of(policy, client, "T0")

    assert people.approvers(team_name("Data Platform")) == ("<@U0BO>",)
    assert people.approvers("payments") == ()


def test_the_rules_for_fixes_are_those_of_the_file() -> None:
    config = reading(
        '[policy]\ntwo_people = "production"\nrequest_hours = 8\nundo_hours = 0\nmanaged = "patch"\n'
        'fixes_per_second = 2\nlargest_batch = 50\n[production]\nnames = ["*-prod"]\ntags = ["env=prod"]\n'
    )

    assert config.policy == FixPolicy(
        request_hours=8.0,
        undo_hours=0.0,
        patch_only_functions=True,
        patch_only_roles=False,
        fixes_per_second=2.0,
        largest_batch=50,
        two_people=TwoPeople.PRODUCTION,
        production=Production(names=("*-prod",), tags=("env=prod",)),
    )
    assert config.aws.production_tags == ("env=prod",)
    assert reading("").policy == FixPolicy()


def test_a_grace_period_is_off_unless_days_and_teams_are_given() -> None:
    assert reading("").policy.grace == Grace()
    assert not reading('[policy.grace]\nteams = "all"\n').policy.grace.covers("payments")

    some = reading('[policy.grace]\ndays = 7\nteams = ["Data Platform"]\n').policy.grace
    every = reading('[policy.grace]\ndays = 7\nteams = "all"\n').policy.grace

    assert (some.covers("data-platform"), some.covers("payments"), some.covers(None)) == (True, False, False)
    assert (every.covers("data-platform"), every.covers(None)) == (True, False)


@pytest.mark.parametrize(
    ("days", "says"),
    [("0", "equal to 1"), ("366", "equal to 365"), ("1.5", "whole number"), ('"7"', "whole number"), ("true", "whole")],
)
def test_days_of_grace_that_cannot_be_used_are_named(days: str, says: str) -> None:
    line = refused(f'[policy.grace]\ndays = {days}\nteams = "all"\n')

    assert line.startswith("lamplighter.toml: [policy.grace] days: ")
    assert says in line
    assert "\n" not in line


def test_a_grace_period_that_names_no_team_is_refused_and_says_how_to_name_one() -> None:
    with pytest.raises(ConfigProblem, match=r'\[policy.grace\] teams is missing: .* teams = \["payments"\]'):
        reading("[policy.grace]\ndays = 7\n")


def test_an_exemptions_days_are_no_more_than_policy_allows() -> None:
    line = refused("[policy]\nexemption_days = 60\nexemption_max_days = 30\n")
    assert "[policy] exemption_days: 60 days are more than the 30 that exemption_max_days allows" in line

    assert reading("[policy]\nexemption_max_days = 30\n").policy.exemption_days == 30
    asked = reading('[policy]\nexemption_days = 10\nexemption_two_people = "always"\n').policy
    assert (asked.exemption_days, asked.exemption_max_days) == (10, 365)
    assert asked.exemption_two_people is TwoPeople.ALWAYS


def given_tokens(monkeypatch: pytest.MonkeyPatch, **tokens: str) -> None:
    for name, value in tokens.items():
        monkeypatch.setenv(name.upper(), value)


def test_no_token_is_shown_where_a_configuration_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given_tokens(
        monkeypatch, slack_bot_token="xoxb-secret1", slack_app_token="xapp-secret2", slack_signing_secret="secret3"
    )
    config = load()

    assert config.environment.slack_bot_token == "xoxb-secret1"
    assert config.environment.slack_app_token == "xapp-secret2"
    assert config.environment.slack_signing_secret == "secret3"
    shown = f"{config!r} {config} {config.environment!r} {config.environment}"
    assert "secret1" not in shown
    assert "secret2" not in shown
    assert "secret3" not in shown


@pytest.mark.parametrize(
    ("tokens", "lines"),
    [
        ({"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}, []),
        ({"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}, []),
        ({}, ["SLACK_BOT_TOKEN is missing", "SLACK_APP_TOKEN is missing"]),
        ({"slack_bot_token": "xoxb-1"}, ["SLACK_APP_TOKEN is missing"]),
        ({"slack_app_token": "xapp-1"}, ["SLACK_BOT_TOKEN is missing"]),
        ({"slack_bot_token": "xoxb-1", "slack_app_token": "xoxb-2"}, ["SLACK_APP_TOKEN holds a bot token"]),
        (
            {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "slack_api_url": "slack.com"},
            ["SLACK_API_URL should be an address"],
        ),
    ],
    ids=["socket mode", "http", "nothing", "no app token", "no bot token", "the wrong token", "no address"],
)
def test_what_is_missing_to_reach_slack_is_said_line_by_line(
    monkeypatch: pytest.MonkeyPatch, tokens: dict[str, str], lines: list[str]
) -> None:
    given_tokens(monkeypatch, **tokens)
    if not lines:
        require_slack(load())
        return
    with pytest.raises(ConfigProblem) as problem:
        require_slack(load())
    said = str(problem.value).splitlines()
    assert len(said) == len(lines)
    assert all(line.startswith(start) for line, start in zip(said, lines, strict=True))
    assert "xoxb-2" not in str(problem.value)


def test_a_team_is_meant_by_its_other_names_and_case_and_space_make_no_difference() -> None:
    config = reading("""
        [teams.aliases]
        payments = ["pay", "Payments Team", "payments"]
        [teams.channels]
        PAY = "#money"
        [teams.groups]
        "payments team" = "S0PAY"
        """)

    teams = config.teams
    assert {teams.named(text) for text in ("Payments", "PAY", "payments_team", " Payments  Team ")} == {"payments"}
    assert teams.named("Search Team") == "search-team"
    assert (teams.channel_of("payments"), teams.group_of("payments"), teams.group_of("search")) == (
        "#money",
        "S0PAY",
        None,
    )
    assert dict(config.aws.team_aliases) == {"pay": "payments", "payments-team": "payments"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[teams.aliases]\npayments = ["pay"]\nbilling = ["Bills", "PAY"]',
            "[teams.aliases] 'PAY' means both payments and billing. Leave it with one of them.",
        ),
        (
            '[teams.aliases]\npayments = ["pay"]\nPay = ["p"]',
            "[teams.aliases] 'pay' is another name of payments and has other names itself. Put them all under p",
        ),
        (
            '[teams.aliases]\npayments = ["pay"]\n[teams.channels]\npay = "#a"\npayments = "#b"',
            "[teams.channels] 'pay' and 'payments' are the same team, and it is given two. Take one out.",
        ),
        (
            '[teams.groups]\npayments = "S0AA"\nPayments = "S0BB"',
            "[teams.groups] 'payments' and 'Payments' are the same team, and it is given two. Take one out.",
        ),
    ],
)
def test_names_of_teams_that_contradict_each_other_are_named_at_the_start(text: str, line: str) -> None:
    assert line in refused(text)


def test_names_that_are_said_twice_alike_are_no_contradiction() -> None:
    config = reading("""
        [teams.aliases]
        payments = ["pay", "Pay"]
        [teams.channels]
        pay = "#money"
        payments = "#money"
        """)

    assert config.teams.channels == {"payments": "#money"}


def test_what_the_policy_says_of_a_team_is_read_under_each_of_its_names() -> None:
    config = reading("""
        [teams.aliases]
        payments = ["pay"]
        [policy.grace]
        days = 30
        teams = ["PAY"]
        [policy.teams.pay]
        approvers = ["U0ANA"]
        [policy.teams.payments]
        approvers = ["U0BO"]
        """)

    people = people_of(config.file.policy, WebClient(), "T0", config.teams.named)

    assert people.approvers("payments") == ("<@U0ANA>", "<@U0BO>")
    assert config.policy.grace.covers("payments")


def test_a_budget_is_in_cents_that_nothing_rounds_and_its_thresholds_are_in_order() -> None:
    config = reading("[budget]\nmonthly_usd = 199.1\nthresholds_actual = [100, 50, 50]\n")

    assert config.budget == BudgetRules(Decimal("199.1"), (50, 100), (100,))
    assert reading("").budget == BudgetRules(None, (80, 100), (100,))
    assert reading("[spend]\nmax_requests_per_day = 9\n").spend == SpendRules(enabled=True, max_requests_per_day=9)
