"""What is said in the fallback channel of a channel that takes no posts: why, and the line that mends it."""

import re

from commands.views.text import channel, clip, code

NOT_FOUND = "channel_not_found"
# The channel will not take a post, whatever is sent: another channel has to.
CLOSED = {
    NOT_FOUND: "there is no such channel, or it is private and Lamplighter is not in it",
    "not_in_channel": "Lamplighter is not a member of it",
    "is_archived": "it is archived",
    "restricted_action": "posting there is restricted",
    "restricted_action_read_only_channel": "it is read-only",
    "restricted_action_thread_only_channel": "only replies may be posted there",
    "restricted_action_non_threadable_channel": "it takes no threads",
}
_FIRST = {
    NOT_FOUND: "If it is there, type `/invite` and my name in it; if not, make it",
    "not_in_channel": "Type `/invite` and my name there",
    "is_archived": "Unarchive it",
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TEAM_SHOWN = 100


def closed_line(place: str, team: str | None, error: str, *, known: bool, tag: str = "") -> str:
    """`error` is one of `CLOSED`; `known`: whether the settings name the team, and not a tag alone. `tag` is the key of
    the tag of the team's functions that names the channel; "" where something else does.
    """
    name = clip(team or "team", _TEAM_SHOWN)
    words = [f"I cannot post to {channel(place)}{f' for team {code(name)}' if team else ''}: {CLOSED[error]}."]
    if team and error == NOT_FOUND and not known:
        alias = code(f'payments = ["{name}"]')
        words.append("Nothing in lamplighter.toml names this team.")
        words.append(f"If it is another name of a team, say so there: `[teams.aliases]` {alias}.")
    if tag:
        words.append(f"The tag {code(tag)} of the team's functions names this channel.")
    key = name if _BARE_KEY.fullmatch(name) else f"'{name}'"
    entry = code(f'{key} = "#channel"')
    words.append(
        f"{_FIRST.get(error, 'Let me post there')}, or map the team to another channel in lamplighter.toml: "
        f"`[teams.channels]` {entry}."
    )
    words.append(f"Until then {'its digests come' if team else 'it comes'} here.")
    return " ".join(words)
