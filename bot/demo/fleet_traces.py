"""What the traces of the demo's functions show: who calls them, and what their instrumented code calls."""

from bot.demo.aws import AwsStandIn
from bot.demo.aws.service_graphs import Called
from bot.demo.fleet_data import ACCOUNTS, REGIONS, FunctionPlan

_FUNCTION = "AWS::Lambda::Function"
_TABLE, _QUEUE, _TOPIC, _STAGE = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::ApiGateway::Stage"
_INSTRUMENTED = {"adot", "otel", "powertools"}

# Of the production account, in eu-central-1.
_CALLS = {
    # Its code brings a library along: nothing of its configuration shows that.
    "psp-webhook-replay": (
        Called("payments", _TABLE, each=2.2, seconds=0.011, throttles=0.004),
        Called("disputes", _TABLE, each=0.7, seconds=0.014),
        Called("fraud-scorer", _FUNCTION, each=0.5, seconds=0.24, faults=0.031, throttles=0.006),
        Called("ledger-writer", _FUNCTION, each=0.05, seconds=0.18, faults=0.002),
        Called("chargeback-intake", _FUNCTION, each=0.001, seconds=0.09),
        Called("api.psp.example.com", "remote", each=0.8, seconds=0.94, errors=0.012, faults=0.001),
        Called("chargeback-evidence", "AWS::S3::Bucket", each=0.4, seconds=0.062),
        Called("webhook-replayed", _TOPIC, each=0.3, seconds=0.019),
        Called("psp-credentials", "AWS::SecretsManager", each=0.02, seconds=0.031),
    ),
    "ledger-writer": (
        Called("ledger@eu-central-1", "Database::SQL", each=3, seconds=0.042, faults=0.001),
        Called("ledger-idempotency", _TABLE, seconds=0.009),
    ),
    "gift-card-balance": (Called("gift-cards", _TABLE, seconds=0.012),),
}
_FED = {
    "psp-webhook-replay": (
        Called("psp-webhooks/prod", _STAGE, each=0.62, seconds=1.52, errors=0.002, faults=0.004),
        Called("replay-inbox", _QUEUE, each=0.2, asynchronous=True),
    ),
    "ledger-writer": (Called("ledger-writer", _QUEUE, each=0.3, asynchronous=True),),
}


def seed_traces(aws: AwsStandIn, plan: FunctionPlan) -> None:
    """What is instrumented by a layer calls a table at least."""
    place = (plan.account, plan.region, plan.name)
    in_table = (plan.account, plan.region) == (ACCOUNTS["prod"], REGIONS["eu"])
    calls = _CALLS.get(plan.name, ()) if in_table else ()
    if not calls and plan.options & _INSTRUMENTED:
        calls = (Called(plan.name, _TABLE, each=1.3, seconds=0.012),)
    if calls:
        aws.xray.graphs.calls(*place, *calls)
    if in_table and plan.name in _FED:
        aws.xray.graphs.fed(*place, *_FED[plan.name])
