"""What layers, handlers and the names of settings tell of instrumentation, and what they do not."""

import pytest

from commands.aws import instrumentation
from storage.models import Function, TracingMode

FUNCTION = {
    "arn": "arn:aws:lambda:eu-central-1:111122223333:function:refund",
    "account": "111122223333",
    "region": "eu-central-1",
    "name": "refund",
    "mode": TracingMode.ACTIVE,
    "package_type": "Zip",
}


def function(layer=None, handler="app.handler", keys=("STAGE",), **facts):
    layers = (f"arn:aws:lambda:eu-central-1:{layer}:1",) if layer else ()
    return Function(**{**FUNCTION, "layers": layers, "handler": handler, "environment_keys": keys, **facts})


@pytest.mark.parametrize(
    "facts",
    [
        {"layer": "615299751070:layer:AWSOpenTelemetryDistroPython"},
        {"layer": "888577020596:layer:AWSOpenTelemetryDistroJs"},
        {"layer": "901920570463:layer:aws-otel-nodejs-amd64-ver-1-30-2"},
        {"layer": "184161586896:layer:opentelemetry-collector-arm64-0_15_0"},
        {"layer": "017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64"},
        {"keys": ("STAGE", "AWS_LAMBDA_EXEC_WRAPPER")},
        {"keys": ("OTEL_SERVICE_NAME",)},
        {"keys": ("OPENTELEMETRY_COLLECTOR_CONFIG_URI",)},
        {"keys": ("POWERTOOLS_SERVICE_NAME",)},
        {"keys": ("POWERTOOLS_TRACE_DISABLED",)},
        {"keys": ("AWS_XRAY_CONTEXT_MISSING",)},
    ],
)
def test_instrumentation_for_x_ray_is_recognised_and_is_no_vendors(facts):
    assert instrumentation.recognised(function(**facts)) is True
    assert instrumentation.vendors(function(**facts)) == {}


@pytest.mark.parametrize(
    ("facts", "vendor"),
    [
        ({"layer": "464622532012:layer:Datadog-Python313"}, "Datadog"),
        ({"layer": "002406178527:layer:Datadog-Extension-ARM"}, "Datadog"),
        ({"handler": "datadog_lambda.handler.handler"}, "Datadog"),
        ({"handler": "/opt/nodejs/node_modules/datadog-lambda-js/handler.handler"}, "Datadog"),
        ({"keys": ("DD_TRACE_ENABLED",)}, "Datadog"),
        ({"layer": "451483290750:layer:NewRelicPython312"}, "New Relic"),
        ({"handler": "newrelic_lambda_wrapper.handler"}, "New Relic"),
        ({"handler": "newrelic-lambda-wrapper.handler"}, "New Relic"),
        ({"handler": "com.newrelic.java.HandlerWrapper::handleRequest"}, "New Relic"),
        ({"keys": ("NEW_RELIC_LAMBDA_HANDLER",)}, "New Relic"),
        ({"layer": "725887861453:layer:Dynatrace_OneAgent_1_311_2_20250307-045250_python"}, "Dynatrace"),
        ({"keys": ("DT_CONNECTION_BASE_URL",)}, "Dynatrace"),
        ({"layer": "114300393969:layer:lumigo-node-tracer"}, "Lumigo"),
        ({"handler": "/opt/python/lumigo_tracer._handler"}, "Lumigo"),
        ({"keys": ("LUMIGO_TRACER_TOKEN",)}, "Lumigo"),
        ({"layer": "943013980633:layer:SentryNodeServerlessSDK", "keys": ("SENTRY_TRACES_SAMPLE_RATE",)}, "Sentry"),
        ({"layer": "410797082306:layer:instana-nodejs"}, "Instana"),
        ({"handler": "instana-aws-lambda-auto-wrap.handler"}, "Instana"),
        ({"layer": "267093732750:layer:elastic-apm-python-ver-6-25-0"}, "Elastic"),
        ({"keys": ("ELASTIC_APM_SERVICE_NAME",)}, "Elastic"),
        ({"keys": ("HONEYCOMB_TRACES_DATASET",)}, "Honeycomb"),
        ({"layer": "066549572091:layer:epsagon-node-layer"}, "Epsagon"),
        ({"layer": "269863060030:layer:thundra-lambda-node-layer"}, "Thundra"),
        ({"layer": "254067382080:layer:splunk-apm"}, "Splunk"),
        ({"layer": "338050622354:layer:appdynamics-lambda-extension"}, "AppDynamics"),
    ],
)
def test_a_vendor_is_recognised(facts, vendor):
    assert list(instrumentation.vendors(function(**facts))) == [vendor]
    assert instrumentation.recognised(function(**facts)) is True


@pytest.mark.parametrize(
    "keys", [("DD_API_KEY", "DD_SITE"), ("NEW_RELIC_LICENSE_KEY",), ("SENTRY_DSN",), ("HONEYCOMB_API_KEY",)]
)
def test_a_key_to_a_vendors_api_may_be_there_for_logs_or_errors(keys):
    assert instrumentation.vendors(function(keys=keys)) == {}
    assert instrumentation.recognised(function(keys=keys)) is True  # something is there; of what kind, nobody can tell


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"layer": "580247275435:layer:LambdaInsightsExtension"},
        {"layer": "111122223333:layer:our-own-datadog-wrapper"},
        {"handler": "my_datadog_lambda.handler"},
        {"keys": ("ADD_TRACE_ID", "MY_OTEL_KEY")},
    ],
)
def test_metrics_and_lookalikes_are_no_instrumentation(facts):
    assert instrumentation.recognised(function(**facts)) is False
    assert instrumentation.vendors(function(**facts)) == {}


@pytest.mark.parametrize("facts", [{"package_type": "Image", "handler": None}, {"keys": None}, {"package_type": None}])
def test_where_there_is_no_telling_nothing_is_said(facts):
    assert instrumentation.recognised(function(**facts)) is None


def test_a_vendor_is_named_with_what_shows_it_and_each_once():
    seen = function("464622532012:layer:Datadog-Extension", keys=("DD_TRACE_ENABLED", "LUMIGO_TRACER_TOKEN"))

    assert instrumentation.vendors(seen) == {
        "Datadog": "layer `Datadog-Extension`",
        "Lumigo": "setting `LUMIGO_TRACER_TOKEN`",
    }
