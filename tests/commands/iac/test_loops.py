"""Functions that Fn::ForEach makes."""

from pathlib import Path

import pytest

from tests.commands.iac.checking import laid, said


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("TracingConfig: {Mode: Active}", "pass"),
        ("Handler: a.b", "fail"),
        ("TracingConfig: {Mode: !FindInMap [M, a, !Ref Name]}", "unknown"),
        ("TracingConfig: {Mode: !Ref Name}", "unknown"),
        ("TracingConfig: {Mode: '${Name}'}", "unknown"),
        ("TracingConfig: {Mode: '&{Name}'}", "unknown"),
    ],
)
def test_functions_of_loops_are_judged(tmp_path: Path, properties: str, expected: str) -> None:
    text = f"""
        Transform: AWS::LanguageExtensions
        Mappings: {{M: {{a: {{x: Active, y: PassThrough}}}}}}
        Resources:
          Fn::ForEach::Outer:
            - Stage
            - [x]
            - Fn::ForEach::Each:
                - Name
                - [x, y]
                - Fn${{Name}}:
                    Type: AWS::Lambda::Function
                    Properties: {{{properties}}}
    """

    assert said(laid(tmp_path, {"t.yaml": text})) == {"Fn${Name}": expected}


@pytest.mark.parametrize("kind", ["'${Kind}'", "AWS::S3::Bucket, Properties: !Transform {Name: AWS::Include}"])
def test_what_a_loop_or_a_macro_makes_may_be_functions(tmp_path: Path, kind: str) -> None:
    text = f"""
        Transform: AWS::LanguageExtensions
        Resources:
          Fn::ForEach::Each: [Kind, [a, b], {{"F${{Kind}}": {{Type: {kind}}}}}]
          Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: s3://a/b}}}}
    """

    assert said(laid(tmp_path, {"t.yaml": text})) == {"Fn::ForEach::Each": "unknown", "Fn::Transform": "unknown"}
