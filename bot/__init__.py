"""What runs: the configuration, the connection to Slack, the clock and the terminal around `commands`."""

from storage.version import VERSION as VERSION
