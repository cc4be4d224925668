"""All that is said of some paths: each file by the tool that it is written for, folders of Terraform as modules."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from commands.iac import (
    cloudformation,
    files,
    parameters,
    serverless,
    serverless_compose,
    terraform,
    terraform_json,
    terraform_plan,
    terraform_values,
)
from commands.iac.document import documents
from commands.iac.expressions import Scope
from commands.iac.nouns import CannotReadError, Checked, Outcome, Result, Tool

_TERRAFORM = (".tf", ".tofu", *terraform_values.SUFFIXES)
_MODULES_MOST = 2000
_CODE_MOST = 2 * 2**20  # of a file of Terraform's language, whose parser is slow
_EXPORT = re.compile(r"\bmodule\.exports\s*=|\bexport\s+default\b|\bexport\s*=|\bexport\s*\{[^}]*\bas\s+default\b")
_FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function", "aws_lambda_function")


class NotUnderstoodError(Exception):
    """A path that was named cannot be what it is said to be; the sentence names it."""


@dataclass(slots=True)
class Paths:
    """What was asked for. `texts` stand in for files, for an edit that has not been written yet."""

    named: Sequence[Path]
    texts: Mapping[Path, str] = field(default_factory=dict)

    def text(self, path: Path) -> str:
        return self.texts[path] if path in self.texts else files.text_of(path)


def check(paths: Paths) -> Checked:
    """Raises NotUnderstoodError for a path that was named; what lies in a folder and is no such code is passed over."""
    named, below = _listed(paths.named)
    checked = Checked()
    everything = [*named, *below]
    code = [path for path in everything if path.name.endswith(_TERRAFORM)]
    terragrunt = [path for path in everything if terraform_values.is_terragrunt(path)]
    apart = {*code, *terragrunt, *(path for path in below if path.suffix in (".hcl", ".toml"))}
    given = parameters.gathered(named, below, paths.text)
    for path in everything:
        if path not in apart:
            checked += _document(paths, path, path in named, given)
    in_json = [path for path in everything if path.name.endswith(".tf.json")]
    return _once(checked + _terraform(paths, code, named, terragrunt, in_json))


def _once(checked: Checked) -> Checked:
    """A file that another one takes in may also be read by itself."""
    results = {(one.file, one.line, one.name): one for one in reversed(checked.results)}
    return replace(checked, results=tuple(reversed(results.values())))


def _listed(given: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    named: dict[Path, None] = {}
    below: dict[Path, None] = {}
    for path in given:
        if path.is_dir():
            below.update(dict.fromkeys(files.found(path)))
        elif path.is_file():
            named[path] = None
        else:
            raise NotUnderstoodError(f"there is no {path}. Name a file or a folder that is there.")
    return list(named), [path for path in below if path not in named]


def _document(paths: Paths, path: Path, named: bool, given: parameters.Parameters) -> Checked:
    if serverless.CODE_NAMES.fullmatch(path.name) and (named or _gives_one_value(paths, path)):
        why = "the service is written in code, which is not run here"
        by_hand = "Run `serverless package` and check .serverless/cloudformation-template-update-stack.json."
        return Checked(
            (Result(path, 1, Tool.SERVERLESS, path.name, Outcome.UNKNOWN, why, by_hand=by_hand),), (), (path,)
        )
    if path.suffix in (".ts", ".js", ".cjs", ".mjs"):
        if named:
            raise NotUnderstoodError(f"{path} is no template. Name what it is synthesised to, as in cdk.out.")
        return Checked()
    try:
        text = paths.text(path)
    except CannotReadError as problem:
        if named:
            raise NotUnderstoodError(f"{path}: {problem}.") from problem
        return Checked()
    if not named and not _worth_reading(path, text):
        return Checked()
    try:
        found = _understood(path, text, given, paths.text)
    except CannotReadError as problem:
        if named:
            raise NotUnderstoodError(f"{path}, line {problem.line}: {problem}.") from problem
        return _unreadable(path, text, problem)
    if found is None and named:
        raise NotUnderstoodError(
            f"{path} is no CloudFormation or SAM template, Serverless Framework service, or Terraform plan or code."
        )
    return found or Checked()


def _gives_one_value(paths: Paths, path: Path) -> bool:
    """As a service written in code does; a file of that name may also be a command, or a function's own code."""
    with suppress(CannotReadError):
        text = paths.text(path)
        return not text.startswith("#!") and _EXPORT.search(text) is not None
    return True


def _worth_reading(path: Path, text: str) -> bool:
    if serverless.NAMES.fullmatch(path.name):
        return True
    if path.name.endswith(".tf.json"):
        return "_lambda_function" in text or '"module"' in text
    if any(word in text for word in ("AWS::", "Fn::Transform", "::MODULE", "LocalModule")):
        return True
    return '"format_version"' in text and ("_lambda_function" in text or "cloudformation_stack" in text)


def _understood(path: Path, text: str, given: parameters.Parameters, read: terraform.Read) -> Checked | None:
    if path.name.endswith(".tf.json"):
        return terraform_json.check(path, text)
    json = path.suffix.lower() == ".json" or (text.lstrip()[:1] in ("{", "[") and path.suffix not in (".yml", ".yaml"))
    if json and '"format_version"' in text:
        plan = terraform_plan.read(text)
        if terraform_plan.looks_like(plan):
            return terraform_plan.check(plan, path, text)
    checked: Checked | None = None
    for root in documents(text, json=json):
        if root.kind != "mapping":
            continue
        if serverless.looks_like(root, path):
            checked = (checked or Checked()) + serverless.check(root, path, text, read)
        elif serverless.NAMES.fullmatch(path.name) and (made := serverless_compose.check(root, path)):
            checked = (checked or Checked()) + made
        elif cloudformation.looks_like(root):
            checked = (checked or Checked()) + cloudformation.check(root, path, text, given=given.of(path, root))
    return checked


def _unreadable(path: Path, text: str, problem: CannotReadError) -> Checked:
    """A file of a folder that ought to have been understood: it names a type of function, or is a service's."""
    if not any(kind in text for kind in _FUNCTION_TYPES) and not serverless.NAMES.fullmatch(path.name):
        return Checked()
    tool = Tool.TERRAFORM if path.name.endswith(".tf.json") else Tool.CLOUDFORMATION
    tool = Tool.SERVERLESS if serverless.NAMES.fullmatch(path.name) else tool
    why = f"{problem}, so that its functions are not seen"
    return Checked((Result(path, problem.line, tool, path.name, Outcome.UNKNOWN, why, by_hand="Mend the file."),))


def _terraform(
    paths: Paths, code: list[Path], named: list[Path], terragrunt: list[Path], in_json: list[Path]
) -> Checked:
    folders: dict[Path, list[Path]] = {}
    for path in code:
        for one in _beside(path) if path in named else [path]:
            listed = folders.setdefault(one.parent.resolve(), [])
            if one not in listed:
                listed.append(one)

    def read(path: Path) -> str:
        text = paths.text(path)
        if len(text) > _CODE_MOST:
            raise CannotReadError("it is too large to be read")
        return text

    modules = {folder: terraform.load(folder, listed, read) for folder, listed in folders.items()}
    _add_called(modules, read)
    _must_be_read(modules, named)
    called = _called(modules)
    inputs, notes = terraform_values.inputs(terragrunt, paths.text)
    _spread_values(modules, called, inputs)
    _spread_calls(modules, in_json, paths)
    checked = Checked((), tuple(notes))
    for folder, module in modules.items():
        if folder not in called:
            checked += terraform.check(module, modules)
    return _narrowed(checked, code, named)


def _add_called(modules: dict[Path, terraform.Module], read: terraform.Read) -> None:
    """Local modules that lie outside the paths are read too, for the sake of those who call them."""
    waiting = list(modules.values())
    while waiting and len(modules) < _MODULES_MOST:
        module = waiting.pop()
        for block in module.all("module"):
            source = terraform.local_source(block, Scope())
            if source is not None and source not in modules and source.is_dir():
                modules[source] = terraform.load(source, _code_in(source), read)
                waiting.append(modules[source])


def _spread_values(
    modules: Mapping[Path, terraform.Module], called: set[Path], inputs: terraform_values.Values
) -> None:
    """Values in a folder of their own may be given to the code in a folder above, or else to any that nobody calls."""
    roots = [module for folder, module in modules.items() if module.blocks and folder not in called]
    for module in roots:
        module.elsewhere += inputs
    for folder, module in modules.items():
        if not module.blocks:
            above = next((modules[one] for one in folder.parents if one in modules and modules[one].blocks), None)
            for root in [above] if above is not None else roots:
                root.elsewhere += [*module.given, *module.elsewhere]


def _spread_calls(modules: Mapping[Path, terraform.Module], in_json: list[Path], paths: Paths) -> None:
    """What calls in JSON give a module counts as values that may be given."""
    for path in in_json:
        with suppress(CannotReadError):
            for folder, given in terraform_json.calls(path, paths.text(path)):
                if folder in modules:
                    modules[folder].elsewhere += given


def _must_be_read(modules: Mapping[Path, terraform.Module], named: list[Path]) -> None:
    for module in modules.values():
        for file, problem in module.unread:
            if file in named:
                raise NotUnderstoodError(f"{file}, line {problem.line}: {problem}.")


def _beside(path: Path) -> list[Path]:
    """A file of Terraform means nothing without the others of its folder."""
    return _code_in(path.parent)


def _code_in(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.name.endswith(_TERRAFORM) and one.is_file())


def _called(modules: Mapping[Path, terraform.Module]) -> set[Path]:
    """Folders that another one calls: they are judged there, with the values that they are given."""
    found: set[Path] = set()
    for folder, module in modules.items():
        for block in module.all("module"):
            source = terraform.local_source(block, Scope())
            if source is not None and source != folder:
                found.add(source)
    # Of modules that call each other in a ring, none may be left out.
    return found if set(modules) - found else set()


def _narrowed(checked: Checked, code: list[Path], named: list[Path]) -> Checked:
    """Of files that were only read because they lie beside a named one, nothing is said."""
    beside = {one for path in code if path in named for one in _beside(path)} - set(code)
    results = tuple(one for one in checked.results if one.file not in beside)
    return Checked(results, tuple(one for one in checked.notes if one.file not in beside), checked.read)
