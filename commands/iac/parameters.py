"""What parameters of a template are given: `samconfig.toml`, parameter files, and the stack that nests it."""

import json
import re
import shlex
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from commands.iac.document import Node, documents
from commands.iac.intrinsics import Given, Template, plain, ways
from commands.iac.nouns import CannotReadError

_SAMCONFIG = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
_PARAM = "param"  # in the name of a folder beside a template
_TEXT_MOST = 2**20
_NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
_LISTED = re.compile(r'\s*\[\s*"\w+=')
_OVERRIDE = re.compile(r"ParameterKey=([^,]+),ParameterValue=(.*)", re.DOTALL)

Read = Callable[[Path], str]


@dataclass(slots=True)
class Parameters:
    """All that some paths say of parameters."""

    by_template: dict[Path, list[tuple[str, Given]]] = field(default_factory=lambda: defaultdict(list))
    files: list[tuple[Path, Mapping[str, str]]] = field(default_factory=list)

    def of(self, template: Path, root: Node) -> dict[str, tuple[Given, ...]]:
        """A file of parameters is meant for a template that has all of them: CloudFormation refuses any other."""
        section = root.get("Parameters")
        known = {name for name, _, _ in section.entries()} if section is not None else set()
        found: dict[str, list[Given]] = defaultdict(list)
        for name, given in self.by_template.get(template.resolve(), ()):
            found[name].append(given)
        for file, values in self.files:
            if values and set(values) <= known:
                for name, value in values.items():
                    found[name].append(Given(value, file.name))
        return {name: tuple(given) for name, given in found.items() if name in known}


def gathered(named: Iterable[Path], below: Iterable[Path], read: Read) -> Parameters:
    """Of files that are named, what lies beside them counts too."""
    made = Parameters()
    files = dict.fromkeys(below)
    for path in named:
        if path.suffix.lower() in (".yml", ".yaml", ".json", ".template"):
            files.update(dict.fromkeys([path, *_beside(path)]))
    for path in files:
        try:
            if path.name in _SAMCONFIG:
                _samconfig(made, path, read(path))
            elif path.suffix.lower() in (".json", ".yml", ".yaml", ".template"):
                _look_into(made, path, read(path))
        except CannotReadError:
            continue
    return made


def _beside(path: Path) -> list[Path]:
    found: list[Path] = []
    with suppress(OSError):  # a folder that may not be read
        folders = [path.parent, *(one for one in sorted(path.parent.iterdir()) if one.is_dir() and _PARAM in one.name)]
        for folder in folders:
            found += [one for one in sorted(folder.iterdir()) if one.suffix == ".json" or one.name in _SAMCONFIG]
    return found


def _look_into(made: Parameters, path: Path, text: str) -> None:
    if any(kind in text for kind in _NESTED):
        for root in documents(text, json=path.suffix.lower() == ".json"):
            _nested(made, path, root)
        return
    worth = '"ParameterKey"' in text or ('"Parameters"' in text and '"Resources"' not in text)
    worth = worth or _LISTED.match(text) is not None
    if path.suffix.lower() == ".json" and worth and len(text) < _TEXT_MOST:
        made.files.append((path, _of_json(text)))


def _of_json(text: str) -> dict[str, str]:
    """CloudFormation's list, the object of CodePipeline and of Git sync, or the words of the command line.

    https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list):
        pairs = [(one.get("ParameterKey"), one.get("ParameterValue")) for one in found if isinstance(one, dict)]
        pairs += [
            (one.partition("=")[0], one.partition("=")[2]) for one in found if isinstance(one, str) and "=" in one
        ]
    else:
        inner = found.get("Parameters") if isinstance(found, dict) else None
        pairs = list(inner.items()) if isinstance(inner, dict) else []
    return {name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)}


def _nested(made: Parameters, path: Path, root: Node) -> None:
    if root.kind != "mapping":
        return
    template = Template(root)
    for _, _, resource in template.resources.entries():
        kind, properties = resource.get("Type"), resource.get("Properties")
        where = properties.get(_NESTED.get(kind.value, "")) if kind is not None and properties is not None else None
        if where is None or where.text is None or "://" in where.value or properties is None:
            continue
        child = _child(path, where.value)
        given = properties.get("Parameters")
        for name, _, node in given.entries() if given is not None and given.kind == "mapping" else ():
            for one in ways(template, node):
                made.by_template[child].append((name, Given(one.value, path.name)))


def _child(path: Path, name: str) -> Path:
    return (path.parent / name.replace("\0", "")).resolve()


def _samconfig(made: Parameters, path: Path, text: str) -> None:
    """https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html"""
    for name, commands in _environments(path, text).items():
        for command in ("global", "deploy"):
            found = commands.get(command) if isinstance(commands, dict) else None
            values = found.get("parameters") if isinstance(found, dict) else None
            if isinstance(values, dict):
                said = values.get("template_file", values.get("template"))
                for template in [said] if isinstance(said, str) else ["template.yaml", "template.yml", "template.json"]:
                    child = _child(path, template)
                    for key, value in _overrides(values.get("parameter_overrides")):
                        made.by_template[child].append((key, Given(value, path.name, usual=name == "default")))


def _environments(path: Path, text: str) -> dict[str, object]:
    if path.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return {}
    roots = documents(text, json=False)
    found = plain(Template(roots[0]), roots[0]) if roots else None
    return found if isinstance(found, dict) else {}


def _overrides(value: object) -> list[tuple[str, str]]:
    try:
        words = shlex.split(value) if isinstance(value, str) else list(value) if isinstance(value, list) else []
    except ValueError:
        return []
    made = []
    for word in words:
        if isinstance(word, str):
            long = _OVERRIDE.fullmatch(word)
            key, sign, given = (long.group(1), "=", long.group(2)) if long else word.partition("=")
            if sign:
                made.append((key, given))
    return made
