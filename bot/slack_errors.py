"""What Slack says when it says no."""

from http.client import HTTPException

from slack_sdk.errors import SlackClientError

# No answer, a refusal, or an answer that broke off half way.
NO_ANSWER = (SlackClientError, OSError, HTTPException)

# Slack will never say yes to these tokens, however often it is asked.
TOKEN_REFUSED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)


def error_code(problem: Exception) -> str:
    """Slack's own code, such as `missing_scope`, or the kind of failure; never a payload, which may hold anything."""
    response = getattr(problem, "response", None)
    said = response.get("error") if response is not None and hasattr(response, "get") else None
    return str(said or type(problem).__name__)
