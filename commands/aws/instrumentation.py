"""What a function's layers, handler and settings show of instrumentation: the tables, and how they are read. Pure.

Layers go by their name, because the accounts that publish them differ from region to region and people copy them. Of
environment variables there are only the names. A library inside the package cannot be seen.
"""

from functools import lru_cache
from typing import NamedTuple

from storage.models import Function

# Instrumentation whose segments can reach X-Ray: ADOT and Application Signals, the OpenTelemetry community's layers,
# and Powertools (its layer holds the Tracer; whether it is used does not show).
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
# https://aws-otel.github.io/docs/getting-started/lambda
# https://docs.powertools.aws.dev/lambda/python/latest/core/tracer/
_LAYERS = ("awsopentelemetrydistro", "aws-otel-", "opentelemetry-", "awslambdapowertools")
_KEYS = (
    "AWS_LAMBDA_EXEC_WRAPPER",
    "OTEL_",
    "OPENTELEMETRY_COLLECTOR_CONFIG_",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_TRACE_",
    "AWS_XRAY_",
)


class _Vendor(NamedTuple):
    """How a vendor's tracing shows. `keys` are what only tracing needs: a key to its API may be there for logs."""

    name: str
    layers: tuple[str, ...]  # how their names begin, in lower case
    handlers: tuple[str, ...]  # how the wrapper that stands in for the function's own handler begins, after any folder
    keys: tuple[str, ...]  # how they begin
    any_keys: tuple[str, ...] = ()  # how any setting of the vendor's begins: too little to say that it traces


# From the vendors' installation guides and what public repositories make of them, in November 2026. Not here is
# LambdaInsightsExtension, which measures and traces nothing, nor what ships logs and metrics only.
_VENDORS = (
    _Vendor(
        "Datadog",
        ("datadog-",),
        ("datadog_lambda.", "datadog-lambda-js/"),
        ("DD_LAMBDA_HANDLER", "DD_TRACE_", "DD_MERGE_XRAY_TRACES", "DD_APM_"),
        ("DD_",),
    ),
    _Vendor(
        "New Relic",
        ("newrelic",),
        ("newrelic_lambda_wrapper.", "newrelic-lambda-wrapper", "com.newrelic.java."),
        ("NEW_RELIC_LAMBDA_HANDLER", "NEW_RELIC_DISTRIBUTED_TRACING_"),
        ("NEW_RELIC_",),
    ),
    _Vendor("Dynatrace", ("dynatrace_oneagent",), (), ("DT_CONNECTION_", "DT_OPEN_TELEMETRY_"), ("DT_",)),
    _Vendor(
        "Lumigo", ("lumigo-",), ("lumigo_tracer.", "lumigo-auto-instrument."), ("LUMIGO_TRACER_TOKEN",), ("LUMIGO_",)
    ),
    # Its layer and its DSN report errors; spans it sends where a sample rate asks for them.
    _Vendor("Sentry", (), (), ("SENTRY_TRACES_",), ("SENTRY_",)),
    _Vendor("Instana", ("instana-",), ("instana-aws-lambda-",), ("INSTANA_ENDPOINT_URL",), ("INSTANA_",)),
    _Vendor("Elastic", ("elastic-apm-",), (), ("ELASTIC_APM_",)),
    # Its extension layer carries log lines as well as spans.
    _Vendor("Honeycomb", (), (), ("HONEYCOMB_TRACES_",), ("HONEYCOMB_", "LIBHONEY_")),
    _Vendor("Epsagon", ("epsagon-",), (), ("EPSAGON_HANDLER", "EPSAGON_TOKEN")),
    _Vendor("Thundra", ("thundra-lambda-",), ("thundra_handler.", "io.thundra."), ("THUNDRA_APIKEY", "thundra_apiKey")),
    _Vendor("Splunk", ("splunk-apm", "signalfx-lambda-"), (), ("SIGNALFX_TRACING_",), ("SPLUNK_", "SIGNALFX_")),
    _Vendor(
        "AppDynamics",
        ("appdynamics-lambda-",),
        ("appdynamics-lambda-",),
        ("APPDYNAMICS_CONTROLLER_HOST", "APPDYNAMICS_SERVERLESS_API_ENDPOINT"),
        ("APPDYNAMICS_",),
    ),
)
_ANY_KEY = _KEYS + tuple(key for vendor in _VENDORS for key in (*vendor.keys, *vendor.any_keys))

_remembered = lru_cache(8192)  # thousands of functions share layers, handlers and the names of their settings


class _Sign(NamedTuple):
    vendor: str
    what: str  # "layer `Datadog-Python313`"


def recognised(function: Function) -> bool | None:
    """Whether something shows that spans of its own are made; None where there is no telling.

    A container image hides its libraries, and settings may be encrypted with a key that is not ours to use.
    """
    keys = function.environment_keys
    if _known(function.layers, keys or ()) or vendors(function):
        return True
    return None if keys is None or function.package_type != "Zip" else False


def vendors(function: Function) -> dict[str, str]:
    """Vendors that trace the function, and what shows it."""
    signs = _signs(function.layers, function.environment_keys or ())
    if wrapper := _of_handler(function.handler):
        signs = (wrapper, *signs)
    return {sign.vendor: sign.what for sign in reversed(signs)} if signs else {}


@_remembered
def _known(layers: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    return any(map(_known_layer, layers)) or any(map(_known_key, keys))


@_remembered
def _signs(layers: tuple[str, ...], keys: tuple[str, ...]) -> tuple[_Sign, ...]:
    return tuple(sign for sign in (*map(_of_layer, layers), *map(_of_key, keys)) if sign)


@_remembered
def _known_layer(arn: str) -> bool:
    return _layer_name(arn).lower().startswith(_LAYERS)


@_remembered
def _known_key(key: str) -> bool:
    return key.startswith(_ANY_KEY)


@_remembered
def _of_layer(arn: str) -> _Sign | None:
    name = _layer_name(arn)
    found = (vendor for vendor in _VENDORS if name.lower().startswith(vendor.layers))
    return next((_Sign(vendor.name, f"layer `{name}`") for vendor in found), None)


@_remembered
def _of_handler(handler: str | None) -> _Sign | None:
    for vendor in _VENDORS if handler else ():
        if any(f"/{start}" in f"/{handler}" for start in vendor.handlers):
            return _Sign(vendor.name, f"handler `{handler}`")
    return None


@_remembered
def _of_key(key: str) -> _Sign | None:
    found = (vendor for vendor in _VENDORS if key.startswith(vendor.keys))
    return next((_Sign(vendor.name, f"setting `{key}`") for vendor in found), None)


def _layer_name(arn: str) -> str:
    """`name` of `arn:aws:lambda:region:account:layer:name:version`."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else ""
