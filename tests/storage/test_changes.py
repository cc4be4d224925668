"""What differs from one audit to the next: the rules, and what the file keeps of them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs
from sqlite_utils import Database

from storage.connection import to_text
from storage.models import (
    Alias,
    Coverage,
    Decision,
    DecisionKind,
    Form,
    Function,
    Inventory,
    ServedVersion,
    Source,
    TracingMode,
    Verdict,
)
from storage.news import Before, Change, ChangeKind, Since, change, made_anew, net, turned
from storage.schema import FIRST, migrations
from storage.store import Store
from tests.storage.conftest import NOON

HOUR = timedelta(hours=1)
ACCOUNT, REGION = "111122223333", "eu-central-1"
PLACE = (ACCOUNT, REGION)
STACK = "arn:aws:cloudformation:eu-central-1:111122223333:stack/{}/{}"
TRACED, UNTRACED, EXEMPT = Verdict.TRACED, Verdict.UNTRACED, Verdict.EXEMPT
UNKNOWN, INAPT = Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
NEW, FIXED, REGRESSED, GONE, RETURNED = ChangeKind
FUNCTION = Function(
    arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:refund",
    account=ACCOUNT,
    region=REGION,
    name="refund",
    mode=TracingMode.ACTIVE,
    package_type="Zip",
    stack_id=STACK.format("shop", "1"),
)
AT = to_text(NOON)
BEFORE = Before(FUNCTION.arn, UNTRACED, UNTRACED, AT, AT, package_type="Zip", forms="[]", stack_id=FUNCTION.stack_id)


def serving(version: str, mode: TracingMode | None) -> tuple[Alias, ...]:
    return (Alias("live", (ServedVersion(version, mode),)),)


def served(version: str, mode: str | None) -> str:
    shown = "null" if mode is None else f'"{mode}"'
    return f'[{{"name":"live","versions":[{{"mode":{shown},"version":"{version}","weight":1.0}}]}}]'


def known(told: str | None = UNTRACED, **facts: object) -> Before:
    return BEFORE._replace(told=told, **facts)


@pytest.mark.parametrize(
    ("told", "now", "kind"),
    [
        (UNTRACED, TRACED, FIXED),
        (TRACED, UNTRACED, REGRESSED),
        (TRACED, TRACED, None),
        (UNTRACED, UNTRACED, None),
        (UNTRACED, EXEMPT, None),
        (TRACED, EXEMPT, None),
        (TRACED, UNKNOWN, None),
        (UNTRACED, UNKNOWN, None),
        (UNKNOWN, TRACED, None),
        (UNKNOWN, UNTRACED, None),
        (UNTRACED, INAPT, None),
        (TRACED, INAPT, None),
        (INAPT, UNTRACED, None),
        (INAPT, TRACED, None),
        (None, TRACED, None),
    ],
)
def test_a_verdict_after_another_is_a_fix_a_regression_or_no_change(
    told: str | None, now: Verdict, kind: ChangeKind | None
) -> None:
    assert turned(told, now) is kind


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (BEFORE, FUNCTION, ""),
        (known(gone_at=AT), FUNCTION, "It was deleted and is there again."),
        (known(gone_at=AT, outside=True), FUNCTION, ""),
        (BEFORE, structs.replace(FUNCTION, package_type="Image"), "Its PackageType was Zip and is Image now"),
        (known(package_type=None), structs.replace(FUNCTION, package_type="Image"), ""),
        (BEFORE, structs.replace(FUNCTION, package_type=None), ""),
        (BEFORE, structs.replace(FUNCTION, forms=(Form.TENANCY,)), "It had no TenancyConfig and has one now"),
        (known(forms='["durable"]'), FUNCTION, "It had a DurableConfig and has none now"),
        (known(forms='["durable"]'), structs.replace(FUNCTION, forms=(Form.DURABLE,)), ""),
        (BEFORE, structs.replace(FUNCTION, forms=(Form.MANAGED_INSTANCES,)), ""),
        (known(package_type=None), structs.replace(FUNCTION, forms=(Form.DURABLE,)), ""),
        (BEFORE, structs.replace(FUNCTION, stack_id=STACK.format("shop", "2")), "stack shop was deleted and made anew"),
        (BEFORE, structs.replace(FUNCTION, stack_id=STACK.format("till", "3")), "stack shop and belongs to till now"),
        (BEFORE, structs.replace(FUNCTION, stack_id=None), ""),
        (known(stack_id=None), FUNCTION, ""),
        (
            known(aliases=served("2", "PassThrough")),
            structs.replace(FUNCTION, aliases=serving("2", TracingMode.ACTIVE)),
            "Its version 2 was published as PassThrough and is Active now.",
        ),
        (known(aliases=served("7", "Active")), structs.replace(FUNCTION, aliases=serving("2", TracingMode.ACTIVE)), ""),
        (known(aliases=served("2", None)), structs.replace(FUNCTION, aliases=serving("2", TracingMode.ACTIVE)), ""),
        (known(aliases=served("2", "Active")), structs.replace(FUNCTION, aliases=serving("2", None)), ""),
        (
            known(aliases=served("$LATEST", "PassThrough")),
            structs.replace(FUNCTION, aliases=serving("$LATEST", TracingMode.ACTIVE)),
            "",
        ),
        (known(aliases=served("2", "Active")), structs.replace(FUNCTION, aliases=None), ""),
        (
            BEFORE,
            structs.replace(FUNCTION, last_modified=NOON - 9 * HOUR, role="r", runtime="python3.14", code_sha256="c"),
            "",
        ),
    ],
    ids=[
        "same",
        "was gone",
        "was outside of the settings",
        "package",
        "package not known before",
        "package not said",
        "tenancy",
        "durable no more",
        "durable as before",
        "managed instances",
        "forms not known before",
        "stack made anew",
        "another stack",
        "tags not said",
        "stack not known before",
        "a version published twice",
        "a rollback",
        "a version not read before",
        "a version not read now",
        "latest through an alias",
        "aliases not read",
        "what updates change",
    ],
)
def test_only_what_cannot_change_while_a_function_lives_proves_that_it_is_another(
    before: Before, after: Function, why: str
) -> None:
    said = made_anew(before, after)

    assert why in said
    assert bool(said) is bool(why)


@pytest.mark.parametrize(
    ("before", "after", "anew", "kind"),
    [
        (known(gone_at=AT, told="gone"), UNTRACED, "It was deleted.", RETURNED),
        (known(gone_at=AT, told=TRACED), UNTRACED, "It was deleted.", RETURNED),
        (known(gone_at=AT, outside=True, told=TRACED), UNTRACED, "", REGRESSED),
        (known(TRACED), UNTRACED, "Its stack is another.", NEW),
        (known(None), UNTRACED, "", NEW),
        (known(TRACED), UNTRACED, "", REGRESSED),
        (known(UNTRACED), UNTRACED, "", None),
    ],
    ids=[
        "returned",
        "returned before it was told gone",
        "back in the settings",
        "anew",
        "anew seen by a look",
        "",
        "=",
    ],
)
def test_another_function_of_the_name_is_new_or_returned_and_no_regression(
    before: Before, after: Verdict, anew: str, kind: ChangeKind | None
) -> None:
    found = change(before, structs.replace(FUNCTION, verdict=after), anew)

    assert (found and found.kind) is kind
    assert bool(found and found.detail.get("made_anew")) is (kind in (NEW, RETURNED))


@pytest.mark.parametrize(
    ("story", "left"),
    [
        ([(NEW, None, UNTRACED)], (NEW, None, UNTRACED)),
        ([(NEW, None, UNTRACED), (FIXED, UNTRACED, TRACED)], (NEW, None, TRACED)),
        ([(NEW, None, UNTRACED), (GONE, UNTRACED, None)], None),
        ([(FIXED, UNTRACED, TRACED), (REGRESSED, TRACED, UNTRACED)], None),
        ([(REGRESSED, TRACED, UNTRACED), (FIXED, UNTRACED, TRACED)], None),
        ([(FIXED, UNTRACED, TRACED), (GONE, TRACED, None)], (GONE, UNTRACED, None)),
        ([(GONE, TRACED, None), (RETURNED, TRACED, UNTRACED)], (RETURNED, TRACED, UNTRACED)),
        ([(GONE, TRACED, None), (RETURNED, TRACED, UNTRACED), (GONE, UNTRACED, None)], (GONE, TRACED, None)),
        ([(RETURNED, TRACED, UNTRACED), (FIXED, UNTRACED, TRACED)], (RETURNED, TRACED, TRACED)),
        ([(RETURNED, TRACED, UNTRACED), (GONE, UNTRACED, None)], None),
    ],
)
def test_what_several_audits_told_is_told_as_one(
    story: list[tuple[ChangeKind, Verdict | None, Verdict | None]],
    left: tuple[ChangeKind, Verdict | None, Verdict | None] | None,
) -> None:
    told = [
        Change(FUNCTION.arn, kind, before, after, audit_id=number)
        for number, (kind, before, after) in enumerate(story, 1)
    ]

    found = [(one.kind, one.before, one.after) for one in net(reversed(told))]

    assert found == ([left] if left else [])


def audited(store: Store, at: datetime, scope: str = "") -> int:
    seen = Inventory((), (), (ACCOUNT,), (REGION,), 1)
    taken = store.audits.record(
        seen, {None: Coverage()}, source=Source.CLOCK, scope=scope, started_at=at, finished_at=at + HOUR / 2
    )
    return taken.id


def kinds(since: Since) -> dict[str, ChangeKind]:
    return {one.function_name: one.kind for one in since.changes}


def test_changes_are_read_as_they_were_recorded_with_their_audit_and_team(store: Store, make_function) -> None:
    function = make_function()
    store.functions.save([function], NOON, audited=True)
    audited(store, NOON)
    second = audited(store, NOON + HOUR)
    detail = {"fixed_by": "U0ANA", "fixed_at": NOON.isoformat()}

    store.changes.record(second, [Change(function.arn, REGRESSED, TRACED, UNTRACED, detail)])

    kept = Change(function.arn, REGRESSED, TRACED, UNTRACED, detail, second, NOON + HOUR, "payments")
    assert store.changes.since_last(second) == Since(1, NOON, (kept,))
    assert store.changes.last_of(function.arn) == kept
    assert kept.fixed_at == NOON


def test_an_audit_of_everything_tells_what_narrower_ones_told_meanwhile_and_they_only_their_own(
    store: Store, make_function
) -> None:
    here, there = make_function("here"), make_function("there", account="222222222222", region="us-east-1")
    store.functions.save([here, there], NOON, audited=True)
    audited(store, NOON)
    narrow = audited(store, NOON + HOUR, f"{ACCOUNT} {REGION}")
    store.changes.record(narrow, [Change(here.arn, FIXED, UNTRACED, TRACED), Change(there.arn, GONE, UNTRACED)])
    again = audited(store, NOON + 2 * HOUR, f"{ACCOUNT} {REGION}")
    other = audited(store, NOON + 3 * HOUR, "us-east-1")
    whole = audited(store, NOON + 4 * HOUR)

    assert kinds(store.changes.since_last(narrow)) == {"here": FIXED}
    assert store.changes.since_last(again) == Since(narrow, NOON + HOUR, ())
    assert kinds(store.changes.since_last(other)) == {"there": GONE}
    assert store.changes.since_last(whole).audit_id == 1
    assert kinds(store.changes.since_last(whole)) == {"here": FIXED, "there": GONE}


def test_the_first_audit_of_its_places_has_none_before_it(store: Store) -> None:
    audited(store, NOON, ACCOUNT)

    assert store.changes.since_last(audited(store, NOON + HOUR)) == Since()


def test_a_team_is_told_of_the_audits_between_two_times(store: Store, make_function) -> None:
    mine, theirs = make_function("mine"), make_function("theirs", team="search")
    store.functions.save([mine, theirs], NOON, audited=True)
    for turn in range(3):
        number = audited(store, NOON + turn * HOUR)
        store.changes.record(number, [Change(one.arn, NEW, None, UNTRACED) for one in (mine, theirs)])

    found = store.changes.of_team("payments", NOON + HOUR, NOON + 2 * HOUR)

    assert [(one.function_name, one.audit_id) for one in found] == [("mine", 2)]
    assert store.changes.of_team("payments", NOON + 4 * HOUR, None) == []


def test_what_is_gone_is_told_once_and_what_left_the_settings_never(store: Store, make_function) -> None:
    gone, outside = make_function("gone"), make_function("outside", account="222222222222")
    looked_at_only = make_function("looked-at-only")
    store.functions.save([gone, outside], NOON, audited=True)
    store.functions.save([looked_at_only], NOON)
    store.functions.mark_unseen_gone([(ACCOUNT, REGION)], NOON + HOUR)
    store.functions.mark_gone_outside([ACCOUNT], [ACCOUNT], [REGION], NOON + HOUR)

    assert [(one.function_name, one.before) for one in store.changes.take_gone()] == [("gone", UNTRACED)]
    assert store.changes.take_gone() == []


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([TRACED], TRACED),
        ([EXEMPT], UNTRACED),
        ([UNKNOWN], UNKNOWN),
        ([UNKNOWN, TRACED], TRACED),
        ([TRACED, UNKNOWN], TRACED),
        ([TRACED, EXEMPT], TRACED),
        ([TRACED, UNKNOWN, UNTRACED], UNTRACED),
        ([UNTRACED, INAPT], INAPT),
    ],
)
def test_what_was_told_is_the_last_verdict_that_was_one(
    store: Store, make_function, verdicts: list[Verdict], told: Verdict
) -> None:
    for turn, verdict in enumerate(verdicts):
        store.functions.save([make_function(verdict=verdict)], NOON + turn * HOUR, audited=True)
    store.functions.save([make_function(verdict=INAPT)], NOON + 9 * HOUR)  # a look, which tells nobody

    assert [one.told for one in store.changes.before([make_function()])] == [told]


def test_the_state_before_is_of_all_in_the_accounts_concerned(store: Store, make_function) -> None:
    here = [make_function("a"), make_function("b", region="us-east-1", aliases=serving("2", TracingMode.ACTIVE))]
    there = make_function("c", account="222222222222")
    store.functions.save([*here, there], NOON, audited=True)
    store.functions.mark_gone(here[0].arn, NOON + HOUR)

    assert [one.arn for one in store.changes.before([there])] == [there.arn]
    found = {one.arn: one for one in store.changes.before(here)}
    assert {arn: one.deleted for arn, one in found.items()} == {here[0].arn: True, here[1].arn: False}
    assert [found[one.arn].modes() for one in here] == [{}, {"2": "Active"}]


def test_when_a_function_was_made_stays_through_updates_and_settings_and_not_through_its_end(
    store: Store, make_function
) -> None:
    arn = make_function().arn
    store.functions.save([make_function()], NOON)
    store.functions.save([make_function(verdict=TRACED)], NOON + HOUR)
    assert store.functions.made_at(arn) == NOON

    store.functions.mark_gone_outside([], [], [], NOON + 2 * HOUR)
    store.functions.save([make_function()], NOON + 3 * HOUR)
    assert store.functions.made_at(arn) == NOON

    store.changes.part_with(arn, NOON + 4 * HOUR)
    store.functions.save([make_function()], NOON + 4 * HOUR)
    assert (store.functions.made_at(arn), store.functions.since(arn)) == (NOON + 4 * HOUR, NOON + 4 * HOUR)


def test_older_knowledge_does_not_bring_back_what_is_gone_since(store: Store, make_function) -> None:
    store.functions.save([make_function()], NOON)
    store.functions.mark_gone(make_function().arn, NOON + 2 * HOUR)

    store.functions.save([make_function()], NOON + HOUR, NOON + 3 * HOUR)
    assert store.functions.get(make_function().arn) is None

    store.functions.save([make_function()], NOON + HOUR, NOON + HOUR)  # by a clock that was set back
    assert store.functions.get(make_function().arn)


def test_a_place_is_known_once_it_was_seen_whole(store: Store) -> None:
    store.places.record([PLACE], NOON)
    store.places.record([PLACE, (ACCOUNT, "us-east-1")], NOON + HOUR)

    assert store.places.known() == {PLACE, (ACCOUNT, "us-east-1")}


def test_an_exemption_that_is_ended_counts_no_more(store: Store) -> None:
    granted = store.exemptions.grant("arn", "moves", "U0ANA", NOON, NOON + 9 * HOUR)

    assert store.exemptions.end("arn", NOON + HOUR) == [granted]
    assert store.exemptions.end("arn", NOON + HOUR) == []
    assert store.exemptions.in_force(NOON + HOUR) == {}


def test_the_newest_fix_of_a_function_is_found(store: Store) -> None:
    for turn, kind in enumerate([DecisionKind.APPLIED, DecisionKind.APPLIED, DecisionKind.FAILED]):
        store.decisions.record(Decision(kind, NOON + turn * HOUR, "U0ANA", "arn", request_id=str(turn)))

    found = store.decisions.last_fix("arn")

    assert found
    assert found.request_id == "1"
    assert store.decisions.last_fix("other") is None


def test_a_fix_that_was_taken_back_is_no_newest_fix_until_there_is_another(store: Store) -> None:
    for turn, kind in enumerate([DecisionKind.APPLIED, DecisionKind.UNDONE]):
        store.decisions.record(Decision(kind, NOON + turn * HOUR, "U0ANA", "arn", request_id="1"))

    assert store.decisions.last_fix("arn") is None
    again = store.decisions.record(Decision(DecisionKind.APPLIED, NOON, "U0BO", "arn", request_id="2"))
    assert store.decisions.last_fix("arn") == again


def test_a_post_lies_between_the_end_of_the_run_before_and_that_of_its_own(store: Store) -> None:
    for day in range(3):
        store.daily_runs.begin("daily", NOON.date() + timedelta(days=day), NOON)
        store.daily_runs.end("daily", NOON.date() + timedelta(days=day), NOON + timedelta(days=day))

    day = timedelta(days=1)
    assert store.daily_runs.around("daily", NOON + HOUR) == (NOON, NOON + day)
    assert store.daily_runs.around("daily", NOON + day) == (NOON, NOON + day)
    assert store.daily_runs.around("daily", NOON - HOUR) == (None, NOON)
    assert store.daily_runs.around("daily", NOON + 3 * day) == (NOON + 2 * day, None)
    assert store.daily_runs.around("other", NOON) == (None, None)


def test_a_file_of_the_version_before_is_taken_over_with_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    old = Database(path)
    for statement in FIRST:
        old.execute(statement)
    migrations.ensure_migrations_table(old)
    old["_sqlite_migrations"].insert({"migration_set": "lamplighter", "name": "m001_first", "applied_at": "2026"})
    row = {"account": ACCOUNT, "region": REGION, "edge": 0, "layers": "[]", "environment_keys": "[]", "findings": "[]"}
    times = {"since": "2026-11-01T00:00:00.000000+00:00", "seen_at": "2026-11-20T00:00:00.000000+00:00"}
    for name, verdict, gone_at in (("a", "exempt", None), ("b", "traced", None), ("c", "traced", times["seen_at"])):
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        facts = {"arn": arn, "name": name, "verdict": verdict, "gone_at": gone_at}
        old["functions"].insert(row | times | facts)
    old.conn.commit()
    old.close()

    store = Store(path)

    found = {one.arn[-1]: one for one in store.changes.before([FUNCTION, FUNCTION])}
    assert {name: one.told for name, one in found.items()} == {"a": "untraced", "b": "traced", "c": "gone"}
    assert {one.made_at for one in found.values()} == {times["since"]}
    assert store.places.known() == {PLACE}
    assert store.functions.named("b")[0].forms == ()
    store.close()
