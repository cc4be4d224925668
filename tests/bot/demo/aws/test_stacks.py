"""Templates as CloudFormation reads them: what is put in, what is made, and what is refused."""

import pytest

from bot.demo.aws.stacks import Stack

ACCOUNT, REGION = "111122223333", "eu-central-1"
TEMPLATE = """
Parameters:
  Name: {Type: String, Default: ours, AllowedPattern: "^[a-z]+$", ConstraintDescription: small letters.}
  Wide: {Type: String, Default: "no", AllowedValues: ["no", "yes"]}
  Percent: {Type: Number, Default: 80, MinValue: 1, MaxValue: 100}
Conditions:
  IsWide: !Equals [!Ref Wide, "yes"]
  IsNarrow: !Not [!Equals [!Ref Wide, "yes"]]
  IsHere: !Or [!Equals [!Ref "AWS::Region", us-east-1], !Equals [!Ref "AWS::Region", eu-central-1]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: IsHere
    Properties:
      QueueName: !Sub "${Name}-${AWS::AccountId}"
      Tags: [one, !If [IsWide, two, !Ref "AWS::NoValue"], !Join ["-", [a, !Ref Name]]]
      KmsMasterKeyId: !If [IsWide, key, !Ref "AWS::NoValue"]
  Dark: {Type: AWS::SNS::Topic, Condition: IsWide}
Outputs:
  Arn: {Value: !GetAtt Queue.Arn}
  Url: {Value: !Sub "url = ${Queue} of ${Queue.Arn}"}
  Topic: {Value: !Ref Dark, Condition: IsWide}
"""
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ours-{ACCOUNT}"


def stack(text: str = TEMPLATE, **parameters: str) -> Stack:
    return Stack(text, parameters, ACCOUNT, REGION)


def test_what_is_made_is_resolved():
    (queue,) = stack().resources.values()
    assert queue["Properties"] == {"QueueName": f"ours-{ACCOUNT}", "Tags": ["one", "a-ours"]}

    made = stack(Wide="yes", Name="theirs")
    assert made.of_type("AWS::SQS::Queue") == [
        {"QueueName": f"theirs-{ACCOUNT}", "Tags": ["one", "two", "a-theirs"], "KmsMasterKeyId": "key"}
    ]
    assert made.outputs["Topic"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:stack-Dark"


def test_outputs_name_what_was_made():
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ours-{ACCOUNT}"

    assert stack().outputs == {"Arn": ARN, "Url": f"url = {url} of {ARN}"}


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"Nome": "x"}, r"Parameters: \[Nome\] do not exist"),
        ({"Name": "X1"}, "Parameter Name failed to satisfy constraint: small letters."),
        ({"Wide": "maybe"}, "'Wide' must be one of AllowedValues"),
        ({"Percent": "101"}, "'Percent' must be a number within its bounds"),
    ],
)
def test_parameters_are_checked(parameters, why):
    with pytest.raises(ValueError, match=why):
        stack(**parameters)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("!GetAtt Queue.Arn", "!GetAtt Queue.QueueName", "GetAtt of QueueName is not known here"),
        ("!GetAtt Queue.Arn", "!Ref Nothing", r"Unresolved resource dependencies \[Nothing\]"),
        ("!GetAtt Queue.Arn", "!ImportValue x", "Fn::ImportValue is not known here"),
        ("Value: !Ref Dark, Condition: IsWide", "Value: !Ref Dark", r"Unresolved resource dependencies \[Dark\]"),
        ("!Or [", "!And [", "a condition of Fn::And is not known here"),
    ],
)
def test_what_is_not_understood_is_refused(before, after, why):
    assert before in TEMPLATE
    with pytest.raises(ValueError, match=why):
        stack(TEMPLATE.replace(before, after))
