"""What moto does not remember of a Lambda function: its revisions, its states, its tracing mode after an update.

moto keeps the function itself; this keeps a record beside each of its versions and describes both together as AWS does.
"""

import copy
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from moto.awslambda.utils import get_backend

from bot.demo.aws.knobs import Knobs
from bot.demo.aws.protocol import AwsError

# Runtimes for which Lambda blocks updates, with what it recommends instead.
BLOCKED_RUNTIMES = {
    "python2.7": "python3.13",
    "python3.6": "python3.13",
    "nodejs8.10": "nodejs22.x",
    "nodejs10.x": "nodejs22.x",
    "nodejs12.x": "nodejs22.x",
    "ruby2.5": "ruby3.4",
    "dotnetcore2.1": "dotnet8",
    "dotnetcore3.1": "dotnet8",
}
# Settings that a function carries and moto drops.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # before anybody asks
_KEPT = (
    "LoggingConfig",
    "DeadLetterConfig",
    "SnapStart",
    "FileSystemConfigs",
    "CapacityProviderConfig",
    "DurableConfig",
    "TenancyConfig",
)
_PUBLISHED = "$LATEST.PUBLISHED"
_ALWAYS_THERE = (
    "DeadLetterConfig",
    "Environment",
    "FileSystemConfigs",
    "KMSKeyArn",
    "Layers",
    "MasterArn",
    "VpcConfig",
)
_ROLE_REFUSED = "The provided execution role does not have permissions to call PutTraceSegments on XRAY"

MayTrace = Callable[
    [str, str], bool
]  # (account, role ARN): may the role call xray:PutTraceSegments, as Lambda sees it now?


@dataclass(slots=True)
class Record:
    """What is remembered beside one version of a function."""

    modified: datetime
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    master_arn: str | None = None  # of a Lambda@Edge replica
    settings: dict[str, Any] = field(default_factory=dict)
    pending_until: datetime | None = None  # just created or published
    updating_until: datetime | None = None

    def settle(self, now: datetime) -> None:
        """Finish what has come to its end; a finished update changes the RevisionId once more."""
        if self.pending_until and now >= self.pending_until:
            self.pending_until = None
        if self.updating_until and now >= self.updating_until:
            self.updating_until = None
            self.revision = str(uuid.uuid4())

    def touch(self, now: datetime) -> None:
        self.modified, self.revision = now, str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Reference:
    """What a FunctionName parameter names: a name, `name:qualifier`, or an ARN."""

    name: str
    qualifier: str | None

    @classmethod
    def of(cls, text: str, qualifier: str | None = None) -> "Reference":
        tail = text.partition(":function:")[2] or text
        name, _, inside = tail.partition(":")
        return cls(name, inside or qualifier)


class Functions:
    """All functions of all accounts, as AWS would describe them."""

    def __init__(self, knobs: Knobs, may_trace: MayTrace) -> None:
        self._knobs, self._may_trace = knobs, may_trace
        self._records: WeakKeyDictionary[Any, Record] = WeakKeyDictionary()
        self._modes: dict[tuple[str, str, str], list[tuple[datetime, str]]] = {}  # of $LATEST: since when it was which
        self._published: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # $LATEST -> $LATEST.PUBLISHED

    def record(self, version: Any) -> Record:
        """The record beside one of moto's function versions, brought up to now."""
        if version not in self._records:
            self._records[version] = Record(modified=_moto_time(version.last_modified))
        record = self._records[version]
        record.settle(self._knobs.clock())
        return record

    def backend(self, account: str, region: str) -> Any:
        """moto's Lambda of an account and region."""
        return get_backend(account, region)

    def versions(self, account: str, region: str) -> Iterator[Any]:
        """moto's objects: $LATEST of each function, followed by its published versions."""
        for stored in list(self.backend(account, region)._lambdas._functions.values()):
            yield stored["latest"]
            yield from stored["versions"]

    def find(self, account: str, region: str, reference: Reference) -> Any:
        """moto's object for a version; raises moto's ResourceNotFoundException.

        $LATEST.PUBLISHED, of which moto knows nothing, is what was published there, or else as a version, last.
        """
        backend, qualifier = self.backend(account, region), reference.qualifier
        if qualifier == _PUBLISHED:
            latest = backend.get_function(reference.name, None)
            versions = backend._lambdas._functions[reference.name]["versions"]
            if latest in self._published or versions:
                return self._published.get(latest) or versions[-1]
        return backend.get_function(reference.name, qualifier)

    def describe(self, version: Any, qualifier: str | None = None, listing: bool = False) -> dict[str, Any]:
        """A FunctionConfiguration. In a listing the states are null, as they are on AWS."""
        record = self.record(version)
        plain_arn = ":".join(version.function_arn.split(":")[:7])
        number = str(version.version)
        shown = qualifier or (number if number != "$LATEST" else None)
        said: dict[str, Any] = dict.fromkeys(_ALWAYS_THERE) | version.get_configuration()
        said |= {
            "FunctionArn": f"{plain_arn}:{shown}" if shown else plain_arn,
            "Version": number,
            "RevisionId": record.revision,
            "LastModified": record.modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "TracingConfig": {"Mode": version.tracing_config["Mode"]},
            "MasterArn": record.master_arn,
            "Layers": [dict(layer) for layer in version.layers] or None,
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{version.function_name}"},
            **record.settings,
        }
        states: dict[str, str | None] = {"State": None, "StateReason": None, "StateReasonCode": None}
        states |= {"LastUpdateStatus": None, "LastUpdateStatusReason": None, "LastUpdateStatusReasonCode": None}
        if not listing:
            states |= _states(record)
        return said | states

    def create(self, account: str, region: str, spec: dict[str, Any], seeding: bool = False) -> Any:
        """A new function; `seeding` skips what AWS would check or wait for, to bring in what older times left."""
        spec = dict(spec)
        if not seeding:
            _refuse_blocked(spec.get("Runtime"))
            self._refuse_untraceable(account, spec.get("Role", ""), _mode(spec))
        layers, publish = spec.pop("Layers", []), spec.pop("Publish", False)
        backend = self.backend(account, region)
        attached = _layers(backend, account, layers)
        backend.create_function(spec)
        version: Any = backend.get_function(spec["FunctionName"])
        version.layers = attached
        now = self._knobs.clock()
        record = Record(modified=now, settings={key: spec[key] for key in _KEPT if key in spec})
        record.pending_until = None if seeding else now + self._knobs.lambda_update
        self._records[version] = record
        return self.publish(account, region, version, seeding=True) if publish else version

    def update(self, account: str, region: str, reference: Reference, changes: dict[str, Any]) -> Any:
        """UpdateFunctionConfiguration; only what is given changes."""
        version = self.changeable(account, region, reference, changes.get("RevisionId"))
        _refuse_blocked(changes.get("Runtime") or version.run_time)
        mode = _mode(changes) or version.tracing_config["Mode"]
        if "TracingConfig" in changes or "Role" in changes:
            self._refuse_untraceable(account, changes.get("Role") or version.role, mode)
        if "Layers" in changes:
            version.layers = _layers(self.backend(account, region), account, changes["Layers"])
        version.update_configuration({key: value for key, value in changes.items() if key != "Layers"})
        self._note_mode(account, region, version, mode)
        version.tracing_config = {"Mode": mode}
        record = self.record(version)
        record.settings = record.settings | {key: changes[key] for key in _KEPT if key in changes}
        self.begin_update(version)
        return version

    def _note_mode(self, account: str, region: str, version: Any, mode: str) -> None:
        before = version.tracing_config["Mode"]
        if mode != before:
            kept = self._modes.setdefault((account, region, version.function_name), [(_ALWAYS, before)])
            kept.append((self._knobs.clock(), mode))

    def traced_between(
        self, account: str, region: str, name: str, start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """The parts of this time in which $LATEST was Active."""
        version = self.backend(account, region)._lambdas._functions[name]["latest"]
        modes = self._modes.get((account, region, name)) or [(_ALWAYS, version.tracing_config["Mode"])]
        for number, (since, mode) in enumerate(modes):
            until = modes[number + 1][0] if number + 1 < len(modes) else end
            if mode == "Active" and max(since, start) < min(until, end):
                yield max(since, start), min(until, end)

    def names(self, account: str, region: str) -> list[str]:
        return sorted(self.backend(account, region)._lambdas._functions)

    def publish(self, account: str, region: str, version: Any, description: str = "", seeding: bool = False) -> Any:
        """PublishVersion: freezes $LATEST as it is; the same version again where nothing changed since."""
        backend = self.backend(account, region)
        before = len(backend._lambdas._functions[version.function_name]["versions"])
        published = backend.publish_version(version.function_name, description)
        if len(backend._lambdas._functions[version.function_name]["versions"]) > before:
            now = self._knobs.clock()
            record = Record(modified=now, settings=dict(self.record(version).settings))
            record.pending_until = None if seeding else now + self._knobs.lambda_update
            self._records[published] = record
        return published

    def publish_latest(self, version: Any) -> Any:
        """PublishVersion to LATEST_PUBLISHED: what calls without a qualifier run on Managed Instances."""
        record = self.record(version)
        if not record.settings.get("CapacityProviderConfig"):
            text = "PublishTo is supported for functions on Lambda Managed Instances only."
            raise AwsError("InvalidParameterValueException", text)
        frozen = copy.copy(version)
        frozen.version = _PUBLISHED
        now = self._knobs.clock()
        kept = Record(modified=now, settings=dict(record.settings), pending_until=now + self._knobs.lambda_update)
        self._records[frozen], self._published[version] = kept, frozen
        return frozen

    def changeable(self, account: str, region: str, reference: Reference, revision: str | None) -> Any:
        """$LATEST of a function that may be changed now; otherwise the error that AWS answers."""
        if reference.qualifier not in (None, "$LATEST"):
            text = "Current operation does not support versions other than $LATEST. "
            text += "Please set the version to $LATEST or do not set a version in your request."
            raise AwsError("InvalidParameterValueException", text)
        version = self.find(account, region, Reference(reference.name, None))
        record = self.record(version)
        if revision and revision != record.revision:
            raise stale_revision("GetFunction")
        text = "The operation cannot be performed at this time. "
        if record.pending_until:
            text += "The function is currently in the following state: Pending"
            raise AwsError("ResourceConflictException", text, 409)
        if record.updating_until:
            text += f"An update is in progress for resource: {version.function_arn}"
            raise AwsError("ResourceConflictException", text, 409)
        return version

    def begin_update(self, version: Any) -> None:
        now = self._knobs.clock()
        record = self.record(version)
        record.touch(now)
        record.updating_until = now + self._knobs.lambda_update

    def finish(self) -> None:
        """Let every update and creation be over now."""
        for record in list(self._records.values()):
            record.settle(datetime.max.replace(tzinfo=UTC))

    def _refuse_untraceable(self, account: str, role: str, mode: str | None) -> None:
        if mode == "Active" and not self._may_trace(account, role):
            raise AwsError("InvalidParameterValueException", _ROLE_REFUSED)


def _mode(settings: Mapping[str, Any]) -> str | None:
    """The mode that a call asks for; AWS refuses a word that is none."""
    asked: str | None = (settings.get("TracingConfig") or {}).get("Mode")
    if asked not in (None, "Active", "PassThrough"):
        text = f"1 validation error detected: Value '{asked}' at 'tracingConfig.mode' failed to satisfy constraint: "
        raise AwsError("ValidationException", text + "Member must satisfy enum value set: [Active, PassThrough]")
    return asked


def _refuse_blocked(runtime: str | None) -> None:
    if newer := BLOCKED_RUNTIMES.get(runtime or ""):
        text = (
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
        )
        text += f"We recommend you use the new runtime ({newer}) while creating or updating functions."
        raise AwsError("InvalidParameterValueException", text)


def stale_revision(read_with: str) -> AwsError:
    text = "The Revision Id provided does not match the latest Revision Id. "
    text += f"Call the {read_with} API to retrieve the latest Revision Id"
    return AwsError("PreconditionFailedException", text, 412)


def _states(record: Record) -> dict[str, str | None]:
    if record.pending_until:
        return {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    if record.updating_until:
        reason = "The function is being updated."
        status = {"LastUpdateStatus": "InProgress", "LastUpdateStatusReason": reason}
        return {"State": "Active", **status, "LastUpdateStatusReasonCode": "Creating"}
    return {"State": "Active", "LastUpdateStatus": "Successful"}


def _layers(backend: Any, account: str, arns: list[str]) -> list[dict[str, Any]]:
    """Layer references; those of other accounts, public ones above all, are taken as they are."""
    found = []
    for arn in arns:
        known = backend.layers_versions_by_arn(arn) if arn.split(":")[4] == account else None
        if known is None and arn.split(":")[4] == account:
            raise AwsError("InvalidParameterValueException", f"Layer version {arn} does not exist.")
        found.append({"Arn": arn, "CodeSize": known.code_size if known else 24_000_000})
    return found


def _moto_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("+0000", "+00:00")).astimezone(UTC)
