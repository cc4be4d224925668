"""CloudFormation, as far as the templates of ours go: what AWS would make of one. Moto's own takes ten packages more.

Whatever is not understood here is refused, so that no template can mean more to AWS than it does here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

_NOTHING = object()  # AWS::NoValue
_SUBSTITUTED = re.compile(r"\$\{([\w:.]+)\}")


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of functions: `!Ref x` is {"Ref": "x"}."""


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has no fourth kind
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_form)


@lru_cache
def _parsed(text: str) -> Mapping[str, Any]:
    """Not to be changed; reading takes ten times as long as all the rest."""
    return yaml.load(text, _Loader)  # type: ignore[no-any-return]  # noqa: S506 - a safe loader with short forms


@dataclass
class Stack:
    """A template with its parameters, in an account and Region. Raises ValueError where AWS would refuse it."""

    text: str
    parameters: Mapping[str, str]
    account: str
    region: str
    name: str = "stack"
    resources: dict[str, Mapping[str, Any]] = field(init=False, default_factory=dict)  # those that are made, resolved
    outputs: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.template = _parsed(self.text)
        self._values = self._given()
        conditions = self.template.get("Conditions", {})
        self._conditions = {name: self._condition(said) for name, said in conditions.items()}
        self._made = {name: one for name, one in self.template["Resources"].items() if self._is_made(one)}
        for name, one in self._made.items():
            self.resources[name] = {"Type": one["Type"], "Properties": self._resolve(one.get("Properties", {}))}
        for name, one in self.template.get("Outputs", {}).items():
            if self._is_made(one):
                self.outputs[name] = self._resolve(one["Value"])

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        """The properties of the resources of a type."""
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def _given(self) -> dict[str, Any]:
        declared = self.template.get("Parameters", {})
        if unknown := self.parameters.keys() - declared.keys():
            raise ValueError(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
        values: dict[str, Any] = {}
        for name, rules in declared.items():
            value = self.parameters.get(name, rules.get("Default"))
            if value is None:
                raise ValueError(f"Parameters: [{name}] must have values")
            _check(name, str(value), rules)
            of_list = rules["Type"] == "CommaDelimitedList" or rules["Type"].startswith("List<")
            values[name] = [part for part in str(value).split(",") if part] if of_list else str(value)
        return values | {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.name,
            "AWS::NoValue": _NOTHING,
        }

    def _is_made(self, one: Mapping[str, Any]) -> bool:
        return "Condition" not in one or self._conditions[one["Condition"]]

    def _condition(self, said: Mapping[str, Any]) -> bool:
        ((function, of),) = said.items()
        match function:
            case "Fn::Equals":
                return bool(self._resolve(of[0]) == self._resolve(of[1]))
            case "Fn::Not":
                return not self._condition(of[0])
            case "Fn::Or":
                return any(self._condition(one) for one in of)
        raise ValueError(f"a condition of {function} is not known here")

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [made for one in value if (made := self._resolve(one)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, of),) = value.items()
            if function == "Ref":
                return self._ref(of)
            if str(function).startswith("Fn::"):
                return self._call(function, of)
        return {key: made for key, one in value.items() if (made := self._resolve(one)) is not _NOTHING}

    def _call(self, function: str, of: Any) -> Any:
        match function:
            case "Fn::Sub":
                return _SUBSTITUTED.sub(lambda found: str(self._named(found[1])), of)
            case "Fn::If":
                return self._resolve(of[1] if self._conditions[of[0]] else of[2])
            case "Fn::GetAtt":
                return self._attribute(*of)
            case "Fn::Join":
                return of[0].join(self._resolve(of[1]))
        raise ValueError(f"{function} is not known here")

    def _named(self, name: str) -> Any:
        return self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)

    def _ref(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        kind, own = self._kind(name), self._own_name(name)
        match kind:
            case "AWS::SQS::Queue":
                return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{own}"
            case "AWS::SNS::Topic":
                return self._arn("sns", own)
        return own

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute != "Arn":
            raise ValueError(f"GetAtt of {attribute} is not known here")
        own = self._own_name(name)
        match self._kind(name):
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{self.account}:role/{own}"
            case "AWS::SQS::Queue":
                return self._arn("sqs", own)
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{own}"
            case "AWS::Logs::LogGroup":
                return self._arn("logs", f"log-group:{own}:*")
            case "AWS::Events::EventBus":
                return self._arn("events", f"event-bus/{own}")
            case "AWS::Events::Rule":
                bus = self._resolve(self._made[name]["Properties"].get("EventBusName", ""))
                return self._arn("events", f"rule/{bus}/{own}" if bus else f"rule/{own}")
        raise ValueError(f"the ARN of {name} is not known here")

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def _kind(self, name: str) -> str:
        if name not in self._made:
            raise ValueError(f"Unresolved resource dependencies [{name}]")
        return str(self._made[name]["Type"])

    def _own_name(self, name: str) -> str:
        """What it is called, or what AWS would call it."""
        properties = self._made[name].get("Properties", {})
        given = next((key for key in ("Name", "RoleName", "QueueName", "TopicName") if key in properties), None)
        return str(self._resolve(properties[given])) if given else f"{self.name}-{name}"


def _check(name: str, value: str, rules: Mapping[str, Any]) -> None:
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], value, re.ASCII):
        raise ValueError(f"Parameter {name} failed to satisfy constraint: {rules['ConstraintDescription']}")
    if "AllowedValues" in rules and value not in rules["AllowedValues"]:
        raise ValueError(f"Parameter '{name}' must be one of AllowedValues")
    if rules["Type"] == "Number" and not rules.get("MinValue", 0) <= float(value) <= rules.get(
        "MaxValue", float("inf")
    ):
        raise ValueError(f"Parameter '{name}' must be a number within its bounds")
