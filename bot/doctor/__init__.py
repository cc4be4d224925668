"""Whether it is set up right: settings, memory and Slack, looked at here; AWS by the command."""
