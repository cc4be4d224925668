"""The image: its context has what it copies, nobody in it is root, no shell is called; and what it is made of."""

import ast
import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHOICES = {*re.findall(r"REQUIREMENTS=(requirements[\w-]*\.txt)", DOCKERFILE + README)}
COPIED = [
    path.removeprefix("./")
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    for path in line.split()[:-1]
    if "$" not in path
]


def in_context(path: str) -> bool:
    """As .dockerignore has it: of its lines that are about a path, the last one counts."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and (fnmatch(path, pattern) or fnmatch(Path(path).parts[0], pattern)):
            kept = line.startswith("!")
    return kept


@pytest.mark.parametrize("path", sorted({*CHOICES, *COPIED}))
def test_what_is_copied_into_the_image_is_in_its_context(path):
    assert (ROOT / path).exists()
    assert in_context(path)


def test_nothing_else_is():
    assert {"requirements-charts.txt", "requirements.txt", "requirements-cluster.txt"} <= CHOICES
    assert {"bot", "commands", "storage"} <= set(COPIED)
    others = ("lamplighter.toml", "lamplighter.db", ".env", ".git", "tests", "requirements-dev.txt", "README.md")
    assert [path for path in others if in_context(path)] == []


def instruction(name: str) -> list[str]:
    """Its arguments in the last stage, which is the image."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)


def test_it_runs_as_somebody_who_is_not_root_and_is_known_by_number():
    (user,) = instruction("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)  # Kubernetes' runAsNonRoot knows no names
    assert DOCKERFILE.index("USER") > DOCKERFILE.rindex("\nRUN ")


def test_it_is_started_without_a_shell():
    for name in ("ENTRYPOINT", "CMD"):
        (words,) = instruction(name)
        assert all(isinstance(word, str) for word in json.loads(words))  # a list: nobody hands it to /bin/sh
    assert instruction("SHELL") == []


def test_it_writes_to_its_volume_alone():
    (environment,) = instruction("ENV")
    places = dict(re.findall(r"(\w+)=(/\S+)", environment))
    read = {"PATH", "PYTHONPATH"}

    assert instruction("VOLUME") == ["/data"]
    assert {name for name, path in places.items() if Path(path).parts[1] == "data"} == places.keys() - read
    # slack_bolt cannot be imported where there is no home; SQLite and Python keep what is temporary in the other two.
    assert {"LAMPLIGHTER_DATABASE", "HOME", "TMPDIR", "MPLCONFIGDIR"} <= places.keys()
    assert "PYTHONDONTWRITEBYTECODE=1" in environment


# Litestream, by its own path; and where a PDF is asked for, the browser that prints it.
STARTS_PROGRAMS = {"bot/replicated.py", "bot/terminal_evidence.py"}


def test_nothing_that_runs_calls_a_shell():
    code = [path for folder in ("bot", "commands", "storage") for path in (ROOT / folder).rglob("*.py")]
    found = [
        f"{name}:{node.lineno} {ast.unparse(node)[:60]}"
        for path in code
        if "demo" not in path.parts  # whose bot is a process of its own
        for name, text in [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))]
        if re.search(r"subprocess|\bpty\b|\bos\b|shell", text)  # to read all of it takes a second
        for node in ast.walk(ast.parse(text))
        if calls_a_shell(node) or (starts_a_program(node) and name not in STARTS_PROGRAMS)
    ]

    assert len(code) > 200
    assert found == []


def calls_a_shell(node: ast.AST) -> bool:
    return (isinstance(node, ast.keyword) and node.arg == "shell") or (
        attribute(node) in {"os.system", "os.popen", "subprocess.getoutput", "asyncio.create_subprocess_shell"}
    )


def starts_a_program(node: ast.AST) -> bool:
    names = {"subprocess", "pty", "os.execv", "os.execve", "os.spawnv", "os.posix_spawn", "os.fork"}
    return (
        (isinstance(node, ast.Import) and bool(names & {one.name for one in node.names}))
        or (isinstance(node, ast.ImportFrom) and node.module in names)
        or attribute(node) in names
    )


def attribute(node: ast.AST) -> str:
    """`os.fork` as it is written; nothing for what is no attribute of a name."""
    return (
        f"{node.value.id}.{node.attr}" if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
    )


def test_the_bill_of_materials_lists_what_is_pinned_and_is_the_same_each_time(tmp_path):
    recipe = re.search(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    written = tmp_path / "sbom.json"
    command = (
        recipe[1]
        .replace("\\\n", " ")
        .replace("$(ARGS)", "--no-validate")
        .replace("$(SBOM_OF)", "requirements-charts.txt")
    )
    words = command.replace("sbom.json", str(written)).split()
    assert words[0] == "@.venv/bin/python"

    subprocess.run([sys.executable, *words[1:]], cwd=ROOT, check=True)

    bill = json.loads(written.read_text(encoding="utf-8"))
    pins = re.findall(
        r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements-charts.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert bill["bomFormat"] == "CycloneDX"
    assert [(one["name"], one["version"]) for one in bill["components"]] == sorted(pins)
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])
    assert bill["metadata"]["component"]["name"] == "lamplighter"
    assert "serialNumber" not in bill  # neither it nor a time makes two of the same pins differ
    assert "timestamp" not in bill["metadata"]
