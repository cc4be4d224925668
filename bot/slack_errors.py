"""What Slack says when it says no."""

from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

# No answer, a refusal, or an answer that broke off half way.
NO_ANSWER = (SlackClientError, OSError, HTTPException)

# Slack will never say yes to these tokens, however often it is asked.
TOKEN_REFUSED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)

# Slack shows the message no more, or lets nobody change it.
FINAL = {"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"}
UNFIT = {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "block_mismatch"}
# Nothing gets through until somebody changes the app or its tokens.
LOCKED_OUT = TOKEN_REFUSED | {"missing_scope"}


def error_code(problem: Exception) -> str:
    """Slack's own code, such as `missing_scope`, or the kind of failure; never a payload, which may hold anything."""
    response = getattr(problem, "response", None)
    said = response.get("error") if response is not None and hasattr(response, "get") else None
    return str(said or type(problem).__name__)


def mend(error: str, problem: SlackApiError) -> str:
    """What is to be done where nothing gets through."""
    if error == "missing_scope":
        needed = problem.response.get("needed")
        return f"the scope {needed} is missing. Add it in the app's OAuth & Permissions page and reinstall the app."
    return f"{error}. Check SLACK_BOT_TOKEN and that the app is still installed."
