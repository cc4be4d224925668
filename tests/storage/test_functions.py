from datetime import timedelta

from msgspec import structs
from sqlite_utils import Database

from storage.models import (
    Alias,
    CheckName,
    Finding,
    Form,
    Manager,
    MayWrite,
    ServedVersion,
    TeamFrom,
    TracingMode,
    Verdict,
)
from storage.schema import migrations
from storage.store import Store
from tests.storage.conftest import NOON

HOUR = timedelta(hours=1)


def test_a_function_is_read_as_it_was_saved(store: Store, make_function) -> None:
    full = make_function(
        role="arn:aws:iam::111122223333:role/refund",
        role_may_write=MayWrite.CONDITIONAL,
        runtime="python3.12",
        last_modified=NOON,
        revision_id="r",
        code_sha256="c",
        aliases=(Alias("live", (ServedVersion("3", TracingMode.PASS_THROUGH, 0.9), ServedVersion("4", None, 0.1))),),
        sources=("sqs",),
        edge=True,
        layers=("arn:aws:lambda:eu-central-1:901920570463:layer:x:1",),
        environment_keys=("STAGE",),
        package_type="Zip",
        handler="app.handler",
        forms=(Form.MANAGED_INSTANCES, Form.DURABLE),
        published_mode=TracingMode.ACTIVE,
        untraced_callers=("arn:aws:lambda:eu-central-1:111122223333:function:caller",),
        managed_by=Manager.SAM,
        stack="payments-prod",
        stack_id="arn:aws:cloudformation:eu-central-1:111122223333:stack/payments-prod/0a1b",
        logical_id="RefundFunction",
        findings=(Finding(CheckName.PASSTHROUGH, "It is PassThrough."),),
    )
    unknown = make_function("unknown", mode=None, team=None, aliases=None, sources=None, environment_keys=None)

    store.functions.save([full, unknown], NOON)

    assert store.functions.get(full.arn) == full
    assert store.functions.get(unknown.arn) == unknown


def test_older_knowledge_never_overwrites_newer(store: Store, make_function) -> None:
    fixed = make_function(mode=TracingMode.ACTIVE, verdict=Verdict.TRACED)
    store.functions.save([fixed], NOON + HOUR)

    store.functions.save([make_function()], NOON)

    assert store.functions.get(fixed.arn) == fixed


def test_a_team_whose_tags_could_not_be_read_stays(store: Store, make_function) -> None:
    store.functions.save([make_function()], NOON)

    store.functions.save([make_function(team=None, team_known=False)], NOON + HOUR)
    assert [one.team for one in store.functions.seen_since(NOON + HOUR)] == ["payments"]

    store.functions.save([make_function(team=None)], NOON + 2 * HOUR)
    assert [one.team for one in store.functions.seen_since(NOON)] == [None]


def test_what_deploys_a_function_whose_tags_could_not_be_read_stays(store: Store, make_function) -> None:
    deployed = make_function(managed_by=Manager.CDK, stack="s", stack_id="arn:s", logical_id="RefundFunction3BAA72D1")
    store.functions.save([deployed], NOON)

    store.functions.save([make_function(team=None, team_known=False, handler="new.handler")], NOON + HOUR)
    assert store.functions.get(deployed.arn) == structs.replace(deployed, handler="new.handler")

    store.functions.save([make_function()], NOON + 2 * HOUR)
    assert store.functions.get(deployed.arn) == make_function()


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path, make_function) -> None:
    path = tmp_path / "memory.db"
    old = Database(path)
    migrations.apply(old, stop_before="m002_what_functions_are")
    row = "'arn:old', '1', 'eu-central-1', 'old', 0, '[]', '[\"STAGE\"]', 'traced', '[]', '', ''"
    columns = "arn, account, region, name, edge, layers, environment_keys, verdict, findings, since, seen_at"
    with old.atomic():
        old.execute(f"insert into functions ({columns}) values ({row})")
    old.close()

    store = Store(path)
    found = store.functions.get("arn:old")
    store.functions.save([make_function(managed_by=Manager.SAM)], NOON)
    store.close()

    assert found is not None
    assert (found.environment_keys, found.forms, found.untraced_callers, found.managed_by) == (("STAGE",), (), (), None)


def test_whose_team_was_known_before_it_was_kept_how_it_was_by_a_tag(tmp_path) -> None:
    path = tmp_path / "memory.db"
    old = Database(path)
    migrations.apply(old, stop_before="m009_owners")
    columns = "arn, account, region, name, team, edge, layers, environment_keys, verdict, findings, since, seen_at"
    with old.atomic():
        for name, team in (("a", "'payments'"), ("b", "null")):
            row = f"'arn:{name}', '1', 'eu-central-1', '{name}', {team}, 0, '[]', '[]', 'traced', '[]', '', ''"
            old.execute(f"insert into functions ({columns}) values ({row})")
    old.close()

    store = Store(path)
    found = [store.functions.get(f"arn:{name}") for name in "ab"]
    store.close()

    assert [one and (one.team, one.team_from) for one in found] == [("payments", TeamFrom.TAG), (None, None)]


def test_since_is_kept_while_the_verdict_stays(store: Store, make_function) -> None:
    for turn in range(3):
        store.functions.save([make_function()], NOON + turn * HOUR)
    assert store.functions.since(make_function().arn) == NOON

    store.functions.save([make_function(verdict=Verdict.TRACED)], NOON + 3 * HOUR)
    assert store.functions.since(make_function().arn) == NOON + 3 * HOUR


def test_what_an_audit_saw_no_more_is_gone_there_and_nowhere_else(store: Store, make_function) -> None:
    here, there = make_function("here"), make_function("there", region="us-east-1")
    store.functions.save([here, there], NOON)

    store.functions.mark_unseen_gone([("111122223333", "eu-central-1")], NOON + HOUR)

    assert store.functions.get(here.arn) is None
    assert store.functions.get(there.arn) == there


def test_a_function_that_returns_is_new(store: Store, make_function) -> None:
    store.functions.save([make_function()], NOON)
    store.functions.mark_gone(make_function().arn, NOON + HOUR)
    store.functions.save([make_function()], NOON + 2 * HOUR)

    assert store.functions.get(make_function().arn) is not None
    assert store.functions.since(make_function().arn) == NOON + 2 * HOUR


def test_functions_are_found_by_team_and_by_time(store: Store, make_function) -> None:
    store.functions.save([make_function("old"), make_function("orphan", team=None)], NOON)
    store.functions.save([make_function("new")], NOON + HOUR)

    assert [one.name for one in store.functions.of_team("payments", Verdict.UNTRACED)] == ["new", "old"]
    assert [one.name for one in store.functions.of_team(None, Verdict.UNTRACED)] == ["orphan"]
    assert [one.name for one in store.functions.seen_since(NOON + HOUR)] == ["new"]
    assert store.functions.teams() == ["payments"]


def test_sharing_counts_the_other_functions_of_a_role(store: Store, make_function) -> None:
    functions = [make_function(name, role="arn:aws:iam::111122223333:role/shared") for name in "abc"]
    store.functions.save(functions, NOON)

    assert store.functions.sharing("arn:aws:iam::111122223333:role/shared", functions[0].arn) == 2


def test_what_a_clock_saw_that_was_set_back_since_is_not_newer(store: Store, make_function) -> None:
    store.functions.save([make_function()], NOON + HOUR)
    fixed = make_function(mode=TracingMode.ACTIVE, verdict=Verdict.TRACED)

    store.functions.save([fixed], NOON, now=NOON)

    assert store.functions.get(fixed.arn) == fixed


def test_what_is_outside_of_the_settings_is_gone_and_what_could_not_be_seen_is_not(store: Store, make_function) -> None:
    kept = make_function("kept")
    dropped_account = make_function("dropped", account="999999999999")
    dropped_region = make_function("dropped-region", region="us-east-1")
    dark = make_function("dark", account="222222222222", region="us-east-1")
    store.functions.save([kept, dropped_account, dropped_region, dark], NOON)

    accounts = ["111122223333", "222222222222"]
    store.functions.mark_gone_outside(accounts, ["111122223333"], ["eu-central-1"], NOON + HOUR)

    assert [one.name for one in store.functions.seen_since(NOON)] == ["dark", "kept"]


def test_whether_a_function_is_in_production_is_not_known_any_more_once_its_tags_cannot_be_read(
    store: Store, make_function
) -> None:
    for at, known in enumerate((True, False, None)):
        store.functions.save([make_function(production=known)], NOON + at * HOUR)
        found = store.functions.get(make_function().arn)
        assert found is not None
        assert found.production is known
