"""What feeds the functions of a region, as far as it decides whether X-Ray can work: Kafka, Amazon MQ, DocumentDB.

Mappings can only be listed region by region, and nearly no region has one of these. Lambda polls such a source with the
function's own execution role, and makes no mapping for a role that may not read it; so where no role could, there is
nothing to ask about. That rests on AWS's documentation and has not been tried on a real account, so an audit also asks
in some small regions where nothing points that way.
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-permissions.html
https://docs.aws.amazon.com/lambda/latest/dg/process-mq-messages-with-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from commands.aws import policies, reads
from commands.aws.keys import Identity
from commands.aws.roles import Role
from commands.aws.shapes import Listed
from commands.aws.wire import Wire

# What a role needs before Lambda reads MSK, Amazon MQ, DocumentDB, or Kafka with a password or inside a network.
_NEEDED = (
    "kafka:GetBootstrapBrokers",
    "kafka:DescribeCluster",
    "kafka:DescribeClusterV2",
    "mq:DescribeBroker",
    "rds:DescribeDBClusters",
    "secretsmanager:GetSecretValue",
    "ec2:CreateNetworkInterface",
)
SMALL = 200  # functions; a larger region may hold many pages of mappings
UNPROMPTED = 24  # small regions of an audit that are asked though no role points that way

Document = Mapping[str, Any]
Sources = dict[str, set[str]]  # a function's unqualified ARN -> kinds of source


class EventSources:
    """Which regions are worth asking; one for all accounts of an audit."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._unprompted = UNPROMPTED
        self._judged: dict[int, tuple[Document, bool]] = {}  # by identity: accounts share their policies' documents

    async def of(
        self, who: Identity, region: str, listed: Iterable[Listed], known: Mapping[str, Role] | None
    ) -> Sources:
        """Raises AwsProblem. `known` are the execution roles by ARN; None where they could not be read."""
        found: Sources = {}
        if self._worth_asking(list(listed), known):
            for source in await reads.event_sources(self._wire, who, region):
                found.setdefault(source.function_arn, set()).add(source.kind)
        return found

    def _worth_asking(self, listed: list[Listed], known: Mapping[str, Role] | None) -> bool:
        used = {each.role for each in listed}
        if known is None or any(arn not in known or self._could_read(known[arn]) for arn in used if arn):
            return True
        if len(listed) > SMALL or self._unprompted <= 0:
            return False
        self._unprompted -= 1
        return True

    def _could_read(self, role: Role) -> bool:
        """Whether a policy names one of the actions; its resources and conditions are not weighed."""
        return role.policies_unknown or any(self._names_one(document) for document in role.policies)

    def _names_one(self, document: Document) -> bool:
        if id(document) not in self._judged:
            self._judged[id(document)] = (document, policies.names_any(document, _NEEDED))
        return self._judged[id(document)][1]
