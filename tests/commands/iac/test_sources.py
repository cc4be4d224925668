"""Functions that only sources feed of which Lambda traces nothing: not applicable, as in the audit."""

from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from tests.commands.iac import cases, terraform_cases
from tests.commands.iac.checking import laid, said

MAPPING = "  M: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !GetAtt F.Arn, %s}}\n"
KAFKA = MAPPING % "Topics: [a], SelfManagedEventSource: {Endpoints: {KafkaBootstrapServers: [b]}}"
CLUSTER = MAPPING % "Topics: [a], EventSourceArn: !Ref C" + "  C: {Type: AWS::MSK::Cluster}\n"
EVENTS = "Events:\n  A: {Type: %s}\n  B: {Type: %s}"
STREAM = "    events:\n      - stream: {type: documentdb, arn: x}\n"
ALARM = "  A: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Name: FunctionName, Value: !Ref F}]}}\n"
MACHINE = "  S: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionSubstitutions: {f: !GetAtt F.Arn}}}\n"


def of_terraform(source: str, more: str = "") -> dict[str, str]:
    mapping = (
        f'resource "aws_lambda_event_source_mapping" "m" {{\n  function_name = {terraform_cases.F_TF}.arn\n{source}}}\n'
    )
    return terraform_cases.tf("", mapping + more)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (cases.cfn("", more=KAFKA), "not_applicable"),
        (cases.cfn("", more=CLUSTER + ALARM), "not_applicable"),
        (cases.cfn("", more=MAPPING % "EventSourceArn: 'arn:aws:mq:eu-west-1:1:broker:a:b'"), "not_applicable"),
        (cases.cfn("", more=MAPPING % "EventSourceArn: 'arn:aws:sqs:eu-west-1:1:a'"), "fail"),
        (cases.cfn("", more=MAPPING % "EventSourceArn: !ImportValue a"), "fail"),
        (cases.cfn("", more=KAFKA + MACHINE), "fail"),
        (cases.cfn("TracingConfig: {Mode: Active}", more=KAFKA + MACHINE), "pass"),
        (cases.sam(EVENTS % ("MSK", "DocumentDB")), "not_applicable"),
        (cases.sam(EVENTS % ("SelfManagedKafka", "MQ")), "not_applicable"),
        (cases.sam(EVENTS % ("MSK", "Api")), "fail"),
        (cases.sam(EVENTS % ("MSK", "MQ") + "\nFunctionUrlConfig: {AuthType: NONE}"), "fail"),
        (cases.sls(cases.PROVIDER, STREAM), "not_applicable"),
        (cases.sls(cases.PROVIDER, "    events:\n      - kafka: {}\n      - rabbitmq: {}\n"), "not_applicable"),
        (cases.sls(cases.PROVIDER, STREAM + "      - http: GET /\n"), "fail"),
        (cases.sls(cases.PROVIDER, STREAM + "    url: true\n"), "fail"),
        (of_terraform("  self_managed_event_source {\n    endpoints = {}\n  }\n"), "not_applicable"),
        (of_terraform("  event_source_arn = aws_msk_cluster.c.arn\n"), "not_applicable"),
        (of_terraform("  event_source_arn = aws_sqs_queue.c.arn\n"), "fail"),
        (
            of_terraform(
                '  queues = ["a"]\n',
                f'resource "aws_lambda_permission" "p" {{\n  function_name = {terraform_cases.F_TF}.arn\n}}\n',
            ),
            "fail",
        ),
    ],
)
def test_what_cannot_be_traced_is_not_applicable(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert list(said(laid(tmp_path, files)).values()) == [expected]


def test_the_sources_are_named(tmp_path: Path) -> None:
    (one,) = check(Paths([laid(tmp_path, cases.sam(EVENTS % ("MSK", "MQ")))])).results

    assert one.reason == "its only event sources are Amazon MSK and Amazon MQ, which Lambda does not trace"
