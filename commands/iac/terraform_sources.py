"""What feeds a function of Terraform: event source mappings, and anything else of its module that refers to it."""

from collections.abc import Iterable, Iterator

from commands.iac.event_sources import why_not
from commands.iac.hcl import Block, references

_FUNCTION, _DISTRIBUTION = "aws_lambda_function", "aws_cloudfront_distribution"
_MAPPING = "aws_lambda_event_source_mapping"
_OF_BLOCK = {
    "self_managed_event_source": "kafka",
    "self_managed_kafka_event_source_config": "kafka",
    "amazon_managed_kafka_event_source_config": "msk",
    "document_db_event_source_config": "documentdb",
}
_OF_CLUSTER = {
    "aws_msk_cluster": "msk",
    "aws_msk_serverless_cluster": "msk",
    "aws_mq_broker": "mq",
    "aws_docdb_cluster": "documentdb",
}
_CALLS_NOTHING = (
    _MAPPING,
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_metric_alarm",
    "aws_lambda_function_event_invoke_config",
)


def untraced(blocks: Iterable[Block], function: Block) -> str:
    """Why the function cannot be traced; nothing where it can be."""
    beside = [one for one in blocks if one is not function]
    mappings = [one for one in beside if one.kind == "resource" and one.labels[:1] == (_MAPPING,)]
    found = why_not([_kind(one) for one in mappings if _names(one.attributes.get("function_name"), function)])
    if not found or any(_calls(one, function) for one in beside):
        return ""
    return found


def at_the_edge(blocks: Iterable[Block]) -> set[str]:
    """Names of the functions that a CloudFront distribution calls."""
    found: set[str] = set()
    waiting = [one for one in blocks if one.kind == "resource" and one.labels[:1] == (_DISTRIBUTION,)]
    while waiting:
        block = waiting.pop()
        waiting += block.blocks
        if block.kind == "lambda_function_association" and "lambda_arn" in block.attributes:
            found |= {names[1] for names in references(block.attributes["lambda_arn"]) if names[0] == _FUNCTION}
    return found


def _kind(mapping: Block) -> str:
    if "queues" in mapping.attributes:
        return "mq"
    for block in mapping.blocks:
        if block.kind in _OF_BLOCK:
            return _OF_BLOCK[block.kind]
    arn = mapping.attributes.get("event_source_arn")
    return next((_OF_CLUSTER[names[0]] for names in references(arn) if names[0] in _OF_CLUSTER), "")


def _calls(block: Block, function: Block) -> bool:
    nothing = block.kind == "resource" and block.labels[:1] and block.labels[0] in _CALLS_NOTHING
    return not nothing and any(_names(one, function) for one in _expressions(block))


def _expressions(block: Block) -> Iterator[object]:
    yield from block.attributes.values()
    for inner in block.blocks:
        yield from _expressions(inner)


def _names(expression: object, function: Block) -> bool:
    return any(names[:2] == function.labels for names in references(expression))
