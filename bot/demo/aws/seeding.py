"""Bringing things into the stand-in without a call: at once, unchecked, and dated as one likes."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.demo.aws.functions import Functions, Reference
from bot.demo.aws.knobs import Knobs
from bot.demo.aws.lambdas import EventSources
from bot.demo.aws.listings import Tags
from bot.demo.aws.policies import Document
from bot.demo.aws.roles import iam


class Seeding:
    """Base of the stand-in: makers of roles, users and functions. What they make counts immediately."""

    _knobs: Knobs
    functions: Functions
    event_sources: EventSources
    _tags: Tags

    def now(self) -> datetime:
        """What the stand-in's clock says."""
        return self._knobs.clock()

    def create_role(
        self,
        account: str,
        name: str,
        trust: Document,
        *,
        attached: Sequence[str] = (),
        inline: Mapping[str, Document] | None = None,
        boundary: str | None = None,
        path: str = "/",
        max_session: int = 3600,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """A role, by its ARN. `attached` and `boundary` are ARNs of policies; AWS's own are all there."""
        backend = iam(account)
        marks = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        role = backend.create_role(name, json.dumps(trust), path, boundary, "", marks, str(max_session))
        for arn in attached:
            backend.attach_role_policy(arn, name)
        for policy, document in (inline or {}).items():
            backend.put_role_policy(name, policy, json.dumps(document))
        return str(role.arn)

    def create_policy(self, account: str, name: str, document: Document) -> str:
        """A customer managed policy, by its ARN."""
        return str(iam(account).create_policy("", "/", json.dumps(document), name, {}).arn)

    def create_user(self, account: str, name: str, policy: Document) -> tuple[str, str]:
        """An IAM user with one inline policy: access key id and secret."""
        backend = iam(account)
        backend.create_user("aws", name)
        backend.put_user_policy(name, name, json.dumps(policy))
        key = backend.create_access_key(name)
        return str(key.access_key_id), str(key.secret_access_key)

    def seed_function(
        self, account: str, region: str, spec: Mapping[str, Any], modified: datetime, master_arn: str | None = None
    ) -> str:
        """A function as CreateFunction takes it, last modified then; `master_arn` makes it a replica of Lambda@Edge."""
        version = self.functions.create(account, region, dict(spec), seeding=True)
        record = self.functions.record(version)
        record.modified, record.master_arn = modified, master_arn
        return str(version.function_arn)

    def seed_tracing_mode(self, arn: str, mode: str, modified: datetime) -> None:
        """Set $LATEST's TracingConfig, whatever its role may do."""
        version = self._latest(arn)
        version.tracing_config = {"Mode": mode}
        version.code_or_config_updated = True
        self.functions.record(version).touch(modified)

    def seed_version(self, arn: str, modified: datetime) -> str:
        """Publish $LATEST as it is: the version's number."""
        account, region = _place(arn)
        published = self.functions.publish(account, region, self._latest(arn), seeding=True)
        self.functions.record(published).modified = modified
        return str(published.version)

    def seed_alias(self, arn: str, name: str, version: str, weights: Mapping[str, float] | None = None) -> None:
        """An alias of a published version; `weights` send a share to another one."""
        routing = {"AdditionalVersionWeights": dict(weights)} if weights else None
        self.functions.backend(*_place(arn)).create_alias(name, Reference.of(arn).name, version, "", routing)

    def seed_stack(self, account: str, region: str, name: str, tags: Mapping[str, str]) -> dict[str, str]:
        """A CloudFormation stack: the tags that AWS gives what it makes. Tags of its own are not passed on here."""
        arn = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/0a1b2c3d-0000-4000-8000-00000000abcd"
        self._tags.stack(account, region, arn, tags)
        marks = {"stack-name": name, "stack-id": arn, "logical-id": "Function"}
        return {f"aws:cloudformation:{mark}": value for mark, value in marks.items()}

    def seed_event_source(self, arn: str, mapping: Mapping[str, Any]) -> None:
        """An enabled event source mapping of any kind, as CreateEventSourceMapping takes it."""
        self.event_sources.create(*_place(arn), {**mapping, "FunctionName": arn})

    def _latest(self, arn: str) -> Any:
        return self.functions.find(*_place(arn), Reference(Reference.of(arn).name, None))


def _place(arn: str) -> tuple[str, str]:
    """(account, region)"""
    return arn.split(":")[4], arn.split(":")[3]
