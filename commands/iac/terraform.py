"""Functions in Terraform's code: each module of a folder with the values that it is called with."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from commands.iac import (
    hcl_edits,
    known_modules,
    terraform_roles,
    terraform_sources,
    terraform_stacks,
    terraform_values,
)
from commands.iac.expressions import Scope, evaluate
from commands.iac.hcl import Block, parse
from commands.iac.nouns import CannotReadError, Checked, Note, Outcome, Result, Tool
from commands.iac.policy import UNKNOWN
from commands.iac.terraform_mode import CLOUD_CONTROL, FUNCTION, instances, keeps_old, mode
from commands.iac.terraform_types import converted
from commands.iac.terraform_ways import ways
from commands.iac.values import judge, unknown

_CALLS_DEEP, _CALLS_MOST, _INSTANCES_MOST = 8, 2000, 50
_RANKS = (Outcome.FAIL, Outcome.UNKNOWN)
_MEANS_FUNCTIONS = ("lambda", "function", "serverless")
SETTING = "tracing_config.mode"

Read = Callable[[Path], str]


@dataclass(slots=True)
class Module:
    """The files of one folder."""

    folder: Path
    blocks: list[Block] = field(default_factory=list)
    texts: dict[Path, str] = field(default_factory=dict)
    given: terraform_values.Values = field(default_factory=list)  # of *.tfvars that Terraform loads by itself
    unread: list[tuple[Path, CannotReadError]] = field(default_factory=list)
    elsewhere: terraform_values.Values = field(default_factory=list)  # of those that may be given at deployment
    overridden: bool = False

    def all(self, kind: str, *labels: str) -> Iterator[Block]:
        return (one for one in self.blocks if one.kind == kind and one.labels[: len(labels)] == labels)


def load(folder: Path, files: list[Path], read: Read) -> Module:
    """`read` gives a file's text, or raises CannotReadError."""
    module = Module(folder, overridden=any(one.name.endswith("override.tf.json") for one in folder.glob("*.tf.json")))
    for file in sorted(files, key=terraform_values.order):
        module.overridden = module.overridden or file.stem == "override" or file.stem.endswith("_override")
        try:
            text = module.texts[file] = read(file)
            if file.name.endswith(terraform_values.SUFFIXES):
                itself = terraform_values.loaded_by_itself(file)
                (module.given if itself else module.elsewhere).extend(terraform_values.read(file, text))
            else:
                module.blocks += parse(text, file)
        except CannotReadError as problem:
            module.unread.append((file, problem))
    return module


@dataclass(slots=True)
class Call:
    """How a module is reached: through which calls, and with what."""

    address: str = ""
    arguments: Mapping[str, object] | None = None  # None: nobody calls it, so that its variables may be given otherwise
    leant: frozenset[str] = frozenset()  # arguments that rest on a default which may be given otherwise
    deep: int = 0
    left: list[int] = field(default_factory=lambda: [_CALLS_MOST])


def check(module: Module, modules: Mapping[Path, Module], call: Call | None = None) -> Checked:
    call = call or Call()
    scope = scope_of(module, call)
    results = list(_unreadable(module))
    notes: list[Note] = []
    edge = terraform_sources.at_the_edge(module.blocks)
    for block in module.all("resource"):
        if len(block.labels) == 2 and block.labels[0] in (FUNCTION, CLOUD_CONTROL):
            results += _function(module, block, scope, call, edge)
        stack = terraform_stacks.check(block, module.texts, call.address)
        results += stack.results
        notes += stack.notes
    for block in module.all("module"):
        found = _called(module, modules, block, scope, call)
        results += found.results
        notes += found.notes
    return Checked(tuple(results), tuple(notes), tuple(module.texts))


def local_source(block: Block, scope: Scope) -> Path | None:
    """The folder of a module that stands in the same repository."""
    source = evaluate(scope, block.attributes["source"]) if "source" in block.attributes else None
    if not isinstance(source, str) or not source.startswith(("./", "../")):
        return None
    return (block.file.parent / source).resolve()


def scope_of(module: Module, call: Call) -> Scope:
    values: dict[str, object] = {}
    defaults: set[str] = set()
    root = call.arguments is None
    given = dict(module.given) if root else {}
    for block in module.all("variable"):
        name = block.labels[0] if block.labels else ""
        if call.arguments is not None and name in call.arguments:
            values[name] = call.arguments[name]
            if values[name] is None and _not_nullable(block):
                values[name] = _default(block)
        elif name in given:
            values[name] = given[name]
        else:
            values[name] = _default(block)
            if root and "default" in block.attributes:
                defaults.add(name)
        if root and _may_differ(module, name, values[name]):
            values[name] = UNKNOWN
        values[name] = converted(block.attributes.get("type"), values[name])
    local = {name: value for block in module.all("locals") for name, value in block.attributes.items()}
    return Scope(values, frozenset(defaults) | call.leant, local)


def _may_differ(module: Module, name: str, value: object) -> bool:
    """Whether a file of values beside it, which may be given at deployment, has another for a variable."""
    if any(file.name.endswith(terraform_values.SUFFIXES) for file, _ in module.unread):
        return True
    return any(other == name and given != value for other, given in module.elsewhere)


def _default(block: Block) -> object:
    return evaluate(Scope(), block.attributes["default"]) if "default" in block.attributes else UNKNOWN


def _not_nullable(block: Block) -> bool:
    return "nullable" in block.attributes and evaluate(Scope(), block.attributes["nullable"]) is False


def _unreadable(module: Module) -> Iterator[Result]:
    for file, problem in module.unread:
        if any(word in module.texts.get(file, _MEANS_FUNCTIONS[0]).lower() for word in _MEANS_FUNCTIONS):
            yield Result(
                file, problem.line, Tool.TERRAFORM, file.name, Outcome.UNKNOWN, str(problem), by_hand="Mend the file."
            )


def _function(module: Module, block: Block, scope: Scope, call: Call, edge: set[str]) -> Iterator[Result]:
    address = f"{call.address}{block.labels[0]}.{block.labels[1]}"
    result = Result(block.file, block.line, Tool.TERRAFORM, address, Outcome.NOT_APPLICABLE, "")
    role = terraform_roles.role_of(block)
    if block.labels[1] in edge or (role and terraform_roles.trusts_edge(module, role, scope)):
        yield replace(result, reason="X-Ray does not work in Lambda@Edge")
        return
    if why := terraform_sources.untraced(module.blocks, block):
        yield replace(result, reason=why)
        return
    if _never_made(block, scope):
        return
    seen = mode(block, scope)
    if module.overridden or sum(1 for _ in module.all("resource", *block.labels)) > 1:
        seen = unknown("an override file may change it")
    elif seen and all(one.active for one in seen) and keeps_old(block):
        seen = unknown("ignore_changes keeps the mode that the function has")
    outcome, reason = judge(seen, SETTING)
    literal = next((one.node for one in seen if one.dark and one.node is not None), None)
    result = replace(result, outcome=outcome, reason=reason, line=literal.line if literal else block.line)
    if outcome is Outcome.FAIL:
        edits = hcl_edits.activate(block, seen, module.texts[block.file])
        result = replace(result, edits=edits, by_hand="" if edits else "Set the mode to Active by hand.")
    yield terraform_roles.weigh(module, role, scope, result)


def _never_made(block: Block, scope: Scope) -> bool:
    """`count = 0`, whatever a deployment says; a default may be given otherwise."""
    if "count" not in block.attributes:
        return False
    scope.used.clear()
    return evaluate(scope, block.attributes["count"]) == 0 and not scope.used


def _called(module: Module, modules: Mapping[Path, Module], block: Block, scope: Scope, call: Call) -> Checked:
    label = block.labels[0] if block.labels else "?"
    address = f"{call.address}module.{label}."
    if _never_made(block, scope):
        return Checked()
    folder = local_source(block, scope)
    if folder is None:
        each = instances(block, scope)[:_CALLS_MOST]
        text, beside = module.texts[block.file], terraform_roles.granted_to_module(module, label)
        return _worst(known_modules.check(block, one, address, text, beside) for one in each)
    inner = modules.get(folder)
    call.left[0] -= 1
    if inner is None or call.deep >= _CALLS_DEEP or call.left[0] < 0:
        why = f"its source is not there: {folder.name}" if inner is None else "modules call each other too deeply"
        return _not_seen(block, address, why)
    if not inner.texts and not inner.unread and not any(folder.glob("*.tf.json")):
        return _not_seen(block, address, f"its source has no code of Terraform: {folder.name}")
    given, leant = _given(block, scope)
    made = [check(inner, modules, Call(address, one, leant, call.deep + 1, call.left)) for one in given]
    return made[0] if len(made) == 1 else _worst_of_each(made)


def _given(block: Block, scope: Scope) -> tuple[list[dict[str, object]], frozenset[str]]:
    """What each instance of a module is given, once for all that are given the same; and what rests on a default."""
    leant: set[str] = set()
    found: list[dict[str, object]] = []
    each = instances(block, scope)
    for inner in each if len(each) <= _INSTANCES_MOST else [scope.within(each=UNKNOWN)]:
        arguments = {}
        for name, expression in block.attributes.items():
            inner.used.clear()
            arguments[name] = _argument(inner, expression)
            leant |= {name} if inner.used else set()
        if arguments not in found:
            found.append(arguments)
    return found, frozenset(leant)


def _worst_of_each(made: Sequence[Checked]) -> Checked:
    """Of each function, the instance that wants most."""
    worst: dict[tuple[Path, str], Result] = {}
    for one in (result for checked in made for result in checked.results):
        before = worst.get((one.file, one.name))
        if before is None or _rank(one) < _rank(before):
            worst[one.file, one.name] = one
    return Checked(tuple(worst.values()), made[0].notes)


def _not_seen(block: Block, address: str, why: str) -> Checked:
    return Checked((Result(block.file, block.line, Tool.TERRAFORM, address[:-1], Outcome.UNKNOWN, why),))


def _worst(made: Iterable[Checked]) -> Checked:
    """Of the instances that a call makes, the one that wants most."""
    return min(made, key=lambda one: min(map(_rank, one.results), default=len(_RANKS)))


def _rank(one: Result) -> int:
    return _RANKS.index(one.outcome) if one.outcome in _RANKS else len(_RANKS)


def _argument(scope: Scope, expression: Any) -> object:
    """A value that rests on a default which may be given otherwise is passed on only where both come to the same."""
    seen = ways(scope, expression)
    if len({(one.value, one.absent) for one in seen}) > 1:
        return UNKNOWN
    return evaluate(scope, expression)
