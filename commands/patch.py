"""The *Show patch* button: what to change in the code that deploys a function, for anybody who may ask."""

from commands._answers import UNKNOWN_BUTTON, no_longer_exists
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.views.patch import patch_for, patch_view


def show(request: Request, context: Context) -> Answer:
    """From memory alone: Slack wants the modal within three seconds."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        yield Say(no_longer_exists(asked.function_name))
        return
    yield OpenForm(patch_view(function, patch_for(function, asked.plan)))
