"""Those who are at work around the bot, by chance: people in Slack, deployments in AWS, and what breaks in both."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.demo.aws import AwsStandIn
from bot.demo.people import ANA, BO
from bot.demo.slack import Message, SlackStandIn, limits
from bot.demo.slack.refusals import Refusal
from commands.views.actions import APPROVE, CANCEL, DENY, EXEMPT, SHOW_PATCH, UNDO
from commands.views.batch import STOP
from commands.views.digest import REVIEW
from commands.views.form import REASON
from commands.views.living import END_SNOOZE, MENU
from commands.views.review import ALL
from commands.views.snooze import WHAT
from tests.e2e.scene import words

PRIYA, JONAS, MEI = "U07A8N2RPAY", "U07B3C9WCHK", "U07C6T1ZSRC"
APPROVERS = (ANA, BO)
# What is clicked, and how often beside the others.
CLICKS = {
    APPROVE: 10,
    UNDO: 5,
    DENY: 3,
    CANCEL: 2,
    EXEMPT: 2,
    REVIEW: 2,
    MENU: 2,
    END_SNOOZE: 1,
    STOP: 1,
    SHOW_PATCH: 1,
}
GONE = (LookupError, Refusal, TimeoutError, AssertionError)  # what was looked at has changed meanwhile


@dataclass(frozen=True, slots=True)
class Told:
    """Words of the bot's to one person."""

    who: str
    text: str


class Crowd:
    """People who ask, decide, change their minds, click twice, and are not always allowed to."""

    def __init__(
        self, slack: SlackStandIn, chance: random.Random, teams: Sequence[str], names: Callable[[], list[str]]
    ):
        self._slack, self._chance, self._names = slack, chance, names
        self._channels = [f"team-{team}" for team in teams]
        self._hands = ThreadPoolExecutor(4, thread_name_prefix="crowd")
        self.acts = self.acknowledged = 0
        self.in_forms: list[Told] = []

    def act(self) -> None:
        """One thing that somebody does, or that two do in the same moment."""
        self.acts += 1
        what = self._chance.choices((self._click, self._command, self._home), (12, 5, 1))[0]
        with suppress(*GONE):
            what()

    def approve(self) -> None:
        """Something that waits for it, if there is anything."""
        self.acts += 1
        with suppress(*GONE):
            self._click(APPROVE)

    def close(self) -> None:
        self._hands.shutdown(wait=True)

    def told(self) -> list[Told]:
        """All that anybody was told privately, in channels and in forms."""
        workspace = self._slack.workspace
        found = [
            Told(person.id, words(message))
            for person in workspace.people()
            for channel in workspace.channels()
            for message in workspace.ephemerals(channel.id, person.id)
        ]
        return found + self.in_forms

    def _who(self) -> str:
        return self._chance.choice((*APPROVERS, *APPROVERS, PRIYA, JONAS, MEI))

    def _command(self) -> None:
        channel = self._slack.workspace.channel_id(self._chance.choice((*self._channels, "finops"))) or ""
        name = self._chance.choice(self._names())
        lines = (
            (f"/trace-fix {name} we were blind last night", 10),
            ("/trace-audit", 1),
            (f"/trace-audit {name}", 2),
            (f"/trace-exempt revoke {name} it is wanted after all", 2),
            ("/trace-exempt list", 1),
            ("/trace-owners", 1),
            ("/trace-report 7d", 1),
        )
        line = self._chance.choices([each for each, _ in lines], [often for _, often in lines])[0]
        self._twice([(self._who(), lambda hands: hands.command(channel, line))])

    def _home(self) -> None:
        self._slack.acting_as(self._who()).open_home()

    def _click(self, action: str = "") -> None:
        action = action or self._chance.choices(list(CLICKS), list(CLICKS.values()))[0]
        offered = self._offered(action)
        if not offered:
            return
        message, nth, value = self._chance.choice(offered[-12:])
        who = self._who() if action != APPROVE or self._chance.random() < 0.2 else self._chance.choice(APPROVERS)
        if action in (DENY, EXEMPT, REVIEW, MENU):
            self._form(who, message, action, nth, value)
            return
        self._twice([(who, lambda hands: hands.click(message, action, nth=nth))])

    def _twice(self, acts: list[tuple[str, Callable[[Any], Any]]]) -> None:
        """Half of the time somebody, or somebody else, does the same at once."""
        (who, act) = acts[0]
        people = [
            who,
            *self._chance.choices((who, self._chance.choice(APPROVERS)), k=self._chance.choice((0, 0, 1, 2))),
        ]
        running = [self._hands.submit(act, self._slack.acting_as(one)) for one in people]
        for one in running:
            with suppress(*GONE):
                self.acknowledged += one.result(30).ok

    def _form(self, who: str, message: Message, action: str, nth: int, value: Any) -> None:
        hands = self._slack.acting_as(who)
        for view in self._slack.views(who):
            hands.close(view["id"])
        choice = value if action == MENU else None
        self.acknowledged += hands.click(message, action, choice, nth=nth).ok
        view = hands.modal(2.0)
        if not view["callback_id"]:  # a first one, drawn over when it is known what to show
            view = self._slack.workspace.wait_for(
                lambda: next((one for one in self._slack.views(who) if one["callback_id"]), None), 2.0
            )
        fields: dict[str, Any] = {
            "deny": {REASON: "not before the sale ends"},
            "exempt": {REASON: "it moves to another account"},
            "review": {ALL: [{"value": "all"}]},
            "snooze": {WHAT: _first_options(view, self._chance)},
        }.get(view["callback_id"], {})
        if not fields:
            return
        sends = [self._hands.submit(hands.submit, view["id"], **fields) for _ in range(self._chance.choice((1, 1, 2)))]
        for one in sends:
            with suppress(*GONE):
                self.acknowledged += one.result(30).ok
        for shown in self._slack.views(who):
            said = "\n".join(block["text"]["text"] for block in shown["blocks"] if block["type"] == "section")
            self.in_forms.append(Told(who, said))

    def _offered(self, action: str) -> list[tuple[Message, int, Any]]:
        """Each place where it can be clicked, the newest last."""
        found = []
        for name in (*self._channels, "finops"):
            for message in self._slack.workspace.messages(self._slack.workspace.channel_id(name) or ""):
                elements = [one for _, one in limits.interactive(message.blocks) if one.get("action_id") == action]
                for nth, element in enumerate(elements):
                    options = element.get("options") or [{"value": None}]
                    found.append((message, nth, self._chance.choice(options)["value"]))
        return sorted(found, key=lambda each: each[0].ts)


def _first_options(view: dict[str, Any], chance: random.Random) -> list[dict[str, Any]]:
    for block in view["blocks"]:
        element = block.get("element") or {}
        if element.get("action_id") == WHAT:
            offered = [one for group in element["option_groups"] for one in group["options"]]
            return [{"value": chance.choice(offered)["value"]}]
    return []


class Deployments:
    """Functions are made, changed, deleted and made again, beside the bot."""

    def __init__(self, aws: AwsStandIn, chance: random.Random, seed: Callable[[str, str], str]) -> None:
        self._aws, self._chance, self._seed = aws, chance, seed
        self.touched: dict[str, datetime] = {}  # by ARN: when its tracing was last changed by other hands
        self.arns: dict[str, str] = {}  # by ARN: its team
        self._made = 0

    def make(self, team: str) -> str:
        self._made += 1
        arn = self._seed(team, f"{team}-{self._made:02}")
        self.arns[arn], self.touched[arn] = team, self._aws.now()
        return arn

    def act(self) -> None:
        arn = self._chance.choice(list(self.arns))
        what = self._chance.random()
        if what < 0.35:
            self.make(self.arns[arn])
        elif what < 0.8 or len(self.arns) < 6:
            self._aws.seed_tracing_mode(arn, "PassThrough", self._aws.now())
            self.touched[arn] = self._aws.now()
        else:
            region, account = arn.split(":")[3:5]
            self._aws.functions.backend(account, region).delete_function(arn.rpartition(":")[2])
            del self.arns[arn]


class Faults:
    """What goes wrong, a little at a time."""

    METHODS = (
        "chat.postMessage", "chat.postMessage", "chat.postMessage", "chat.update", "chat.update", "users.info",
        "views.open", "views.update", "conversations.list", "chat.getPermalink", "usergroups.users.list",
        "files.getUploadURLExternal", "files.completeUploadExternal", "apps.connections.open", "views.publish",
    )  # fmt: skip
    WRITES = ("UpdateFunctionConfiguration", "AttachRolePolicy", "PublishVersion", "UpdateAlias", "DetachRolePolicy")
    READS = (
        "ListFunctions",
        "GetFunctionConfiguration",
        "AssumeRole",
        "GetAccountAuthorizationDetails",
        "GetResources",
    )

    def __init__(self, slack: SlackStandIn, aws: AwsStandIn, chance: random.Random, accounts: Sequence[str]) -> None:
        self._slack, self._aws, self._chance, self._accounts = slack, aws, chance, accounts
        self.ordered: dict[str, int] = {}
        self.away = False
        self._left = 0  # turns until what lasts is over

    def turn(self) -> None:
        """Perhaps something new; what lasts is over after a few turns."""
        self._left -= 1
        if self._left == 0:
            self._ease()
        if self._chance.random() < 0.5:
            self._act()

    def _act(self) -> None:
        what = self._chance.choice(
            (self._slack_fails, self._slack_fails, self._slack_fails, self._storm, self._drop, self._away, self._cut,
             self._cut, self._throttle, self._refuse)
        )  # fmt: skip
        name = what.__name__.strip("_")
        self.ordered[name] = self.ordered.get(name, 0) + 1
        what()

    def calm(self) -> None:
        """For a moment nothing that lasts goes wrong."""
        self._left = 0
        self._ease()

    def end(self) -> None:
        """Nothing fails any more."""
        self._ease()
        self._slack.rates.forgive()
        self._aws.mend()

    def _ease(self) -> None:
        """What is counted is still to come: answers that are lost, connections that are cut."""
        self._slack.come_back()
        self.away = False
        self._slack.storm(0)
        self._aws.forgive()

    def _slack_fails(self) -> None:
        method = self._chance.choice(self.METHODS)
        times, after = self._chance.choice((1, 1, 2, 4)), self._chance.random() < 0.5
        match self._chance.choice((0, 500, 429, 200)):
            case 200:
                said = self._chance.choice(("internal_error", "fatal_error", "service_unavailable"))
                self._slack.fail_next(method, error=said, times=times, after_effect=after)
            case status:
                self._slack.fail_next(method, status=status, times=times, after_effect=after and status != 429)

    def _storm(self) -> None:
        self._left = self._chance.randint(2, 6)
        """Socket Mode's own call is left out: the SDK waits for it by the machine's clock."""
        methods = [one for one in self.METHODS if one != "apps.connections.open"]
        self._slack.storm(self._chance.choice((2, 3, 5)), retry_after=self._chance.choice((1, 30)), methods=methods)

    def _drop(self) -> None:
        self._slack.drop_connections(goodbye=True)

    def _away(self) -> None:
        self._left = self._chance.randint(1, 3)
        self._slack.go_away()
        self.away = True

    def _cut(self) -> None:
        action = self._chance.choice((*self.WRITES, *self.WRITES, *self.READS))
        self._aws.cut(self._chance.choice((1, 1, 3, 6)), done=self._chance.random() < 0.5, action=action)

    def _throttle(self) -> None:
        self._aws.throttle(self._chance.choice((1, 5, 20)), service=self._chance.choice(("lambda", "iam", "sts", None)))

    def _refuse(self) -> None:
        self._left = self._chance.randint(1, 4)
        if self._chance.random() < 0.5:
            self._aws.deny(account=self._chance.choice(self._accounts))
        else:
            self._aws.fail("ServiceException", 500, action=self._chance.choice((*self.WRITES, *self.READS)))
