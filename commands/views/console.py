"""Links into AWS's console, in the partition that a function is in. Whoever follows one has to be signed in there.

https://docs.aws.amazon.com/xray/latest/devguide/scorekeep-deeplinks.html
"""

import re
from urllib.parse import quote

# Of the partitions that have a public console.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_SIX_HOURS = 21_600_000  # milliseconds
_ESCAPED = re.compile(r"[^A-Za-z0-9_.-]")  # CloudWatch writes these as an asterisk and two digits


def trace_map_url(arn: str) -> str:
    """CloudWatch's trace map of the function's region; "" where its partition has no console that is known here."""
    home = _home(arn)
    return f"{home}#xray:service-map/map" if home else ""


def traces_url(arn: str) -> str:
    """The list of the function's traces of the last six hours; "" as above."""
    home, name = _home(arn), arn.split(":")[6:7]
    if not home or not name:
        return ""
    expression = f'service(id(name: "{name[0]}", type: "AWS::Lambda::Function"))'
    wanted = _ESCAPED.sub(lambda found: f"*{ord(found[0]):02x}", expression)
    return f"{home}#xray:traces/query?~(query~(expression~'{wanted})~context~(timeRange~(delta~{_SIX_HOURS})))"


def _home(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 4 or parts[1] not in _CONSOLES or not parts[3]:
        return ""
    region = quote(parts[3], safe="")
    return f"https://{region}.{_CONSOLES[parts[1]]}/cloudwatch/home?region={region}"
