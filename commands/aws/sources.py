"""What feeds the functions of a region, as far as it decides whether X-Ray can work: Kafka, Amazon MQ, DocumentDB.

Mappings can only be listed region by region, and nearly no region has one of these. Lambda polls such a source with the
function's own execution role, and makes no mapping for a role that may not read it; so where no role could, there is
nothing to ask about. That rests on AWS's documentation and has not been tried on a real account, so an audit also asks
in some small regions where nothing points that way: the same ones each time, so that no verdict comes and goes.
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-permissions.html
https://docs.aws.amazon.com/lambda/latest/dg/process-mq-messages-with-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from commands.aws import policies, reads
from commands.aws.errors import AwsProblem
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
        self._unprompted: list[tuple[str, str, Identity]] = []  # account, region, whose credentials
        self._judged: dict[int, tuple[Document, bool]] = {}  # by identity: accounts share their policies' documents

    async def of(
        self, who: Identity, region: str, listed: Collection[Listed], known: Mapping[str, Role] | None
    ) -> Sources:
        """Those of a region that is worth asking. Raises AwsProblem.

        `known` are the execution roles by ARN; None where they could not be read.
        """
        if self._points_there(listed, known):
            return await self._ask(who, region)
        if len(listed) <= SMALL:
            self._unprompted.append((who.account, region, who))
        return {}

    async def unprompted(self) -> list[tuple[str, str, "Sources | AwsProblem"]]:
        """What small regions say to which nothing pointed: the first `UNPROMPTED` by account and region."""
        chosen = sorted(self._unprompted, key=lambda place: place[:2])[:UNPROMPTED]
        told = await asyncio.gather(*(self._answer(who, region) for _, region, who in chosen))
        return [(account, region, said) for (account, region, _), said in zip(chosen, told, strict=True)]

    async def _answer(self, who: Identity, region: str) -> "Sources | AwsProblem":
        try:
            return await self._ask(who, region)
        except AwsProblem as problem:
            return problem

    async def _ask(self, who: Identity, region: str) -> Sources:
        found: Sources = {}
        for source in await reads.event_sources(self._wire, who, region):
            found.setdefault(source.function_arn, set()).add(source.kind)
        return found

    def _points_there(self, listed: Collection[Listed], known: Mapping[str, Role] | None) -> bool:
        used = {each.role for each in listed if each.role}
        return known is None or any(arn not in known or self._could_read(known[arn]) for arn in used)

    def _could_read(self, role: Role) -> bool:
        """Whether a policy names one of the actions; its resources and conditions are not weighed."""
        return role.policies_unknown or any(self._names_one(document) for document in role.policies)

    def _names_one(self, document: Document) -> bool:
        if id(document) not in self._judged:
            self._judged[id(document)] = (document, policies.names_any(document, _NEEDED))
        return self._judged[id(document)][1]
