"""A ticket's link, as somebody typed it. Pure."""

import re
from urllib.parse import urlsplit

from commands.views.exempt import TICKET_LIMIT

# What an address is written with; with anything else Slack would cut it or read it as markup of its own.
_WRITTEN = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]!$&'()*+,;=%]+")


def ticket_problem(text: str) -> str:
    """Why that is no link that can be shown; empty where it is, and where there is none."""
    link = text.strip()
    if not link:
        return ""
    if len(link) > TICKET_LIMIT:
        return f"At most {TICKET_LIMIT} characters."
    if not _WRITTEN.fullmatch(link):
        return "Write a whole link that begins with https://"
    try:
        host = urlsplit(link).hostname
    except ValueError:
        host = None
    return "" if host else "Write a whole link that begins with https://"
