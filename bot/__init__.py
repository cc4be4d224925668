"""What runs: the configuration, the connection to Slack, the clock and the terminal around `commands`."""

VERSION = "0.1.0"  # as in pyproject.toml, which no image carries
