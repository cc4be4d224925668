"""How far a function's traces go, and the lines that make them go further on its own runtime."""

from dataclasses import dataclass

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import clip, code, prose, sentence
from storage.depth import Depth, Reach
from storage.models import CheckName, Function

DOUBT_SHOWN = 300
# Layers are made for each region and architecture, and get a new version now and then: no ARN is given here.
WHERE_LAYERS = "https://aws-otel.github.io/docs/getting-started/lambda"
WHERE_COMMUNITY = "https://opentelemetry.io/docs/platforms/faas/lambda-auto-instrument/"
WHERE_GO = "https://aws-otel.github.io/docs/getting-started/lambda/lambda-go"
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument"


@dataclass(frozen=True, slots=True)
class _Way:
    """Of instrumenting a kind of runtime."""

    how: str  # a sentence
    where: str  # to read on
    lines: str = ""  # to copy
    layer: str = ""  # of ADOT, by its name


def _by_layer(layer: str) -> _Way:
    how = f"Add the layer `{layer}` of the function's region and architecture, and set the variable. The code stays."
    return _Way(how, WHERE_LAYERS, f"layer:     {layer}\nvariable:  {WRAPPER}", layer)


# By how Lambda's name of the runtime begins. The layers and their one wrapper are AWS's recommended ones; Go, Ruby and
# custom runtimes have none. https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda.AdotInstrumentationConfig.html
_WAYS = {
    "python": _by_layer("AWSOpenTelemetryDistroPython"),
    "nodejs": _by_layer("AWSOpenTelemetryDistroJs"),
    "java": _by_layer("AWSOpenTelemetryDistroJava"),
    "dotnet": _by_layer("AWSOpenTelemetryDistroDotNet"),
    "ruby": _Way(
        "ADOT has no layer for Ruby: take the OpenTelemetry community's, with that of its collector.",
        WHERE_COMMUNITY,
        "layers:    opentelemetry-ruby, opentelemetry-collector\nvariable:  AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler",
    ),
    "go": _Way(
        "Go is instrumented in its code: wrap the handler with `otellambda`, and add the collector's layer.",
        WHERE_GO,
        "import:    go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda\n"
        "layer:     aws-otel-collector",
    ),
    "provided": _Way(
        "A custom runtime is instrumented in its code, with OpenTelemetry's SDK of its language (in Go, `otellambda`), "
        "and the collector's layer sends what that makes.",
        WHERE_GO,
        "layer:     aws-otel-collector",
    ),
}
_IMAGE = _Way(
    "A container image takes no layers: build OpenTelemetry's SDK, or what the ADOT layer of its language holds (under "
    "`/opt`), into the image.",
    WHERE_LAYERS,
    f"variable:  {WRAPPER}",
)
_OTHER = _Way("Use OpenTelemetry's SDK of its language.", WHERE_LAYERS)
_NOT_THE_SDK = "AWS keeps its X-Ray SDKs in maintenance since February 2026: take OpenTelemetry for what is new."


def way_for(function: Function) -> _Way:
    """By its runtime; a container image has none."""
    if function.package_type == "Image" or function.runtime is None:
        return _IMAGE
    return next((way for start, way in _WAYS.items() if function.runtime.startswith(start)), _OTHER)


def depth_blocks(depth: Depth, function: Function) -> list[Block]:
    """One to five blocks: what was seen, and where that is only the surface, the lines for the function's runtime."""
    doubts = " ".join(sentence(prose(clip(doubt, DOUBT_SHOWN))) for doubt in depth.doubts)
    match depth.reach:
        case Reach.CALLS:
            made = [blocks.section(f"*Instrumented:* {prose(depth.seen)}.")]
        case Reach.SURFACE:
            made = [blocks.section(f"*Surface only:* {prose(depth.seen)}.")]
        case Reach.UNKNOWN:
            made = [blocks.section("*How deep its traces go is not known* beyond what its configuration shows.")]
    if doubts:
        made.append(blocks.context(doubts))
    shallow = depth.reach is Reach.SURFACE or (depth.reach is Reach.UNKNOWN and _looks_shallow(function))
    return [*made, *(how_blocks(function) if shallow else [])]


def _looks_shallow(function: Function) -> bool:
    """By its configuration alone."""
    return any(finding.check is CheckName.SURFACE_ONLY for finding in function.findings)


def how_blocks(function: Function) -> list[Block]:
    """Two blocks or three: how to instrument it."""
    way = way_for(function)
    runtime = code(function.runtime) if function.runtime else "a container image"
    said = f"*To see what it calls* ({runtime}): {prose(way.how)} Keep TracingConfig Active."
    made = [blocks.section(said), *([blocks.preformatted(way.lines)] if way.lines else [])]
    return [*made, blocks.context(f"{_NOT_THE_SDK} <{way.where}|How it is done, and the layers' ARNs>")]


def guide() -> list[Block]:
    """For whoever asks, of any runtime."""
    named = {"python": "Python", "nodejs": "Node.js", "java": "Java", "dotnet": ".NET"}
    layers = [f"• {name}: `{_WAYS[key].layer}`" for key, name in named.items()]
    others = [f"• {prose(_WAYS[key].how)}" for key in ("ruby", "go", "provided")]
    return [
        blocks.section("*How a function is instrumented, so that its traces show what it calls*"),
        blocks.section(
            "Active tracing alone records that it ran, and how long. With ADOT, AWS's distribution of OpenTelemetry, "
            "add the layer of the function's region and architecture, set one variable, and leave the code as it is:\n"
            + "\n".join(layers)
        ),
        blocks.preformatted(WRAPPER),
        blocks.section("\n".join([*others, f"• {prose(_IMAGE.how)}"])),
        blocks.context(
            f"{_NOT_THE_SDK} <{WHERE_LAYERS}|The layers and their ARNs> · <{WHERE_COMMUNITY}|The community's layers>. "
            "`/trace-audit` and a function's name shows how far its traces go, and the lines for its runtime."
        ),
    ]
