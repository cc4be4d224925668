"""What two versions of a function differ in."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from commands.aws.settings import MAY_DIFFER, differences

SERVED = {
    "FunctionName": "refund",
    "Version": "7",
    "RevisionId": "one",
    "CodeSha256": "abc",
    "Description": "release 7",
    "MemorySize": 256,
    "TracingConfig": {"Mode": "PassThrough"},
    "Environment": {"Variables": {"LOG_LEVEL": "INFO", "PSP_API_KEY": "hush"}},
    "VpcConfig": {"SubnetIds": ["a", "b"], "SecurityGroupIds": ["s"]},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    "Layers": [{"Arn": "layer:1", "CodeSize": 4}],
    "ImageConfigResponse": {"ImageConfig": {"Command": ["a", "b"]}},
}
LATEST = SERVED | {"Version": "$LATEST", "RevisionId": "two", "TracingConfig": {"Mode": "Active"}, "Description": ""}


def variables(**changes):
    return {"Environment": {"Variables": SERVED["Environment"]["Variables"] | changes}}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"VpcConfig": {"SubnetIds": ["b", "a"], "SecurityGroupIds": ["s"], "VpcId": ""}},
        {"SnapStart": None},
        {"Layers": [{"Arn": "layer:1", "CodeSize": 5}]},
        {"DeadLetterConfig": None, "FileSystemConfigs": []},
        {"ConfigSha256": "of the whole configuration", "CodeSize": 9},
    ],
    ids=str,
)
def test_what_says_the_same_in_other_words_is_no_difference(change):
    assert differences(SERVED, LATEST | change) == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CodeSha256": "def"}, ("its code",)),
        ({"MemorySize": 512, "Timeout": 9}, ("`MemorySize`", "`Timeout`")),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, ("`SnapStart`",)),
        ({"Layers": [{"Arn": "layer:2"}]}, ("`Layers`",)),
        ({"ImageConfigResponse": {"ImageConfig": {"Command": ["b", "a"]}}}, ("`ImageConfigResponse`",)),
        ({"SomethingNew": {"On": True}}, ("`SomethingNew`",)),
        ({"RuntimeVersionConfig": {"RuntimeVersionArn": "another patch"}}, ("`RuntimeVersionConfig`",)),
        (
            {"RuntimeVersionConfig": {"Error": {"ErrorCode": "AccessDenied"}}},
            ("`RuntimeVersionConfig`, which could not be read",),
        ),
        (variables(LOG_LEVEL="DEBUG"), ("its variable `LOG_LEVEL`",)),
        (variables(NEW="x"), ("its variable `NEW`",)),
        ({"Environment": {"Error": {"ErrorCode": "AccessDenied"}}}, ("its environment, which could not be read",)),
        (
            {"Environment": {"Variables": {"A": "1", "B": "2", "C": "3"}}},
            ("its variable `A`", "its variable `B`", "its variable `C`", "2 more variables"),
        ),
    ],
    ids=str,
)
def test_a_difference_is_told_by_its_name(change, named):
    assert differences(SERVED, LATEST | change) == named


def test_no_value_of_a_variable_is_ever_told():
    assert "hush" not in str(differences(SERVED, LATEST | variables(PSP_API_KEY="changed")))


# Every member of AWS's answer, by botocore's model: compared, or not, because somebody decided so

MODEL: Any = boto3.client("lambda", "eu-central-1").meta.service_model.shape_for("FunctionConfiguration")
COMPARED = """
    Architectures AcceleratorConfig CapacityProviderConfig CodeSha256 DeadLetterConfig DurableConfig Environment
    EphemeralStorage FileSystemConfigs Handler ImageConfigResponse KMSKeyArn Layers LoggingConfig MemorySize PackageType
    Role Runtime RuntimeConfig RuntimeVersionConfig SigningJobArn SigningProfileVersionArn SnapStart TenancyConfig
    Timeout VpcConfig
""".split()
# Parts of what is compared that are allowed to differ. A layer's ARN names a version of it, which nobody can change;
# the state of a SnapStart snapshot is the version's own.
PARTS = {
    *("Layers.CodeSize", "Layers.SigningProfileVersionArn", "Layers.SigningJobArn"),
    "SnapStart.OptimizationStatus",
}


def leaves(shape: Any, path: str = "") -> Iterator[str]:
    """The path of every value in an answer of AWS's."""
    if shape.type_name == "list":
        yield from leaves(shape.member, path)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    else:
        yield path


def answer(shape: Any, changed: str = "", path: str = "") -> Any:
    """An answer with everything in it that AWS can say but errors, and one value other than in another answer."""
    if shape.type_name == "list":
        return [answer(shape.member, changed, path)]
    if shape.type_name == "structure":
        members = ((name, member, f"{path}.{name}" if path else name) for name, member in shape.members.items())
        return {name: answer(member, changed, under) for name, member, under in members if name != "Error"}
    other = path == changed
    values = {"integer": 7, "long": 7, "double": 7.5, "boolean": False, "map": {"A": "1"}}
    changes = {"integer": 8, "long": 8, "double": 8.5, "boolean": True, "map": {"A": "2"}}
    default = "other" if other else "same"
    return (changes if other else values).get(shape.type_name, default)


def test_each_member_that_botocore_knows_is_compared_or_left_by_decision():
    assert sorted(MODEL.members) == sorted([*COMPARED, *MAY_DIFFER])


@pytest.mark.parametrize("path", [path for path in leaves(MODEL) if ".Error." not in path])
def test_a_change_of_any_value_that_botocore_knows_is_found_unless_it_may_differ(path):
    found = differences(answer(MODEL), answer(MODEL, path))

    if path.partition(".")[0] in MAY_DIFFER or path in PARTS:
        assert found == ()
    else:
        assert len(found) == 1
