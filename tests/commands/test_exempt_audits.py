"""Exemptions across audits of the local AWS: tags as AWS tells them, functions made anew, and the digest's words."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from commands._drawing import draw, item_of
from commands._exempting import end_of
from commands._types import OpenForm, Request, Say
from commands.digest import daily
from commands.exempt import open_some
from commands.exemption_clock import turn
from commands.views import functions
from commands.views.exempt import NAMES
from storage.exemptions import Wish
from storage.models import THE_CLOCK, DecisionKind, Exemption, ExemptScope, PostKind, Source, Verdict
from tests.commands.conftest import ANA, BERLIN, EVE, HOME, MODIFIED, World

NAME, TAG = ExemptScope.NAME, ExemptScope.TAG


def function(world: World, name: str, **tags: str) -> str:
    spec: dict[str, Any] = {
        "FunctionName": name,
        "Role": f"arn:aws:iam::{HOME}:role/writes",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Code": {"ZipFile": b""},
        "Tags": {"team": "payments"} | tags,
    }
    return world.aws.seed_function(HOME, BERLIN, spec, MODIFIED)


def grant(world: World, scope: ExemptScope, target: str, arns: Iterable[str], *, later: bool = False) -> Exemption:
    """Until December 24."""
    until = end_of(date(2026, 12, 24), world.context.zone)
    wish = Wish("made by the platform", until, "payments", ("payments",), scope=scope, target=target, later=later)
    return world.store.exemptions.create(wish, tuple(arns), ANA, world.clock())


def exempt(world: World) -> set[str]:
    found = world.store.functions.of_team("payments", Verdict.EXEMPT)
    return {one.name for one in found}


def runs(world: World, day: date) -> None:
    for _ in daily(Request(THE_CLOCK, world.clock(), Source.CLOCK, day=day), world.context):
        pass
    world.clock.forward(seconds=1)


def row(world: World, arn: str) -> str:
    return str(functions.item_blocks(item_of(world.context, world.known(arn))))


def digest(world: World) -> str:
    newest = [post for post in world.store.posts.all(PostKind.DIGEST) if post.page == 1][-1]
    return str(draw(world.context, newest))


def test_a_tag_rule_goes_by_what_aws_tells_of_tags(world: World) -> None:
    tagged = function(world, "migrate", purpose="deployment")
    function(world, "refund", purpose="Deployment")
    world.audit()
    grant(world, TAG, "purpose=deployment", [tagged])
    world.audit()
    assert exempt(world) == {"migrate"}

    world.aws.deny(service="resourcegroupstaggingapi")
    unread = world.audit()
    assert exempt(world) == set()
    assert {counts.exempt for counts in world.store.audits.coverage(unread.id).values()} == {0}
    assert "Not counted as exempt: its tags could not be read" in row(world, tagged)
    world.aws.forgive()
    world.audit()
    assert exempt(world) == {"migrate"}
    assert "Not counted as exempt" not in row(world, tagged)

    world.lambdas().untag_resource(Resource=tagged, TagKeys=["purpose"])
    world.audit()
    assert exempt(world) == set()
    assert world.history(tagged)[-1].kind is DecisionKind.EXEMPTION_ENDED


def test_exempt_is_counted_apart_and_later_functions_come_in_where_the_rule_says_so(world: World) -> None:
    first = function(world, "ctl-a")
    function(world, "refund")
    world.audit()
    grant(world, NAME, "ctl-*", [first], later=True)
    function(world, "ctl-b")

    counted = world.store.audits.coverage(world.audit().id)["payments"]

    assert exempt(world) == {"ctl-a", "ctl-b"}
    assert (counted.exempt, counted.untraced, counted.traced, counted.percent) == (2, 1, 0, 0.0)


def test_no_exemption_covers_a_function_that_was_made_anew(world: World) -> None:
    arn = function(world, "ctl-a")
    function(world, "ctl-b")
    world.audit()
    grant(world, NAME, "ctl-*", [arn], later=True)
    world.audit()
    assert exempt(world) == {"ctl-a", "ctl-b"}

    world.lambdas().delete_function(FunctionName="ctl-a")
    world.audit()
    function(world, "ctl-a")
    world.audit()
    world.audit()

    assert exempt(world) == {"ctl-b"}
    kinds = [row.kind for row in world.history(arn)]
    assert kinds[-2:] == [DecisionKind.EXEMPTION_ENDED, DecisionKind.LAPSED]


def test_a_digest_says_what_a_rule_has_come_to_cover_and_what_is_exempt_no_longer(world: World) -> None:
    first = function(world, "ctl-a")
    function(world, "refund")
    runs(world, date(2026, 11, 23))
    grant(world, NAME, "ctl-*", [first], later=True)
    function(world, "ctl-new")

    world.clock.forward(days=1)
    runs(world, date(2026, 11, 24))
    assert "Exempt by a rule since the last daily audit: `ctl-new`" in digest(world)
    assert "No longer exempt" not in digest(world)

    world.clock.now = end_of(date(2026, 12, 24), world.context.zone)
    list(turn(Request(THE_CLOCK, world.clock(), Source.CLOCK), world.context))
    world.clock.forward(hours=9)
    runs(world, date(2026, 12, 25))
    assert "No longer exempt: `ctl-a`, `ctl-new`" in digest(world)
    assert "Exempt by a rule" not in digest(world)
    assert exempt(world) == set()


def test_exempt_some_opens_the_form_of_a_rule_for_approvers(world: World) -> None:
    arn = function(world, "refund")
    world.audit()
    asked = world.request(arn)

    (opened,) = open_some(world.asks(ANA, value=asked.id), world.context)
    (refused,) = open_some(world.asks(EVE, value=asked.id), world.context)
    (unknown,) = open_some(world.asks(ANA, value="forged"), world.context)

    assert isinstance(opened, OpenForm)
    assert NAMES in str(opened.view["blocks"])
    assert isinstance(refused, Say)
    assert refused.text == "You are not an approver."
    assert "another installation" in unknown.text
