"""Which regions are asked for event sources: those where a role could read one, and a few small ones besides."""

import asyncio
import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from commands.aws.roles import Role
from commands.aws.shapes import Listed
from commands.aws.sources import SMALL, UNPROMPTED, EventSources


class Wire:
    """A wire of which only the count of questions matters; AWS knows of no mappings."""

    def __init__(self):
        self.calls = 0

    async def ask(self, who, call, read):
        assert call.action == "ListEventSourceMappings"
        self.calls += 1
        return read(b'{"EventSourceMappings": []}')


def role(action, effect="Allow", element="Action", **more):
    statement = {"Effect": effect, element: action, "Resource": "arn:aws:kafka:::one", **more}
    return Role("arn:aws:iam::1:role/r", ({"Version": "2012-10-17", "Statement": statement},))


def functions(number):
    nothing = dict.fromkeys(Listed._fields) | {"role": "arn:aws:iam::1:role/r", "layers": (), "environment_keys": ()}
    return [Listed(**nothing | {"arn": f"arn:{each}", "name": f"f{each}"}) for each in range(number)]


class Who:
    def __init__(self, account):
        self.account = account


def asked(known, number=SMALL + 1, regions=1):
    """How many questions came of that many regions like this one."""

    async def inside():
        wire = Wire()
        questions = EventSources(wire)
        for region in reversed(range(regions)):
            assert await questions.of(Who("1"), f"region-{region:03}", functions(number), known) == {}
        prompted = wire.calls
        told = await questions.unprompted()
        assert [region for _, region, _ in told] == [f"region-{each:03}" for each in range(len(told))]
        return prompted, wire.calls - prompted

    return asyncio.run(inside())


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"arn:aws:iam::1:role/r": role("kafka:GetBootstrapBrokers")}, id="MSK"),
        pytest.param({"arn:aws:iam::1:role/r": role(["s3:*", "MQ:Describe*"])}, id="a pattern"),
        pytest.param({"arn:aws:iam::1:role/r": role("iam:*", element="NotAction")}, id="NotAction"),
        pytest.param({"arn:aws:iam::1:role/r": role("*", Condition={"Bool": {"aws:ViaAWSService": "true"}})}, id="all"),
        pytest.param({"arn:aws:iam::1:role/r": role(7)}, id="a statement that cannot be read"),
        pytest.param({"arn:aws:iam::1:role/r": Role("r", (), policies_unknown=True)}, id="hidden policies"),
        pytest.param({}, id="a hidden role"),
        pytest.param(None, id="roles that could not be read"),
    ],
)
def test_a_role_that_might_read_such_a_source_is_reason_to_ask(known):
    assert asked(known, regions=UNPROMPTED * 2) == (UNPROMPTED * 2, 0)


@pytest.mark.parametrize("found", [role("logs:*"), role("xray:PutTraceSegments"), role("kafka:*", effect="Deny")])
def test_where_no_role_could_a_large_region_is_not_asked(found):
    assert asked({"arn:aws:iam::1:role/r": found}) == (0, 0)


def test_some_small_regions_are_asked_all_the_same_and_always_the_same_ones():
    known = {"arn:aws:iam::1:role/r": role("logs:*")}

    assert asked(known, number=SMALL, regions=UNPROMPTED + 10) == (0, UNPROMPTED)


@pytest.mark.parametrize("name", ["AWSLambdaMSKExecutionRole", "AmazonMQFullAccess", "AWSLambdaVPCAccessExecutionRole"])
def test_awss_own_policies_for_such_sources_are_reason_to_ask(name):
    document = json.loads(aws_managed_policies_data)[name]["Document"]

    assert asked({"arn:aws:iam::1:role/r": Role("arn:aws:iam::1:role/r", (document,))}) == (1, 0)
