"""The demo's organisation as data: accounts, roles, and 122 functions in a table. Nothing here touches AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.models import MayWrite

ACCOUNTS = {"prod": "482915067331", "staging": "730264918852", "data": "915837204466"}
MANAGEMENT = "268407513994"  # where the bot runs; it has no functions
REGIONS = {"eu": "eu-central-1", "us": "us-east-1"}
TEAMS = ("payments", "checkout", "search", "identity", "data-platform", "mobile-bff")
CANARY = (
    "pk_demo_7f2c-must-never-be-stored"  # the value of an environment variable: tests look for it where it must not be
)

Statement = Mapping[str, Any]

_BASIC = "service-role/AWSLambdaBasicExecutionRole"
_VPC = "service-role/AWSLambdaVPCAccessExecutionRole"
_DAEMON = "AWSXRayDaemonWriteAccess"
_SAM = "AWSXrayWriteOnlyAccess"
_XRAY: Statement = {
    "Sid": "Traces",
    "Effect": "Allow",
    "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    "Resource": "*",
}


def _table(name: str) -> Statement:
    return {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
        "Resource": f"arn:aws:dynamodb:*:*:table/{name}",
    }


@dataclass(frozen=True, slots=True)
class RolePlan:
    """One execution role, made wherever a function uses it; AWS managed policies go by their path and name."""

    name: str
    may_write: MayWrite
    managed: Sequence[str] = (_BASIC,)
    customer: Mapping[str, Sequence[Statement]] | None = None  # customer managed policies by name
    inline: Sequence[Statement] = ()
    boundary: Sequence[Statement] | None = None
    service: str = "lambda.amazonaws.com"
    path: str = "/"
    invokes: Sequence[str] = ()  # functions of its account in eu-central-1 that it may call by name


_YES, _NO, _CONDITIONAL = MayWrite.YES, MayWrite.NO, MayWrite.CONDITIONAL

ROLES = {
    plan.name: plan
    for plan in (
        RolePlan("payments-api", _YES, inline=(_XRAY, _table("payments"))),
        RolePlan(
            "payments-worker",
            _NO,
            (_BASIC, "service-role/AWSLambdaSQSQueueExecutionRole"),
            inline=(_table("payments"),),
        ),
        RolePlan("payments-ledger", _YES, (_VPC, _DAEMON), inline=(_table("ledger"),)),
        # Somebody meant to keep card data out of traces, and forgot the policy beside it.
        RolePlan(
            "payments-pci", _NO, (_VPC, _DAEMON), inline=({"Effect": "Deny", "Action": "xray:*", "Resource": "*"},)
        ),
        RolePlan("checkout-prod-CartFunctionRole-1X8K2M4Q7ZP0", _YES, (_BASIC, _SAM), inline=(_table("carts"),)),
        RolePlan("checkout-orders", _NO, inline=(_table("orders"),), invokes=("gift-card-balance",)),
        RolePlan("checkout-events", _YES, (_BASIC, _DAEMON, "service-role/AWSLambdaSQSQueueExecutionRole")),
        RolePlan(
            "search-query",
            _YES,
            (_VPC,),
            {
                "search-telemetry": (
                    {"Effect": "Allow", "Action": ["xray:Put*", "cloudwatch:PutMetricData"], "Resource": "*"},
                )
            },
        ),
        RolePlan("search-indexer", _NO, (_BASIC, "service-role/AWSLambdaSQSQueueExecutionRole")),
        RolePlan(
            "search-legacy-indexer",  # ten policies: nothing can be attached any more
            _NO,
            (
                _BASIC,
                _VPC,
                "service-role/AWSLambdaSQSQueueExecutionRole",
                "service-role/AWSLambdaKinesisExecutionRole",
                "service-role/AWSLambdaDynamoDBExecutionRole",
                "AmazonS3ReadOnlyAccess",
                "AmazonSNSReadOnlyAccess",
                "AmazonSQSReadOnlyAccess",
                "AmazonDynamoDBReadOnlyAccess",
                "CloudWatchLambdaInsightsExecutionRolePolicy",
            ),
        ),
        RolePlan("identity-auth", _YES, inline=(_XRAY, _table("sessions"))),
        RolePlan(
            "identity-session",
            _NO,
            (_BASIC, _DAEMON),
            boundary=(
                {"Effect": "Allow", "Action": ["logs:*", "dynamodb:*", "kms:Decrypt", "ses:Send*"], "Resource": "*"},
            ),
        ),
        RolePlan("identity-mailer", _NO),
        RolePlan("identity-edge", _YES, (_BASIC, _DAEMON), service="edgelambda.amazonaws.com"),
        RolePlan("data-pipeline", _NO, (_BASIC, "service-role/AWSLambdaKinesisExecutionRole")),
        RolePlan("data-export", _YES, (_VPC, _DAEMON, "AmazonS3ReadOnlyAccess")),
        RolePlan("data-kafka", _NO, (_BASIC, "service-role/AWSLambdaMSKExecutionRole")),
        RolePlan(
            "data-audit",  # may write from inside one network only, which the policies alone do not decide
            _CONDITIONAL,
            (_VPC,),
            inline=({**_XRAY, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0c1f6a2be94d7e853"}}},),
        ),
        RolePlan("mobile-bff-prod-ApiRole-5T9WQ3YB6KD2", _YES, (_BASIC, _SAM)),
        RolePlan("mobile-push", _NO, (_BASIC, "AmazonSNSReadOnlyAccess")),
        RolePlan("mobile-flags", _NO, (_BASIC, "AmazonDynamoDBReadOnlyAccess")),  # had X-Ray until the last cleanup
        RolePlan("cron-jobs-role-x7h2k9qd", _NO, path="/service-role/"),
        RolePlan("legacy-admin", _YES, ("AdministratorAccess",)),
    )
}
_SHORT = {
    "cart": "checkout-prod-CartFunctionRole-1X8K2M4Q7ZP0",
    "bff": "mobile-bff-prod-ApiRole-5T9WQ3YB6KD2",
    "cron": "cron-jobs-role-x7h2k9qd",
}

# account region name runtime role mode options
#   mode     on = Active, off = PassThrough
#   options  layers (adot, otel, powertools, datadog, insights), stacks (cfn, sam, cdk, sls),
#            sources (msk, sqs, kinesis), tags (owner: under that key; Owner: and in capitals), image (a container),
#            alias (serves version 1, published untraced), alias-on (published traced), canary (an alias of version 1,
#            untraced, tries version 2), names:x (its settings name the function x beside it, which it calls)
_FUNCTIONS = {
    "payments": """
        prod    eu refund-worker             python3.12 payments-worker off sqs powertools names:ledger-writer
        prod    eu capture-webhook           python3.12 payments-api    on  powertools alias-on
        prod    eu payment-intents           nodejs22.x payments-api    on  sam powertools
        prod    eu charge-dispatcher         python3.12 payments-worker off sqs alias
        prod    eu settlement-export         python3.13 payments-ledger off
        prod    eu chargeback-intake         python3.12 payments-api    on  otel
        prod    eu ledger-writer             java21     payments-ledger on  sqs
        prod    eu payout-scheduler          python3.12 payments-ledger on
        prod    eu card-tokenizer            java21     payments-pci    off
        prod    eu fraud-scorer              python3.13 payments-api    on  image
        prod    eu invoice-renderer          nodejs22.x payments-api    on  owner
        prod    eu psp-webhook-replay        python3.12 payments-api    on
        prod    us capture-webhook           python3.12 payments-api    on  powertools
        prod    us payment-intents           nodejs22.x payments-api    on  sam powertools
        prod    us tax-quote                 nodejs22.x payments-worker off Owner
        prod    us receipt-mailer            python3.12 payments-api    on
        staging eu refund-worker             python3.12 payments-worker off sqs
        staging eu payment-intents           nodejs22.x payments-api    on  sam
        staging eu capture-webhook           python3.12 payments-api    on
        staging eu settlement-export         python3.13 payments-ledger on
        data    eu payments-reconciliation   python3.12 payments-ledger on
    """,
    "checkout": """
        prod    eu cart-api                  nodejs22.x cart            on  sam powertools
        prod    eu cart-expiry               nodejs22.x cart            on  sam
        prod    eu place-order               nodejs22.x cart            on  sam alias
        prod    eu order-confirmation        python3.12 checkout-orders off sqs
        prod    eu order-events-fanout       python3.12 checkout-events on  sqs
        prod    eu inventory-reservation     java21     checkout-events on
        prod    eu shipping-rates            nodejs20.x checkout-orders off
        prod    eu voucher-validate          nodejs12.x checkout-orders off
        prod    eu address-autocomplete      nodejs22.x checkout-events off
        prod    eu gift-card-balance         nodejs22.x checkout-events on  Owner
        prod    eu basket-merge              nodejs22.x cart            on  sam
        prod    us cart-api                  nodejs22.x cart            on  sam powertools
        prod    us place-order               nodejs22.x cart            on  sam alias-on
        prod    us order-confirmation        python3.12 checkout-orders off
        prod    us returns-portal            nodejs22.x cart            on
        staging eu cart-api                  nodejs22.x cart            on  sam
        staging eu place-order               nodejs22.x cart            on  sam
        staging eu voucher-validate          nodejs22.x checkout-orders off
        staging eu order-events-fanout       python3.12 checkout-events on
        staging us cart-api                  nodejs22.x cart            on  sam
    """,
    "search": """
        prod    eu query-api                 python3.13 search-query    on  otel alias-on
        prod    eu autocomplete              python3.13 search-query    on  otel
        prod    eu synonyms-sync             python3.12 search-query    off owner
        prod    eu catalog-indexer           java21     search-indexer  off sqs
        prod    eu price-indexer             java17     search-indexer  off kinesis
        prod    eu stock-indexer             java17     search-legacy-indexer off kinesis
        prod    eu spellcheck                python3.13 search-query    on
        prod    eu ranking-features          python3.13 search-query    on  image
        prod    eu click-collector           nodejs22.x search-query    on  canary
        prod    us query-api                 python3.13 search-query    on  otel
        prod    us autocomplete              python3.13 search-query    on  otel
        prod    us catalog-indexer           java21     search-indexer  off sqs
        prod    us reindex-trigger           python3.12 search-query    on
        staging eu query-api                 python3.13 search-query    on
        staging eu catalog-indexer           java21     search-query    on
        staging eu relevance-experiments     python3.13 search-query    off
        data    eu search-log-compactor      python3.12 search-query    on
        data    eu embedding-builder         python3.13 search-query    on  image
    """,
    "identity": """
        prod    eu login                     nodejs22.x identity-auth   on  cfn powertools
        prod    eu token-refresh             nodejs22.x identity-auth   on  cfn
        prod    eu session-store             nodejs22.x identity-session off cfn
        prod    eu session-revoke            nodejs22.x identity-session off cfn
        prod    eu mfa-challenge             nodejs22.x identity-auth   on
        prod    eu password-reset-mailer     python3.12 identity-mailer off owner
        prod    eu social-login-callback     nodejs22.x identity-auth   on
        prod    eu consent-recorder          python3.12 identity-auth   on
        prod    eu account-deletion          python3.12 identity-auth   on  Owner
        prod    us edge-auth                 nodejs22.x identity-edge   off edge
        prod    us login                     nodejs22.x identity-auth   on  cfn powertools
        prod    us token-refresh             nodejs22.x identity-auth   on  cfn
        prod    us session-store             nodejs22.x identity-session off cfn
        prod    us scim-provisioning         python3.12 identity-auth   on
        staging eu login                     nodejs22.x identity-auth   on  cfn
        staging eu token-refresh             nodejs22.x identity-auth   on  cfn
        staging eu password-reset-mailer     python3.12 identity-mailer off
        staging us login                     nodejs22.x identity-auth   on  cfn
    """,
    "data-platform": """
        data    eu events-ingest             python3.13 data-pipeline   off kinesis
        data    eu events-dedupe             python3.13 data-pipeline   off kinesis
        data    eu clickstream-consumer      java21     data-kafka      off msk
        data    eu warehouse-loader          python3.13 data-export     on  insights
        data    eu warehouse-vacuum          python3.12 data-export     on
        data    eu dbt-runner                python3.13 data-export     on  image
        data    eu schema-registry-sync      python3.12 data-pipeline   off owner
        data    eu gdpr-export               python3.13 data-export     on  cdk
        data    eu gdpr-erasure              python3.13 data-export     on  cdk
        data    eu partition-repair          python3.12 data-pipeline   off cdk
        data    eu access-log-audit          python3.13 data-audit      on
        data    eu finance-daily-report      python3.13 data-export     on  Owner
        data    us events-ingest             python3.13 data-pipeline   off kinesis
        data    us warehouse-loader          python3.13 data-export     on
        data    us cost-usage-import         python3.12 data-export     on
        data    us experiment-metrics        python3.13 data-export     off
        staging eu events-ingest             python3.13 data-export     on
        staging eu warehouse-loader          python3.13 data-export     on
    """,
    "mobile-bff": """
        prod    eu home-feed                 nodejs22.x bff             on  sls adot alias-on
        prod    eu product-detail            nodejs22.x bff             on  sls adot
        prod    eu push-sender               nodejs22.x mobile-push     off sqs
        prod    eu push-token-cleanup        nodejs20.x mobile-push     off
        prod    eu feature-flags             nodejs22.x mobile-flags    on
        prod    eu app-config                nodejs22.x bff             on
        prod    eu deep-link-resolver        nodejs22.x bff             off owner
        prod    eu image-resizer             python3.12 mobile-push     off datadog
        prod    eu crash-report-intake       nodejs22.x bff             on
        prod    eu wishlist-sync             nodejs22.x bff             on
        prod    us home-feed                 nodejs22.x bff             on  sls adot
        prod    us product-detail            nodejs22.x bff             on  sls adot
        prod    us push-sender               nodejs22.x mobile-push     off sqs
        prod    us app-config                nodejs22.x bff             on
        staging eu home-feed                 nodejs22.x bff             on  sls
        staging eu push-sender               nodejs22.x bff             on
        staging eu feature-flags             nodejs22.x bff             off
        staging us home-feed                 nodejs22.x bff             on  sls
        staging us app-config                nodejs22.x bff             on
    """,
    "": """
        prod    eu nightly-db-snapshot       python3.12 cron            off
        prod    eu slack-oncall-sync         python3.12 cron            off
        prod    us cert-expiry-check         python3.12 cron            off
        prod    us old-status-page           nodejs20.x legacy-admin    off
        staging eu seed-test-data            python3.12 legacy-admin    on
        staging us load-test-driver          python3.13 cron            off
        data    eu tmp-backfill-2025-11      python3.12 cron            off
        data    us s3-inventory-report       python3.12 legacy-admin    on
    """,
}


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """One row of the table above."""

    team: str | None  # None: it has no tag that says so
    account: str  # id
    region: str
    name: str
    runtime: str
    role: RolePlan
    active: bool
    options: frozenset[str]

    @property
    def arn(self) -> str:
        return function_arn(self.region, self.account, self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The functions beside it that its settings name."""
        return tuple(option.removeprefix("names:") for option in self.options if option.startswith("names:"))

    @property
    def calls(self) -> set[str]:
        """What it may call, as far as its settings and its role name it: ARNs."""
        granted = {function_arn(REGIONS["eu"], self.account, name) for name in self.role.invokes}
        return granted | {function_arn(self.region, self.account, name) for name in self.names}


def function_arn(region: str, account: str, name: str) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def planned() -> list[FunctionPlan]:
    """Every function of the organisation, in the order of the table."""
    return [
        _plan(team or None, line.split()) for team, rows in _FUNCTIONS.items() for line in rows.strip().splitlines()
    ]


def _plan(team: str | None, words: Sequence[str]) -> FunctionPlan:
    account, region, name, runtime, role, mode, *options = words
    return FunctionPlan(
        team=team,
        account=ACCOUNTS[account],
        region=REGIONS[region],
        name=name,
        runtime=runtime,
        role=ROLES[_SHORT.get(role, role)],
        active=mode == "on",
        options=frozenset(options),
    )
