"""How far traces go, as a card says it: on each runtime its own lines, and no ARN that may be another's."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from msgspec import structs

from bot.demo.slack import message_problems
from commands import COMMANDS
from commands._types import Slash
from commands.help import help_for
from commands.views.depth import depth_blocks, how_blocks
from storage.depth import Depth, Reach
from storage.models import CheckName, Finding, Function
from tests.commands.views.test_hostile import NASTY
from tests.commands.views.test_views import FUNCTION, words

SURFACE = Depth(Reach.SURFACE, "all 5 traces that were read have only Lambda's own segments")


def on(runtime: str | None, package: str = "Zip") -> Function:
    return structs.replace(FUNCTION, runtime=runtime, package_type=package)


@pytest.mark.parametrize(
    ("runtime", "said", "wrapper"),
    [
        ("python3.13", "AWSOpenTelemetryDistroPython", True),
        ("nodejs22.x", "AWSOpenTelemetryDistroJs", True),
        ("java21", "AWSOpenTelemetryDistroJava", True),
        ("dotnet8", "AWSOpenTelemetryDistroDotNet", True),
        ("ruby3.3", "opentelemetry-ruby", False),
        ("go1.x", "otellambda", False),
        ("provided.al2023", "aws-otel-collector", False),
        ("cobol85", "OpenTelemetry's SDK of its language", False),
    ],
)
def test_each_runtime_has_its_lines(runtime: str, said: str, wrapper: bool) -> None:
    shown = words(how_blocks(on(runtime)))

    assert said in shown
    assert f"`{runtime}`" in shown
    assert ("AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument" in shown) is wrapper
    assert "X-Ray SDKs in maintenance since February 2026" in shown
    assert "arn:aws:lambda" not in shown
    assert "Keep TracingConfig Active." in shown


def test_a_container_image_takes_no_layers() -> None:
    assert "A container image takes no layers" in words(how_blocks(on(None, "Image")))


def test_what_is_instrumented_needs_no_lines() -> None:
    shown = words(depth_blocks(Depth(Reach.CALLS, "5 of 5 traces that were read have calls: `S3`"), on("python3.13")))

    assert shown == "*Instrumented:* 5 of 5 traces that were read have calls: `S3`."


def test_what_nobody_could_see_is_not_known_and_the_configuration_decides_on_the_lines() -> None:
    depth = Depth(Reach.UNKNOWN, doubts=("no trace of it could be read: AccessDenied",))
    shallow = structs.replace(on("python3.13"), findings=(Finding(CheckName.SURFACE_ONLY, "Active, but …"),))

    assert "No trace of it could be read: AccessDenied." in words(depth_blocks(depth, on("python3.13")))
    assert "AWSOpenTelemetryDistro" not in words(depth_blocks(depth, structs.replace(on("python3.13"), findings=())))
    assert "AWSOpenTelemetryDistroPython" in words(depth_blocks(depth, shallow))


def test_help_says_it_for_every_runtime() -> None:
    (slash,) = [one for one in COMMANDS if isinstance(one, Slash) and one.command == "/trace-audit"]
    answer = help_for(slash, "help instrument")

    said = words(list(answer.blocks))
    for part in ("Python: `AWSOpenTelemetryDistroPython`", "Ruby", "otellambda", "custom runtime", "container image"):
        assert part in said
    assert "/opt/otel-instrument" in said
    assert "arn:aws:lambda" not in said
    assert message_problems(list(answer.blocks)) == []
    assert "`/trace-audit help instrument`" in words(list(help_for(slash, "help").blocks))


@given(NASTY, NASTY)
@settings(max_examples=50, deadline=None)
def test_no_name_breaks_slacks_limits_or_mentions_anybody(seen: str, doubt: str) -> None:
    laid = depth_blocks(replace(SURFACE, seen=seen, doubts=(doubt,)), on("python3.13"))

    assert message_problems(laid) == []
    assert "<@U0EVIL>" not in words(laid)
    assert "<!channel>" not in words(laid)
