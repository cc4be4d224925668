"""Lambda's operations as AWS answers them; what is not in `handlers` is moto's own answer."""

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.demo.aws.functions import Functions, Reference, stale_revision
from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.protocol import Answer, AwsError, Handler, Request, as_json

_PAGE = 50  # "even if you set the number higher"


class Lambdas:
    """Handlers for the operations that moto answers untruly."""

    def __init__(self, functions: Functions, knobs: Knobs) -> None:
        self._functions, self._knobs = functions, knobs

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateFunction": self._create,
            "GetFunction": self._get,
            "GetFunctionConfiguration": self._get_configuration,
            "UpdateFunctionConfiguration": self._update_configuration,
            "UpdateFunctionCode": self._update_code,
            "ListFunctions": self._list,
            "ListVersionsByFunction": self._list_versions,
            "PublishVersion": self._publish,
            "CreateAlias": self._create_alias,
            "GetAlias": self._get_alias,
            "ListAliases": self._list_aliases,
            "UpdateAlias": self._update_alias,
        }

    def _create(self, request: Request) -> Answer:
        spec = request.params
        backend = self._functions.backend(request.account, request.region)
        if spec["FunctionName"] in backend._lambdas._functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {spec['FunctionName']}", 409)
        version = self._functions.create(request.account, request.region, _encoded(spec))
        return as_json(self._functions.describe(version), 201)

    def _get(self, request: Request) -> Answer:
        version, described = self._read(request)
        code = {key: value for key, value in version.get_code().items() if key in ("Code", "Concurrency")}
        return as_json(code | {"Configuration": described, "Tags": version.tags or None})

    def _get_configuration(self, request: Request) -> Answer:
        return as_json(self._read(request)[1])

    def _read(self, request: Request) -> tuple[Any, dict[str, Any]]:
        reference = _reference(request)
        version = self._functions.find(request.account, request.region, reference)
        return version, self._functions.describe(version, reference.qualifier)

    def _update_configuration(self, request: Request) -> Answer:
        version = self._functions.update(request.account, request.region, _reference(request), request.params)
        return as_json(self._functions.describe(version))

    def _update_code(self, request: Request) -> Answer:
        wanted = _encoded(request.params)
        version = self._functions.changeable(
            request.account, request.region, _reference(request), wanted.get("RevisionId")
        )
        if not wanted.get("DryRun"):
            version.update_function_code(wanted)
            self._functions.begin_update(version)
        if wanted.get("Publish"):
            version = self._functions.publish(request.account, request.region, version)
        return as_json(self._functions.describe(version))

    def _list(self, request: Request) -> Answer:
        asked = request.params
        every, master = asked.get("FunctionVersion") == "ALL", asked.get("MasterRegion")
        if master and not every:
            raise AwsError(
                "InvalidParameterValueException", "FunctionVersion must be set to ALL if MasterRegion is specified"
            )
        found = [
            version
            for version in self._functions.versions(request.account, request.region)
            if every or str(version.version) == "$LATEST"
        ]
        if master:
            found = [version for version in found if self._replicates(version, master)]
        shown, after = page(found, min(_PAGE, asked.get("MaxItems") or _PAGE), asked.get("Marker"), _order, _BAD_MARKER)
        described = [
            self._functions.describe(version, str(version.version) if every else None, listing=True)
            for version in shown
        ]
        return as_json({"NextMarker": after, "Functions": described})

    def _replicates(self, version: Any, region: str) -> bool:
        master = self._functions.record(version).master_arn
        return master is not None and region in ("ALL", master.split(":")[3])

    def _list_versions(self, request: Request) -> Answer:
        latest = self._functions.find(request.account, request.region, Reference(_reference(request).name, None))
        found = [
            version
            for version in self._functions.versions(request.account, request.region)
            if version.function_name == latest.function_name
        ]
        asked = request.params
        shown, after = page(found, min(_PAGE, asked.get("MaxItems") or _PAGE), asked.get("Marker"), _order, _BAD_MARKER)
        described = [self._functions.describe(version, str(version.version), listing=True) for version in shown]
        return as_json({"NextMarker": after, "Versions": described})

    def _publish(self, request: Request) -> Answer:
        asked = request.params
        latest = self._functions.changeable(
            request.account, request.region, _reference(request), asked.get("RevisionId")
        )
        sha = asked.get("CodeSha256")
        if sha and sha != latest.code_sha_256:
            text = f"CodeSHA256 ({sha}) is different from current CodeSHA256 in $LATEST ({latest.code_sha_256}). "
            raise AwsError("InvalidParameterValueException", text + "Please try again with the CodeSHA256 in $LATEST.")
        if asked.get("PublishTo"):
            return as_json(self._functions.describe(self._functions.publish_latest(latest)), 201)
        published = self._functions.publish(request.account, request.region, latest, asked.get("Description") or "")
        return as_json(self._functions.describe(published), 201)

    def _create_alias(self, request: Request) -> Answer:
        asked = request.params
        alias = self._functions.backend(request.account, request.region).create_alias(
            name=asked["Name"],
            function_name=_reference(request).name,
            function_version=asked["FunctionVersion"],
            description=asked.get("Description") or "",
            routing_config=_weights(asked.get("RoutingConfig")),
        )
        return as_json(_alias(alias), 201)

    def _get_alias(self, request: Request) -> Answer:
        return as_json(_alias(self._alias(request)))

    def _alias(self, request: Request) -> Any:
        backend = self._functions.backend(request.account, request.region)
        return backend.get_alias(request.params["Name"], _reference(request).name)

    def _list_aliases(self, request: Request) -> Answer:
        asked, name = request.params, _reference(request).name
        self._functions.find(request.account, request.region, Reference(name, None))
        found = self._functions.backend(request.account, request.region).list_aliases(name)
        wanted = asked.get("FunctionVersion")
        serving = [alias for alias in found if wanted is None or wanted in _served(alias)]
        size = min(_PAGE, asked.get("MaxItems") or _PAGE)
        shown, after = page(serving, size, asked.get("Marker"), lambda alias: str(alias.name), _BAD_MARKER)
        return as_json({"NextMarker": after, "Aliases": [_alias(alias) for alias in shown]})

    def _update_alias(self, request: Request) -> Answer:
        asked, alias = request.params, self._alias(request)
        if asked.get("RevisionId") and asked["RevisionId"] != alias.revision_id:
            raise stale_revision("GetAlias")
        name, version = _reference(request).name, asked.get("FunctionVersion")
        for served in {version, *(asked.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})} - {None}:
            self._functions.find(request.account, request.region, Reference(name, served))
        alias.update(asked.get("Description"), version, None)
        if "RoutingConfig" in asked:
            alias.routing_config = _weights(asked["RoutingConfig"])
        alias.revision_id = str(uuid.uuid4())
        return as_json(_alias(alias))


class EventSources:
    """Event source mappings of every kind; moto knows neither Kafka, nor MQ, nor DocumentDB, nor pages."""

    def __init__(self, functions: Functions, knobs: Knobs) -> None:
        self._functions, self._knobs = functions, knobs
        self._mappings: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateEventSourceMapping": lambda request: as_json(
                self.create(request.account, request.region, request.params), 202
            ),
            "GetEventSourceMapping": lambda request: as_json(self._find(request)),
            "UpdateEventSourceMapping": self._update,
            "DeleteEventSourceMapping": self._delete,
            "ListEventSourceMappings": self._list,
        }

    def create(self, account: str, region: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """A mapping, enabled; `spec` as CreateEventSourceMapping takes it."""
        reference = Reference.of(spec["FunctionName"])
        version = self._functions.find(account, region, reference)
        identity = str(uuid.uuid4())
        enabled = spec.get("Enabled", True)
        mapping = {key: _plain(value) for key, value in spec.items() if key not in ("FunctionName", "Enabled", "Tags")}
        mapping |= {
            "UUID": identity,
            "FunctionArn": self._functions.describe(version, reference.qualifier)["FunctionArn"],
            "State": "Enabled" if enabled else "Disabled",
            "StateTransitionReason": "User action",
            "LastModified": self._knobs.clock().timestamp(),
            "EventSourceMappingArn": f"arn:aws:lambda:{region}:{account}:event-source-mapping:{identity}",
        }
        self._mappings.setdefault((account, region), {})[identity] = mapping
        return mapping

    def _find(self, request: Request) -> dict[str, Any]:
        try:
            return self._mappings.get((request.account, request.region), {})[request.params["UUID"]]
        except KeyError:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404) from None

    def _update(self, request: Request) -> Answer:
        mapping = self._find(request)
        mapping.update({key: _plain(value) for key, value in request.params.items() if key in mapping})
        if "Enabled" in request.params:
            mapping["State"] = "Enabled" if request.params["Enabled"] else "Disabled"
        return as_json(mapping, 202)

    def _delete(self, request: Request) -> Answer:
        mapping = self._find(request)
        del self._mappings[request.account, request.region][mapping["UUID"]]
        return as_json(mapping | {"State": "Deleting"}, 202)

    def _list(self, request: Request) -> Answer:
        asked = request.params
        found = list(self._mappings.get((request.account, request.region), {}).values())
        if source := asked.get("EventSourceArn"):
            found = [mapping for mapping in found if mapping.get("EventSourceArn") == source]
        if name := asked.get("FunctionName"):
            found = [mapping for mapping in found if Reference.of(mapping["FunctionArn"]) == Reference.of(name)]
        size = min(100, asked.get("MaxItems") or 100)
        shown, after = page(found, size, asked.get("Marker"), lambda mapping: str(mapping["UUID"]), _BAD_MARKER)
        return as_json({"NextMarker": after, "EventSourceMappings": shown})


_BAD_MARKER = AwsError("InvalidParameterValueException", "The provided marker is not valid")


def _reference(request: Request) -> Reference:
    """The function that a call names; an ARN of another region or account is not reachable."""
    named = request.params["FunctionName"]
    if named.startswith("arn:"):
        region, account = named.split(":")[3:5]
        if region != request.region:
            text = f"Functions from '{region}' are not reachable in this region ('{request.region}')"
            raise AwsError("ResourceNotFoundException", text, 404)
        if account != request.account:
            text = (
                f"Account {request.account} is not authorized to perform: lambda:{request.action} on resource: {named}"
            )
            raise AwsError("AccessDeniedException", text, 403)
    return Reference.of(named, request.params.get("Qualifier"))


def _order(version: Any) -> str:
    number = str(version.version)
    return f"{version.function_name}\0{0 if number == '$LATEST' else int(number):08d}"


def _encoded(spec: Mapping[str, Any]) -> dict[str, Any]:
    """moto reads code as it came over HTTP, in base64."""
    spec = dict(spec)
    for holder in (spec, spec.get("Code")):
        if holder and isinstance(holder.get("ZipFile"), bytes):
            holder["ZipFile"] = base64.b64encode(holder["ZipFile"]).decode()
    return spec


def _alias(alias: Any) -> dict[str, Any]:
    described: dict[str, Any] = alias.to_json()
    return described


def _served(alias: Any) -> set[str]:
    return {alias.function_version, *(alias.routing_config or {}).get("AdditionalVersionWeights", {})}


def _weights(routing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A RoutingConfig with weights in it, or None: an empty one ends a canary."""
    weights = (routing or {}).get("AdditionalVersionWeights")
    return {"AdditionalVersionWeights": dict(weights)} if weights else None


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value
