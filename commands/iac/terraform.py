"""Functions in Terraform's code: each module of a folder with the values that it is called with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from commands.iac.expressions import Scope, evaluate, ways
from commands.iac.hcl import Block, parse, references, traversal
from commands.iac.nouns import CannotReadError, Checked, Note, Outcome, Result, Tool
from commands.iac.policy import UNKNOWN
from commands.iac.terraform_types import converted
from commands.iac.values import ABSENT, May, hang, judge, unknown

FUNCTION, CLOUD_CONTROL = "aws_lambda_function", "awscc_lambda_function"
_CALLS_DEEP, _CALLS_MOST = 8, 2000
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
    results = list(_unreadable(module)) if not call.deep else []
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
    elif seen and all(one.active for one in seen) and _keeps_old(block):
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


def mode(block: Block, scope: Scope) -> tuple[May, ...]:
    if block.labels[0] == CLOUD_CONTROL:
        return _attribute_mode(block, scope)
    each = [tuple(_instance_mode(block, inner)) for inner in _each(block, scope)]
    # One instance that is not Active is enough.
    dark = [seen for seen in each if seen and all(one.dark for one in seen)]
    return dark[0] if dark else tuple(one for seen in each for one in seen)


def _instance_mode(block: Block, inner: Scope) -> tuple[May, ...]:
    static = list(block.all("tracing_config"))
    if len(static) > 1:
        return unknown("there is more than one tracing_config")
    if static:
        given = static[0].attributes.get("mode")
        return ways(inner, given) if given is not None else ABSENT
    dynamic = list(block.all("dynamic", "tracing_config"))
    return _dynamic(dynamic[0], inner) if dynamic else ABSENT


def _attribute_mode(block: Block, scope: Scope) -> tuple[May, ...]:
    given = block.attributes.get("tracing_config")
    if given is None:
        return ABSENT
    value = evaluate(scope, given)
    if not isinstance(value, dict):
        return unknown("tracing_config is worked out at deployment")
    found = value.get("mode")
    return ABSENT if found is None else (May(value=found),) if isinstance(found, str) else unknown("mode is not known")


def _each(block: Block, scope: Scope) -> list[Scope]:
    """A scope for each instance, where they can be told."""
    if "for_each" not in block.attributes:
        return [scope.within(each=UNKNOWN)]
    many = evaluate(scope, block.attributes["for_each"])
    if isinstance(many, dict) and many:
        return [scope.within(each={"key": key, "value": value}) for key, value in many.items()]
    if isinstance(many, list) and many:
        return [scope.within(each={"key": one, "value": one}) for one in many]
    return [scope.within(each=UNKNOWN)]


def _dynamic(block: Block, scope: Scope) -> tuple[May, ...]:
    """A block that is there or not, as its for_each says."""
    content = next(iter(block.all("content")), None)
    if content is None or "for_each" not in block.attributes:
        return unknown("the dynamic block has no content")
    scope.used.clear()
    many = evaluate(scope, block.attributes["for_each"])
    leant = ", ".join(sorted(scope.used))
    if not isinstance(many, (list, dict)):
        inside = ways(scope.within(tracing_config=UNKNOWN), content.attributes.get("mode"))
        if not leant and inside and all(one.dark for one in inside):
            return inside
        return unknown("whether there is a tracing_config is worked out at deployment")
    if not many:
        return ABSENT if not leant else (May(absent=True, default=leant),)
    value = next(iter(many.values())) if isinstance(many, dict) else many[0]
    key = next(iter(many)) if isinstance(many, dict) else value
    iterator = traversal(block.attributes["iterator"]) if "iterator" in block.attributes else ("tracing_config",)
    inner = scope.within(**{(iterator or ("tracing_config",))[0]: {"key": key, "value": value}})
    given = content.attributes.get("mode")
    inside = ways(inner, given) if given is not None else ABSENT
    if not leant or _same(block, inside, leant):
        return tuple(replace(one, default=one.default or leant) for one in inside)
    return (*inside, *hang(ABSENT, leant, False))


def _same(block: Block, inside: tuple[May, ...], leant: str) -> bool:
    """`for_each = var.mode == null ? [] : [var.mode]`: one variable decides, and the value that it has is the mode."""
    return (
        len(inside) == 1
        and len(leant.split(", ")) == 1
        and any(one[:2] == tuple(leant.split(".")) for one in references(block.attributes["for_each"]))
        and not inside[0].node
    )


def _keeps_old(block: Block) -> bool:
    for lifecycle in block.all("lifecycle"):
        for names in references(lifecycle.attributes.get("ignore_changes")):
            if names[0] in ("tracing_config", "all"):
                return True
    return False


def _called(module: Module, modules: Mapping[Path, Module], block: Block, scope: Scope, call: Call) -> Checked:
    label = block.labels[0] if block.labels else "?"
    address = f"{call.address}module.{label}."
    if _never_made(block, scope):
        return Checked()
    folder = local_source(block, scope)
    if folder is None:
        each = _each(block, scope)[:_CALLS_MOST]
        return _worst(known_modules.check(block, one, address, module.texts[block.file]) for one in each)
    inner = modules.get(folder)
    call.left[0] -= 1
    if inner is None or call.deep >= _CALLS_DEEP or call.left[0] < 0:
        why = f"its source is not there: {folder.name}" if inner is None else "modules call each other too deeply"
        result = Result(block.file, block.line, Tool.TERRAFORM, address[:-1], Outcome.UNKNOWN, why)
        return Checked((result,))
    arguments, leant = {}, set()
    for name in block.attributes:
        scope.used.clear()
        arguments[name] = _agreed(block, scope, name)
        if scope.used:
            leant.add(name)
    found = check(inner, modules, Call(address, arguments, frozenset(leant), call.deep + 1, call.left))
    return replace(found, read=())


def _worst(instances: Iterable[Checked]) -> Checked:
    """Of the instances that a call makes, the one that wants most."""
    ranks = [Outcome.FAIL, Outcome.UNKNOWN]
    return min(
        instances, key=lambda one: min((ranks.index(r.outcome) for r in one.results if r.outcome in ranks), default=2)
    )


def _agreed(block: Block, scope: Scope, name: str) -> object:
    """What every instance of a module is given, if that is the same."""
    values = [_argument(each, block.attributes[name]) for each in _each(block, scope)]
    return values[0] if all(one == values[0] for one in values) else UNKNOWN


def _argument(scope: Scope, expression: Any) -> object:
    """A value that rests on a default which may be given otherwise is passed on only where both come to the same."""
    seen = ways(scope, expression)
    if len({(one.value, one.absent) for one in seen}) > 1:
        return UNKNOWN
    return evaluate(scope, expression)
