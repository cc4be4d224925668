"""The message about deployed functions, whatever they are called and however many there are: within Slack's limits."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from slack_sdk.models.blocks import Block as SdkBlock

from bot.demo.slack import message_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views import deployed
from commands.views.item import Item
from storage.deployments import WhyDark
from storage.fixes import RequestState
from storage.models import CheckName, Finding, Function, TeamFrom, TracingMode, Verdict
from tests.commands.views.test_hostile import NAME, NASTY, inert
from tests.commands.views.test_money import FORECASTS
from tests.commands.views.test_views import ENDED, words


def functions(number: int, name: str, text: str = "", team: str | None = "payments") -> dict[str, Function | None]:
    found = (Finding(CheckName.ALIAS_UNTRACED, text),) if text else ()
    made = [
        Function(
            arn=f"arn:aws:lambda:eu-central-1:111122223333:function:{name}-{n}",
            account="111122223333",
            region="eu-central-1",
            name=f"{n}-{name}",
            mode=TracingMode.PASS_THROUGH,
            team=team,
            verdict=Verdict.UNTRACED,
            findings=found,
        )
        for n in range(number)
    ]
    return {one.arn: one for one in made}


@given(
    name=NAME,
    text=NASTY,
    number=st.integers(0, 400),
    gone=st.integers(0, 3),
    team=st.none() | NASTY,
    state=st.sampled_from(RequestState),
    cost=FORECASTS,
    reasons=st.lists(st.sampled_from(WhyDark), min_size=1, max_size=4),
)
@settings(max_examples=80, deadline=None)
def test_any_message_is_within_limits_and_inert(name, text, number, gone, team, state, cost, reasons) -> None:
    known = functions(number, name, text, team)
    known |= {f"arn:aws:lambda:eu-central-1:1:function:gone-{n}": None for n in range(gone)}
    why = {arn: reasons[n % len(reasons)] for n, arn in enumerate(known)}
    items = [
        Item(
            one,
            replace(ENDED, id=f"token{n}", state=state, function_arn=arn),
            told=deployed.row_words(why[arn]),
            forecast=cost,
        )
        for n, (arn, one) in enumerate(list(known.items())[: deployed.shown_rows(len(known))])
    ]
    made = deployed.deployed_blocks(
        team, items, known, why, approvers=["<@U0ANA>"], tag_keys=["team"], review="token0", moved=gone
    )

    assert not message_problems(made)
    assert not blocks_are_too_long(made)
    assert len(SdkBlock.parse_all(made)) == len(made)
    assert inert(words([block for block in made if block["type"] not in ("actions", "header")]))
    said = deployed.deployed_text(team, known, why, gone)
    assert 0 < len(said) <= 2900
    assert inert(said)
    for block in made:
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            assert element["accessibility_label"]


def test_one_function_is_named_in_the_head_and_why() -> None:
    known = functions(1, "refund")
    (arn,) = known
    for why, said in {
        WhyDark.DEPLOYED: "0-refund was deployed without tracing",
        WhyDark.SWITCHED_OFF: "0-refund had its tracing switched off",
        WhyDark.ROLE: "0-refund lost its permission to write to X-Ray",
    }.items():
        made = deployed.deployed_blocks("payments", [], known, {arn: why}, approvers=[], tag_keys=["team"])
        assert made[0]["text"]["text"] == said
        assert "Nobody may approve yet" in words(made)


def test_of_many_a_few_have_rows_and_the_others_are_named() -> None:
    known = functions(300, "refund")
    made = deployed.deployed_blocks(
        "payments", [], known, dict.fromkeys(known, WhyDark.DEPLOYED), approvers=["<@U0ANA>"], tag_keys=["team"]
    )

    assert made[0]["text"]["text"] == "300 Lambda functions were deployed without tracing"
    assert "And 300 others: `0-refund`, `1-refund`" in words(made)
    assert "and 240 more" in words(made)


@pytest.mark.parametrize(
    ("team", "team_from", "says"),
    [
        ("payments", TeamFrom.TAG, "because its tag says so"),
        ("payments", TeamFrom.STACK, "because a tag of its CloudFormation stack says so"),
        ("payments", TeamFrom.ACCOUNT, "because a tag of its account says so"),
        ("payments", TeamFrom.ASSIGNED, "because an approver assigned it here"),
        (None, None, "is of no known team"),
    ],
)
def test_not_ours_says_what_to_change(team: str | None, team_from: TeamFrom | None, says: str) -> None:
    (function,) = functions(1, "refund", team=team).values()
    assert function

    assert says in deployed.not_ours_text(structs.replace(function, team_from=team_from), ["team", "owner"])
