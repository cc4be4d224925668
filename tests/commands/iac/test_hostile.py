"""Templates put together by chance: what an uncomplicated reading calls absent must never pass."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.iac.cloudformation import check
from commands.iac.document import documents
from commands.iac.nouns import Outcome, Result
from commands.iac.values import May, judge

PATH = Path("t.yaml")
LEAVES = [
    "Active",
    "PassThrough",
    "!Ref AWS::NoValue",
    "!Ref On",
    "!Ref Off",
    "!Ref Asked",
    "!Sub '${On}'",
    "[]",
    "{}",
    "''",
]
DECISIONS = ["Prod", "Always", "Never", "Nowhere"]
HEAD = """
Parameters:
  On: {Type: String, Default: Active}
  Off: {Type: String, Default: PassThrough}
  Asked: {Type: String}
  Stage: {Type: String, Default: prod}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      TracingConfig: {Mode: %s}
"""


def decided(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("!If [{}, {}, {}]".format, st.sampled_from(DECISIONS), inner, inner)


modes = st.recursive(st.sampled_from(LEAVES), decided, max_leaves=6)
mays = st.builds(
    May,
    value=st.sampled_from([None, "Active", "PassThrough"]),
    absent=st.booleans(),
    doubt=st.sampled_from(["", "why"]),
    likely=st.sampled_from([True, False, None]),
)


def brute(mode: str, stage: str, on: str) -> str:
    """What one deployment makes of it."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, tag, node: (tag, _value(loader, node)))
    return _deployed(yaml.load(mode, Loader), stage, on)  # noqa: S506 - a loader of safe values


def _value(loader: object, node: object) -> object:
    if hasattr(node, "value") and isinstance(node.value, str):
        return node.value
    return loader.construct_sequence(node, deep=True)  # type: ignore[attr-defined]  # PyYAML's


def _deployed(value: object, stage: str, on: str) -> str:
    if not isinstance(value, tuple):
        return str(value)
    tag, given = value
    if tag == "If":
        name, then, otherwise = given
        holds = {"Prod": stage == "prod", "Always": True}.get(name, False)
        return _deployed(then if holds else otherwise, stage, on)
    return {"On": on, "${On}": on, "Off": "PassThrough"}.get(str(given), "nothing")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mode=modes)
def test_a_pass_is_active_whatever_the_stage(mode: str) -> None:
    (one,) = _read(mode)

    if one.outcome is Outcome.PASS:
        assert {brute(mode, stage, "Active") for stage in ("prod", "dev")} == {"Active"}
    elsewhere = any(doubt in mode for doubt in ("Asked", "[]", "{}", "Nowhere"))  # perhaps where no deployment comes
    if {brute(mode, stage, on) for stage in ("prod", "dev") for on in ("Active", "x")} == {"PassThrough"}:
        assert one.outcome is Outcome.FAIL or (elsewhere and one.outcome is Outcome.UNKNOWN)


def _read(mode: str) -> tuple[Result, ...]:
    (root,) = documents(HEAD % mode, json=False)
    return check(root, PATH, HEAD % mode).results


@given(st.lists(mays, max_size=4))
def test_only_active_passes(seen: list[May]) -> None:
    outcome, reason = judge(seen, "Mode")

    assert reason
    assert (outcome is Outcome.PASS) == (bool(seen) and all(one.value == "Active" for one in seen))
