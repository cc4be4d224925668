"""What two versions of a function differ in."""

import pytest

from commands.aws.settings import differences

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
        {"RuntimeVersionConfig": {"RuntimeVersionArn": "another patch"}},
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
