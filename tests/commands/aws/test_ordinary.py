"""What is read from an ordinary environment without botocore, with botocore for a judge."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest
from botocore.httpsession import get_cert_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo.aws import AwsStandIn
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.endpoints import SERVICES, Endpoints, proxy_for
from commands.aws.errors import AwsProblem
from commands.aws.keys import Keys
from commands.aws.ordinary import OrdinaryEndpoints, ordinary

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPRETEND", "AWS_SECRET_ACCESS_KEY": "pretend"}


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def never():
    raise AssertionError("botocore was asked")


def both():
    """The endpoints that do not ask botocore, and those that always do."""
    return OrdinaryEndpoints(never), Endpoints(botocore.session.Session)


def partitions():
    loader = botocore.session.Session().get_component("data_loader")
    return loader.load_data("partitions")["partitions"]


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: partition["id"])
def test_every_service_of_every_region_is_where_botocore_says(partition):
    ours, theirs = both()
    places = [(service, region) for service in SERVICES for region in partition["regions"] if "global" not in region]

    assert [ours.find(*place) for place in places] == [theirs.find(*place) for place in places]
    assert {ours.partition(region)["id"] for _, region in places} == {partition["id"]}


@pytest.mark.parametrize("region", ["aws-global", "aws-cn-global", "eu-east-9", "fips-us-east-1", "moon", "Frankfurt!"])
@pytest.mark.parametrize("service", ["sts", "iam", "lambda"])
def test_a_region_that_is_none_of_awss_has_botocores_answer(region, service):
    def answer(endpoints):
        try:
            return endpoints.find(service, region), endpoints.partition(region)["id"]
        except AwsProblem as problem:
            return str(problem)

    assert answer(OrdinaryEndpoints(botocore.session.Session)) == answer(Endpoints(botocore.session.Session))


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ENDPOINT_URL": "http://l:1/"},
        {"AWS_ENDPOINT_URL": "http://l:1", "AWS_ENDPOINT_URL_LAMBDA": "http://l:2"},
        {"AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": "http://l:2", "AWS_ENDPOINT_URL_STS": ""},
        {"AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_REGION": "eu-west-1"},
        {"AWS_ENDPOINT_URL_IAM": "https://l:2", "HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "amazonaws.com"},
        {"https_proxy": "http://proxy:3128", "no_proxy": "l"},
    ],
    ids=" ".join,
)
def test_settings_of_the_environment_are_followed_as_botocore_follows_them(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = both()
    places = [(service, region) for service in SERVICES for region in ("eu-central-1", "cn-north-1")]

    assert [ours.find(*place) for place in places] == [theirs.find(*place) for place in places]


@pytest.mark.parametrize("bundle", [None, "", "made.pem"])
def test_the_ca_bundle_is_botocores(monkeypatch, tmp_path, bundle):
    if bundle is not None:
        (tmp_path / "made.pem").write_text("a certificate")
        monkeypatch.setenv("AWS_CA_BUNDLE", bundle and str(tmp_path / bundle))
    ours, theirs = both()

    assert ours.ca_bundle() == theirs.ca_bundle()
    assert bundle or ours.ca_bundle() == get_cert_path(True)


@given(
    url=st.sampled_from(["http://a.example", "https://a.example:444/b", "https://127.0.0.1", "https://user@b.example"]),
    variables=st.dictionaries(
        st.sampled_from(
            ["HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "NO_PROXY", "no_proxy", "ALL_PROXY", "REQUEST_METHOD"]
        ),
        st.sampled_from(["", "http://proxy:1", "a.example", "*", ".example", "127.0.0.1,b.example", "a.example:444"]),
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example sets and clears its own names
def test_the_proxy_is_botocores(url, variables):
    from botocore.utils import get_environ_proxies

    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)

        assert proxy_for(url) == get_environ_proxies(url).get(url.partition(":")[0])


VARIABLES = """
AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_DEFAULT_REGION AWS_REGION
AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ACCOUNT_ID AWS_CONFIG_FILE
""".split()


@given(st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["", "one", "two"])), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # as above
def test_keys_and_region_are_botocores(variables, with_keys):
    variables |= {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two"} if with_keys else {}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        told = ordinary(os.environ)
        if told is None:
            return
        session = botocore.session.Session()
        theirs = session.get_credentials().get_frozen_credentials()

        assert told.keys == Keys(theirs.access_key, theirs.secret_key, theirs.token)
        assert told.region == session.get_config_variable("region")
        assert session.get_scoped_config() == {}


def test_keys_alone_are_ordinary():
    assert ordinary(KEYS) == (Keys("AKIAPRETEND", "pretend"), None)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_ACCESS_KEY_ID": "AKIAPRETEND"},
        KEYS | {"AWS_SECRET_ACCESS_KEY": ""},
        KEYS | {"AWS_PROFILE": ""},
        KEYS | {"AWS_DEFAULT_PROFILE": "team"},
        KEYS | {"AWS_CREDENTIAL_EXPIRATION": "2026-11-24T12:00:00Z"},
        KEYS | {"AWS_USE_FIPS_ENDPOINT": "true"},
        KEYS | {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        KEYS | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        KEYS | {"AWS_DATA_PATH": "/models"},
    ],
    ids=lambda environment: " ".join(environment) or "nothing",
)
def test_what_is_not_ordinary_is_left_to_botocore(environment):
    assert ordinary(environment) is None


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_settings_file_is_left_to_botocore(monkeypatch, tmp_path, name):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / name).write_text("")

    assert ordinary(KEYS) is None


@pytest.mark.parametrize("name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_settings_file_is_looked_for_as_botocore_does(monkeypatch, tmp_path, name):
    (tmp_path / "settings").write_text("")
    (tmp_path / ".aws").mkdir()
    monkeypatch.setenv("HERE", str(tmp_path))

    assert ordinary(KEYS | {name: "~/settings"}) is None
    assert ordinary(KEYS | {name: "$HERE/settings"}) is None
    assert ordinary(KEYS | {name: os.devnull}) is not None
    assert ordinary(KEYS | {name: "~/.aws"}) is not None
    assert ordinary(KEYS | {name: ""}) is not None


def test_rules_of_ones_own_are_left_to_botocore(tmp_path):
    (tmp_path / ".aws" / "models").mkdir(parents=True)

    assert ordinary(KEYS) is None


@pytest.mark.parametrize("settings_file", [False, True], ids=["ordinary", "with a settings file"])
@pytest.mark.parametrize(
    "region", [{}, {"AWS_REGION": "eu-west-1"}, {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "sa-east-1"}]
)
def test_a_cloud_is_the_same_with_and_without_botocore(monkeypatch, tmp_path, settings_file, region):
    for name, value in (KEYS | {"AWS_SESSION_TOKEN": "token"} | region).items():
        monkeypatch.setenv(name, value)
    if settings_file:
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "config").write_text("")

    cloud = Cloud(AwsSettings())

    assert (ordinary(os.environ) is None) == settings_file
    assert cloud.ambient_keys() == Keys("AKIAPRETEND", "pretend", "token")
    assert cloud.home_region == {0: "us-east-1", 1: "eu-west-1", 2: "sa-east-1"}[len(region)]
    assert cloud.partition == "aws"
    assert cloud.endpoints.find("sts", cloud.home_region).url == f"https://sts.{cloud.home_region}.amazonaws.com"
    assert cloud.client("iam", "cn-north-1").meta.endpoint_url == cloud.endpoints.find("iam", "cn-north-1").url


AUDIT = """
import sys
from bot.cli import main
try:
    main(["audit", "--json"])
except SystemExit as end:
    print("exit", end.code, file=sys.stderr)
loaded = {name.partition(".")[0] for name in sys.modules}
print("loaded", sorted({"boto3", "botocore", "urllib3", "s3transfer"} & loaded), file=sys.stderr)
"""


def audit(environment, folder):
    """What an audit of its own process prints, and what it says of itself."""
    (folder / "lamplighter.toml").write_text('[aws]\nrole = "audit"\naccounts = ["222222222222"]\n')
    files = {"LAMPLIGHTER_CONFIG": folder / "lamplighter.toml", "LAMPLIGHTER_DATABASE": folder / "memory.db"}
    told = subprocess.run(
        [sys.executable, "-c", AUDIT],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)}
        | {name: str(path) for name, path in files.items()}
        | environment,
    )
    return told.stdout, told.stderr


def trusting(**principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def aws():
    with AwsStandIn(calls_per_second=None) as made:
        admin = ["arn:aws:iam::aws:policy/AdministratorAccess"]
        made.create_role("222222222222", "audit", trusting(AWS="arn:aws:iam::123456789012:root"), attached=admin)
        role = made.create_role("222222222222", "refund-role", trusting(Service="lambda.amazonaws.com"))
        function = {"FunctionName": "refund", "Role": role, "Runtime": "python3.13", "Handler": "app.handler"}
        made.seed_function(
            "222222222222", "eu-central-1", function | {"Code": {"ZipFile": b""}}, datetime(2026, 11, 1, tzinfo=UTC)
        )
        yield made


def test_an_ordinary_audit_loads_nothing_of_botocore_and_sees_what_one_with_botocore_sees(aws, tmp_path):
    environment = KEYS | {"AWS_ENDPOINT_URL": aws.url, "AWS_DEFAULT_REGION": "eu-central-1"}
    (tmp_path / "other" / ".aws").mkdir(parents=True)
    (tmp_path / "other" / ".aws" / "config").write_text("[default]\n")

    printed, said = audit(environment, tmp_path)
    theirs, they_said = audit(environment, tmp_path / "other")

    assert "exit 1\nloaded []\n" in said
    assert "botocore" in they_said
    assert [one["name"] for one in json.loads(printed)["functions"]] == ["refund"]
    assert json.loads(printed)["functions"] == json.loads(theirs)["functions"]


def test_without_credentials_an_audit_says_so_in_one_line(tmp_path):
    _, said = audit({"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "eu-central-1"}, tmp_path)

    lines = [line for line in said.splitlines() if line.startswith("lamplighter:")]
    assert len(lines) == 1
    assert lines[0].startswith("lamplighter: No AWS credentials: ")
