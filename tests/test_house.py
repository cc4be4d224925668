"""Rules of the house that no linter knows. Each says what to do instead."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("bot", "commands", "storage")
CODE = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PINS = sorted([*ROOT.glob("requirements*.txt"), *(ROOT / "tests").rglob("requirements*.txt")])


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def comments(path: Path) -> dict[int, str]:
    """The comment of each line that has one, by line number."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def reason(comment: str) -> str:
    """What a comment says in words, without its orders to linters and type checkers."""
    return re.sub(
        r"#\s*(noqa(:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*)?|type:\s*ignore(\[[\w\-, ]+\])?)", "", comment
    ).strip("# -:—–")


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Each name that a module takes from elsewhere: line, what it is, what it is called here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}", alias.asname or alias.name


def root_name(node: ast.expr) -> str:
    """`findings` of `findings.blocks.Section`; a text is its own name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", CODE + TESTS, ids=where)
def test_catching_everything_has_a_reason_on_its_line(path):
    said = comments(path)
    bare = [
        f"{where(path)}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or re.search(r"\b(Base)?Exception\b", ast.unparse(node.type)))
        and ast.unparse(node.body[-1]) != "raise"  # passed on whole: nothing is hidden
        and not reason(said.get(node.lineno, ""))
    ]

    assert bare == [], "catch what can be answered, or say on that line why it is everything"


@pytest.mark.parametrize("path", CODE + TESTS, ids=where)
def test_an_order_to_a_checker_has_its_reason_on_its_line(path):
    orders = {line: text for line, text in comments(path).items() if re.search(r"#\s*(noqa|type:\s*ignore)", text)}

    assert [f"{where(path)}:{line} {text}" for line, text in orders.items() if not reason(text)] == []


@pytest.mark.parametrize("path", TESTS, ids=where)
def test_tests_wait_for_something_and_never_for_a_time(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sleeps = [
        f"{where(path)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    ]

    assert sleeps == [], "wait on an event, a queue or a condition with a timeout"


@pytest.mark.parametrize("path", TESTS, ids=where)
def test_tests_replace_nothing_of_ours(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = list(imports(tree))
    mocks = [f"{where(path)}:{line} {name}" for line, name, _ in taken if re.match(r"(unittest\.)?mock\b", name)]
    our_names = {here for _, name, here in taken if name.partition(".")[0] in OURS} | set(OURS)
    patches = [
        f"{where(path)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.args
        and re.fullmatch(r"(monkeypatch|\w*patch\w*)\.(setattr|setitem|delattr|delitem)", ast.unparse(node.func))
        and root_name(node.args[0]).partition(".")[0] in our_names
    ]

    assert mocks + patches == [], "give it a clock, a folder or a stand-in that behaves like the real thing"


@pytest.mark.parametrize("path", [path for path in CODE if where(path).startswith("commands/views/")], ids=where)
def test_views_take_nothing_of_slack_but_its_plain_data_classes(path):
    taken = [
        (line, name)
        for line, name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("slack_")
    ]

    # import-linter sees slack_sdk as one module, so it cannot tell its models from its clients.
    assert [f"{where(path)}:{line} {name}" for line, name in taken if not name.startswith("slack_sdk.models.")] == []


@pytest.mark.parametrize("path", PINS, ids=where)
def test_pins_name_no_place_to_fetch_from(path):
    # Whoever installs decides where from; the hashes say whether it is the right thing.
    places = r"https?://|file:|--(extra-)?index-url|--find-links| @ "

    assert [line for line in path.read_text(encoding="utf-8").splitlines() if re.search(places, line)] == []


def test_what_runs_is_pinned_alike_for_running_showing_and_testing():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.\-]+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.txt") < pins("requirements-demo.txt") < pins("requirements-dev.txt")
    assert pins("requirements.txt") < pins("requirements-charts.txt") < pins("requirements-demo.txt")
    assert pins("requirements.txt") < pins("requirements-iac.txt") < pins("requirements-dev.txt")
    assert pins("requirements-charts.txt") < pins("requirements-cluster.txt") < pins("requirements-dev.txt")
