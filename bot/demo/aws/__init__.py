"""A local AWS: moto's server, completed where it is untrue to AWS. The only place that knows moto's insides."""

from bot.demo.aws.protocol import Call
from bot.demo.aws.sessions import Session
from bot.demo.aws.stand_in import AwsStandIn

__all__ = ["AwsStandIn", "Call", "Session"]
