"""Event sources that Lambda does not trace: a function that has only those cannot be traced, as in the audit.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from collections.abc import Iterable, Iterator

from commands.iac.document import Node
from commands.iac.intrinsics import Template, intrinsic, referred

WITHOUT_XRAY = {
    "msk": "Amazon MSK",
    "kafka": "self-managed Kafka",
    "mq": "Amazon MQ",
    "documentdb": "Amazon DocumentDB",
}
_SAM = {"MSK": "msk", "SelfManagedKafka": "kafka", "MQ": "mq", "DocumentDB": "documentdb"}
_SERVERLESS = {"msk": "msk", "kafka": "kafka", "activemq": "mq", "rabbitmq": "mq"}
_MAPPING = "AWS::Lambda::EventSourceMapping"
_CALLS_NOTHING = (
    _MAPPING,
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
)
_OF_MAPPING = {
    "SelfManagedEventSource": "kafka",
    "SelfManagedKafkaEventSourceConfig": "kafka",
    "AmazonManagedKafkaEventSourceConfig": "msk",
    "DocumentDBEventSourceConfig": "documentdb",
    "Queues": "mq",
}
_OF_CLUSTER = {
    "AWS::MSK::Cluster": "msk",
    "AWS::MSK::ServerlessCluster": "msk",
    "AWS::AmazonMQ::Broker": "mq",
    "AWS::DocDB::DBCluster": "documentdb",
}
_IN_ARN = {":kafka:": "msk", ":mq:": "mq"}


def why_not(sources: Iterable[str]) -> str:
    """Why a function cannot be traced; nothing where one of its sources can be ("" among them), or none is known."""
    kinds = list(dict.fromkeys(sources))
    if not kinds or any(kind not in WITHOUT_XRAY for kind in kinds):
        return ""
    return (
        f"its only event sources are {' and '.join(WITHOUT_XRAY[kind] for kind in kinds)}, which Lambda does not trace"
    )


def of_resource(template: Template, name: str, resource: Node) -> list[str]:
    """What feeds a function of a template: SAM's own events, the mappings beside it, and whatever else refers to it."""
    found = [*_own(resource), *_mapped(template, name)]
    if why_not(found) and any(_calls(other, name) for _, _, other in template.resources.entries()):
        found.append("")
    return found


def _own(resource: Node) -> Iterator[str]:
    properties = resource.get("Properties") or Node("mapping")
    if properties.get("FunctionUrlConfig") is not None:
        yield ""
    events = properties.get("Events")
    if events is not None:
        if events.kind != "mapping" or intrinsic(events) is not None:
            yield ""
        for _, _, event in events.entries():
            kind = event.get("Type")
            yield _SAM.get(kind.value, "") if kind is not None else ""


def _mapped(template: Template, name: str) -> Iterator[str]:
    for _, _, other in template.resources.entries():
        kind, properties = other.get("Type"), other.get("Properties")
        if kind is not None and kind.value == _MAPPING and properties is not None:
            function = properties.get("FunctionName")
            if function is not None and name in referred(function):
                yield _of_mapping(template, properties)


def _calls(other: Node, name: str) -> bool:
    """Something that refers to the function may call it, unless its type says otherwise."""
    kind = other.get("Type")
    return (kind is None or kind.value not in _CALLS_NOTHING) and name in referred(other)


def _of_mapping(template: Template, properties: Node) -> str:
    for key, kind in _OF_MAPPING.items():
        if properties.get(key) is not None:
            return kind
    arn = properties.get("EventSourceArn")
    if arn is None:
        return ""
    for other in referred(arn):
        cluster = (template.resources.get(other) or Node("mapping")).get("Type")
        if cluster is not None and cluster.value in _OF_CLUSTER:
            return _OF_CLUSTER[cluster.value]
    inner = intrinsic(arn)
    text = arn.value if inner is None else inner[1].value
    return next((kind for part, kind in _IN_ARN.items() if part in text), "")


def of_service(body: Node) -> Iterator[str]:
    """What feeds a function of the Serverless Framework."""
    if body.get("url") is not None:
        yield ""
    events = body.get("events")
    if events is None:
        return
    if events.kind != "sequence":
        yield ""
    for event in events.items:
        names = [name for name, _, _ in event.entries()]
        stream = event.get("stream")
        kind = stream.get("type") if stream is not None else None
        if kind is not None and kind.value == "documentdb":
            yield "documentdb"
        else:
            yield _SERVERLESS.get(names[0], "") if len(names) == 1 else ""
