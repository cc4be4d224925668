"""A strict local Slack for the demo and the end-to-end tests: the real protocols, an invented workspace, one app.

workspace = Workspace(people=[Person("U1", "ana", "Ana Ruiz")], channels=[Channel("C1", "payments", members={"U1"})])
with SlackStandIn(Path("manifest.yml"), workspace) as slack:
    slack.url, slack.api_url, slack.bot_token, slack.app_token
"""

from bot.demo.slack.delivery import Outcome
from bot.demo.slack.limits import message_problems, view_problems
from bot.demo.slack.nouns import BOT_USER_ID, TEAM_ID, Call, Channel, Message, Person, SlackFile, UserGroup
from bot.demo.slack.persona import Persona
from bot.demo.slack.server import SlackStandIn
from bot.demo.slack.workspace import Workspace

__all__ = [
    "BOT_USER_ID",
    "TEAM_ID",
    "Call",
    "Channel",
    "Message",
    "Outcome",
    "Person",
    "Persona",
    "SlackFile",
    "SlackStandIn",
    "UserGroup",
    "Workspace",
    "message_problems",
    "view_problems",
]
