"""The *Show patch* button: what to change in the code that deploys a function, for anybody who may ask."""

from commands._answers import function_of
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.views.patch import patch_for, patch_view


def show(request: Request, context: Context) -> Answer:
    """From memory alone: Slack wants the modal within three seconds."""
    found = function_of(context, request.value)
    if isinstance(found, Say):
        yield found
        return
    asked, function = found
    yield OpenForm(patch_view(function, patch_for(function, asked.plan)))
