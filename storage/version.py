"""Which Lamplighter this is: said by reports, metrics and SARIF files."""

VERSION = "0.1.0"  # as in pyproject.toml, which no image carries
