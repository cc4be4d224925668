"""Which permissions the code needs, and of which role, read from the code itself: every name of an AWS operation in it.

An operation is found by its name, as boto3 spells it (`client.list_functions`, "describe_alarms") or as the API does
("ListFunctions"), where the module works with a service that has such an operation. Whose credentials a call bears is
told by what stands around it:

- the fix role's, where it is made with `writes` or with what `budgeter` has given;
- the bot's own, in a module that enters `acting(None)`, and in functions and classes that are given an `Ambient`;
- else the audit role's.
"""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import botocore.loaders
import cfnlint
from botocore import xform_name

from commands.aws.endpoints import SERVICES

ROOT = Path(__file__).parents[3]
# Without roles in the settings the bot is its only role, whatever that may do.
WITHOUT_ROLES = {"home_with_first_page"}


class Whose(StrEnum):
    """By the template's name."""

    AUDIT = "audit-role"
    FIX = "fix-role"
    HUB = "hub-role"


class Found(NamedTuple):
    """An operation's name in the code."""

    whose: Whose
    service: str  # botocore's name
    operation: str
    where: str


_ASKS = re.compile(r"client\(|Call\(|query\(|targeted\(|mypy_boto3_|\.lambda_|\.iam\b|Ambient|budgeter\(")

# ---- from operations to IAM's actions

_PREFIXES = {"resourcegroupstaggingapi": "tag"}
# What AWS's Service Authorization Reference names otherwise than the API does; no action: nobody has to be allowed.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
_BUDGETS = {"Describe": "budgets:ViewBudget"} | dict.fromkeys(("Create", "Update", "Delete"), "budgets:ModifyBudget")
_OTHERWISE: Mapping[tuple[str, str], tuple[str, ...]] = {
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    ("sts", "GetCallerIdentity"): (),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    ("sts", "AssumeRole"): ("sts:AssumeRole", "sts:SetSourceIdentity"),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
}


@cache
def reference() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    """AWS's Service Authorization Reference as cfn-lint carries it: by prefix, then by action in small letters."""
    told = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    return {prefix: of["Actions"] for prefix, of in told.items()}


def actions(service: str, operation: str) -> tuple[str, ...]:
    """What IAM calls it. Raises LookupError where that is not known: then it belongs into the table above."""
    if (service, operation) in _OTHERWISE:
        return _OTHERWISE[service, operation]
    if service == "budgets":
        return next((action,) for verb, action in _BUDGETS.items() if operation.startswith(verb))
    prefix = _PREFIXES.get(service, service)
    if operation.lower() not in reference().get(prefix, {}):
        raise LookupError(f"IAM has no action {prefix}:{operation}: say in _OTHERWISE what allows it")
    return (f"{prefix}:{operation}",)


def needed(sources: Mapping[str, str] | None = None) -> dict[Whose, set[str]]:
    """IAM's actions, by role."""
    found: dict[Whose, set[str]] = {whose: set() for whose in Whose}
    for one in operations(sources or code()):
        found[one.whose].update(actions(one.service, one.operation))
    return found


# ---- from the code to operations


def code() -> dict[str, str]:
    """The text of each module that may ask AWS, by its name; the demo only pretends."""
    paths = [path for house in ("bot", "commands") for path in (ROOT / house).rglob("*.py") if "demo" not in path.parts]
    texts = {".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8") for path in paths}
    return {name: text for name, text in texts.items() if name.startswith("commands.aws.") or _ASKS.search(text)}


def operations(sources: Mapping[str, str]) -> list[Found]:
    modules = {name: _Module(name, text) for name, text in sources.items()}
    given = _given_ambient(modules)
    services = {service for module in modules.values() for service in module.services}
    missed = [where for module in modules.values() for where in module.missed(services)]
    assert not missed, f"of which service is the client? Name it in the module, as in client: LambdaClient. {missed}"
    return [found for module in modules.values() for found in module.operations(given)]


@cache
def _operations_of(service: str) -> Mapping[str, str]:
    """Both spellings -> the API's."""
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    return {spelt: name for name in model["operations"] for spelt in (name, xform_name(name))}


@cache
def _services_known() -> frozenset[str]:
    return frozenset(botocore.loaders.Loader().list_available_services("service-2"))


@dataclass(frozen=True)
class _Callable:
    """A function or class, and whether everybody who calls it gives it an `Ambient`."""

    module: str
    name: str


class _Module:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.knows_ambient = "Ambient" in text
        self.tree = ast.parse(text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.services = set(self._services())
        self.imported = dict(self._imports())

    def operations(self, given: Mapping[_Callable, bool]) -> Iterator[Found]:
        spelt = {service: _operations_of(service) for service in self.services}
        for node in ast.walk(self.tree):
            name = self._name_in(node)
            services = sorted(service for service in self.services if name in spelt[service])
            if len(services) > 1:
                services = [service for service in services if service in self._services_beside(node)]
            if not services:
                continue
            where = f"{self.name}:{getattr(node, 'lineno', 0)}"
            assert len(services) == 1, f"{where}: of which service is {name}? {services}"
            for whose in self._whose(node, given):
                yield Found(whose, services[0], spelt[services[0]][name], where)

    def missed(self, services: set[str]) -> Iterator[str]:
        """Operations that are called on a client of no service that the module names."""
        spelt = {name for service in services - self.services for name in _operations_of(service)}
        ours = {name for service in self.services for name in _operations_of(service)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and node.attr in spelt - ours and "client" in ast.unparse(node.value):
                yield f"{self.name}:{node.lineno} {node.attr}"

    def _name_in(self, node: ast.AST) -> str:
        """The name that might be an operation's; not one that is compared with, or that explains."""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            return node.attr
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        parent = self.parents.get(node)
        if not text or isinstance(parent, ast.Compare | ast.Expr):
            return ""
        if isinstance(parent, ast.JoinedStr):
            return ""
        return node.value.rpartition(".")[2]

    # ---- which services

    def _services(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mypy_boto3_"):
                yield node.module.removeprefix("mypy_boto3_").partition(".")[0]
            elif isinstance(node, ast.Attribute) and node.attr in ("lambda_", "iam"):
                yield node.attr.strip("_")
            elif isinstance(node, ast.Call):
                yield from self._named_by(node)

    def _named_by(self, call: ast.Call) -> Iterator[str]:
        """The services of `client("xray", …)`, `Call("lambda", …)`, `query(wire, who, "sts", …)`, `budgeter(…)`."""
        made = _last(call.func) in ("client", "_make", "make")
        if _last(call.func) == "budgeter":
            yield "budgets"
        for argument in call.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                name = argument.value
                if made and name in _services_known():
                    yield name
                elif name in SERVICES and _last(call.func) not in ("startswith", "get", "partition"):
                    yield SERVICES[name].folder

    def _services_beside(self, node: ast.AST) -> set[str]:
        """Those that the call around it names."""
        while node is not None and not isinstance(node, ast.Call):
            node = self.parents.get(node)
        return set(self._named_by(node)) if node else set()

    # ---- whose credentials

    def _whose(self, node: ast.AST, given: Mapping[_Callable, bool]) -> set[Whose]:
        around = self._around(node)
        outermost = around[-1] if around else self.tree
        if self._writes(node, outermost) or "budgeter" in _called_in(self.tree):
            return {Whose.FIX}
        ours = [given[one] for each in around if (one := _Callable(self.name, each.name)) in given]
        if ours:
            return {Whose.HUB} if all(ours) else {Whose.HUB, Whose.AUDIT}
        markers = _markers(self.tree)
        if len(markers) == 2:  # then each function says it for itself
            markers = _markers(outermost)
            assert len(markers) == 1, f"{self.name}:{node.lineno}: under whose credentials? {sorted(markers)}"
        return markers or {Whose.AUDIT}

    def _around(self, node: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """What it stands in, innermost first."""
        found = []
        while (node := self.parents.get(node)) is not None:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.append(node)
        return found

    def _writes(self, node: ast.AST, outermost: ast.AST) -> bool:
        """Whether it is called on `….writes`, or on a name that was given something of it."""
        if not isinstance(node, ast.Attribute):
            return False
        if "writes" in ast.unparse(node.value).split("."):
            return True
        root = node.value.id if isinstance(node.value, ast.Name) else ""
        return bool(root) and any(
            "writes" in ast.unparse(one.value).replace(",", ".").split(".")
            and root in {name.id for name in ast.walk(one) if isinstance(name, ast.Name)}
            for one in ast.walk(outermost)
            if isinstance(one, ast.Assign)
        )

    # ---- who is called

    def _imports(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """What a name stands for here: a module and "", or a module and what is in it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    yield alias.asname or alias.name, (node.module, alias.name)

    def callee(self, call: ast.Call) -> _Callable | None:
        match call.func:
            case ast.Name(id=name):
                return _Callable(*self.imported.get(name, (self.name, name)))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self.imported:
                return _Callable(".".join(self.imported[name]), attribute)
        return None

    def gives_ambient(self, call: ast.Call) -> bool:
        if not self.knows_ambient:
            return False
        around = self._around(call)
        inside = around[-1] if around else self.tree
        if "Ambient" in _called_in(ast.Tuple(elts=call.args)):
            return True
        held = {
            target.id
            for one in ast.walk(inside)
            if isinstance(one, ast.Assign) and "Ambient" in _called_in(one.value)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        names = {arg.value.id if isinstance(arg, ast.Starred) else arg.id for arg in call.args if _is_name(arg)}
        return bool(names & held)

    def calls(self) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and not {one.name for one in self._around(node)} & WITHOUT_ROLES:
                yield node


def _given_ambient(modules: Mapping[str, _Module]) -> dict[_Callable, bool]:
    """Who is given an `Ambient`, and whether by everybody."""
    said: dict[_Callable, list[bool]] = defaultdict(list)
    for module in modules.values():
        for call in module.calls():
            if callee := module.callee(call):
                said[callee].append(module.gives_ambient(call))
    return {callee: all(each) for callee, each in said.items() if any(each)}


def _markers(tree: ast.AST) -> set[Whose]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last(node.func) == "acting_as":
            found.add(Whose.AUDIT)
        first = node.args[0] if isinstance(node, ast.Call) and node.args else None
        if first is not None and _last(node.func) == "acting" and isinstance(first, ast.Constant):
            found.add(Whose.HUB)
    return found


def _called_in(tree: ast.AST) -> set[str]:
    return {_last(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def _last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_name(argument: ast.expr) -> bool:
    inner = argument.value if isinstance(argument, ast.Starred) else argument
    return isinstance(inner, ast.Name)
