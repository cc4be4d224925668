"""Views with plain names, for whoever opens the file with Datasette or another tool; nothing of ours reads them.

They are no part of a migration: SQLite looks through all views when a table is renamed, so that one of a table that is
made anew would stop the step that does so. Whoever opens the file drops them before steps are taken and makes them
after (storage.connection). A view that changes therefore comes with a new step, which may be empty.
"""

from storage.sqlite import Database


def _time(column: str) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"substr({column}, 1, 19) || iif({column} is null, null, 'Z')"


def _word(column: str) -> str:
    """`not_applicable` as people write it."""
    return f"replace({column}, '_', ' ')"


def _share(prefix: str = "") -> str:
    """As models.Coverage.percent."""
    whole = f"({prefix}traced + {prefix}untraced + {prefix}exempt)"
    return f"round(100.0 * {prefix}traced / nullif({whole}, 0), 1)"


def _part(arn: str, number: int) -> str:
    """One of an ARN's parts, from 0; '' where there is no ARN. Short, for SQLite reads all views when a file is opened.

    No ARN has a quote or a backslash; one that somebody put there would break the row and not be seen.
    """
    return f"coalesce(json_extract(iif(json_valid({_list(arn)}), {_list(arn)}, '[]'), '$[{number}]'), '')"


def _list(arn: str) -> str:
    return f"""'["'||replace({arn},':','","')||'"]'"""


_REGION, _ACCOUNT, _NAME = 3, 4, 6
_PLACE = ", ".join(
    f"{_part('function_arn', number)} as {name}"
    for number, name in ((_ACCOUNT, "account"), (_REGION, "region"), (_NAME, "function"))
)
_WHO = "case {0} when 'clock' then 'Lamplighter' when 'policy' then 'policy: grace period' else {0} end"
_WHAT = " ".join(
    f"when '{kind}' then '{words}'"
    for kind, words in (
        ("requested", "asked for a fix"),
        ("approved", "approved a fix"),
        ("applied", "fix applied"),
        ("failed", "fix failed"),
        ("resolved", "nothing left to fix"),
        ("denied", "denied a fix"),
        ("cancelled", "took a request back"),
        ("expired", "request expired"),
        ("undo", "decided to undo a fix"),
        ("undone", "fix undone"),
        ("undo_failed", "undo failed"),
        ("batch", "approved many fixes at once"),
        ("stopped", "stopped a batch"),
        ("exempted", "exempted"),
        ("lapsed", "exemption lapsed: made anew"),
        ("exemption_asked", "asked for an exemption"),
        ("exemption_denied", "denied an exemption"),
        ("exemption_expired", "exemption not confirmed in time"),
        ("exemption_extended", "extended an exemption"),
        ("exemption_left", "lets an exemption end"),
        ("exemption_revoked", "revoked an exemption"),
        ("exemption_ended", "exemption ended"),
        ("owner_assigned", "assigned an owner"),
        ("owner_ended", "ended an assignment"),
        ("snoozed", "snoozed"),
        ("snooze_ended", "ended a snooze"),
        ("budget_approved", "decided to set the AWS budget"),
        ("budget_set", "AWS budget set"),
        ("budget_failed", "AWS budget failed"),
        ("refused", "refused: may not decide"),
    )
)
_LAST = "(select max(id) from audits where scope = '')"
_LAST_OF_DAY = "select max(id) as id, substr(finished_at, 1, 10) as day from audits where scope = '' group by 2"
_COUNTS = "traced, untraced, exempt, not_applicable, unknown"
_SUMS = ", ".join(f"sum({one}) as {one}" for one in _COUNTS.split(", "))
_FUNCTION = f"""
    name as function, coalesce(team, '') as team, {_word("verdict")} as verdict, account, region,
    coalesce(mode, '') as tracing_mode, coalesce(role_may_write, '') as role_may_send_traces,
    coalesce(runtime, '') as runtime,
    case production when 1 then 'yes' when 0 then 'no' else '' end as production_by_tag,
    {_time("since")} as {{since}},
    (select group_concat(json_extract(value, '$.text'), ' · ') from json_each(findings)) as why,
    {_time("seen_at")} as last_seen, arn
"""
_EXEMPTION = f"""
    exemptions.id as number, scope as goes_by,
    iif(function_arn = '', target, {_part("function_arn", _NAME)}) as what,
    {_part("function_arn", _ACCOUNT)} as account, {_part("function_arn", _REGION)} as region,
    coalesce(team, '') as team, reason, ticket, asked_by, granted_by,
    iif(asked_by <> '' and granted_by <> '', 'yes', 'no') as confirmed_by_a_second_person,
    {_time("granted_at")} as granted_at, {_time("expires_at")} as until,
    (select count(*) from exemption_members where exemption_id = exemptions.id and exemption_members.ended_at is null)
        as functions_covered
"""

VIEWS = {
    "functions_now": f"""
        select {_FUNCTION.format(since="verdict_since")} from functions where gone_at is null
    """,
    "untraced_functions": f"""
        select {_FUNCTION.format(since="untraced_since")},
            cast(julianday('now') - julianday(since) as integer) as days_untraced
        from functions where gone_at is null and verdict = 'untraced'
    """,
    "decision_log": f"""
        select id as number, {_time("at")} as time, case kind {_WHAT} else {_word("kind")} end as what,
            {_WHO.format("actor")} as who, {_PLACE}, before, after, reason, {_time("until")} as until,
            coalesce(json_extract(iif(json_valid(detail), detail, '{{}}'), '$.allowed_by'), '') as allowed_by,
            source as how, channel, request_id as request, kind, detail, prev_hash, hash
        from decisions
    """,
    "refused_attempts": f"""
        select id as number, {_time("at")} as time, actor as who, {_PLACE}, reason, channel, request_id as request
        from decisions where kind = 'refused'
    """,
    "fixes": f"""
        select {_time("coalesce(finished_at, approved_at)")} as time, {_word("state")} as state, {_PLACE},
            coalesce(team, '') as team, asked_by, {_WHO.format("approved_by")} as approved_by,
            iif(asked_by <> '' and asked_by = approved_by, 'yes', 'no') as asked_and_approved_by_one_person,
            {_time("approved_at")} as approved_at, {_time("finished_at")} as finished_at, reason, outcome, id as request
        from requests where approved_by <> ''
    """,
    "exemptions_in_force": f"""
        select {_EXEMPTION}, cast(julianday(expires_at) - julianday('now') as integer) as days_left
        from exemptions
        where state = 'granted' and julianday(expires_at) > julianday('now')
    """,
    "all_exemptions": f"""
        select {_EXEMPTION}, state, {_time("ended_at")} as ended_at, {_WHO.format("ended_by")} as ended_by,
            ended_why as why_it_ended
        from exemptions
    """,
    "coverage_by_day": f"""
        select day, {_share()} as coverage_percent, {_COUNTS},
            (select count(*) from not_scanned where audit_id = last.id) as places_not_seen, last.id as audit
        from ({_LAST_OF_DAY}) as last
        join (select audit_id, {_SUMS} from coverage group by audit_id) as counted on counted.audit_id = last.id
    """,
    "team_coverage": f"""
        select team, {_share()} as coverage_percent, {_COUNTS},
            {_time("(select finished_at from audits where id = audit_id)")} as as_of
        from coverage where audit_id = {_LAST}
    """,
    "team_coverage_by_day": f"""
        select day, team, {_share()} as coverage_percent, {_COUNTS}, last.id as audit
        from ({_LAST_OF_DAY}) as last join coverage on audit_id = last.id
    """,
    "audit_runs": f"""
        select id as number, {_time("started_at")} as began, {_time("finished_at")} as ended,
            round((julianday(finished_at) - julianday(started_at)) * 86400, 1) as seconds,
            case source when 'clock' then 'by itself' when 'terminal' then 'in a terminal' else 'asked for in Slack' end
                as how,
            iif(scope = '', 'everything', scope) as looked_at, accounts, regions, functions, aws_calls,
            (select count(*) from not_scanned where audit_id = audits.id) as places_not_seen
        from audits
    """,
    "places_not_seen": f"""
        select {_time("finished_at")} as time, account, region, reason, audit_id as audit
        from not_scanned join audits on audits.id = audit_id
    """,
    "changes_found": f"""
        select {_time("finished_at")} as time, changes.kind as change, {_part("changes.arn", _ACCOUNT)} as account,
            {_part("changes.arn", _REGION)} as region, {_part("changes.arn", _NAME)} as function,
            coalesce((select team from functions where functions.arn = changes.arn), '') as team,
            {_word("before")} as before, {_word("after")} as after, audit_id as audit
        from changes join audits on audits.id = audit_id
    """,
    "who_could_approve": f"""
        with kept as (
            select id, {_time("since")} as since,
                {_time("lead(since) over (order by id)")} as until, rules
            from approval_rules
        ),
        named as (
            select kept.id, kept.since, kept.until, rules, '' as team, 'may approve' as rule, value as who
            from kept, json_each(rules, '$.approvers')
            union all
            select kept.id, kept.since, kept.until, rules, '', 'may not approve', value
            from kept, json_each(rules, '$.deny')
            union all
            select kept.id, kept.since, kept.until, rules, teams.key, 'may approve', json_each.value
            from kept, json_each(rules, '$.teams') as teams, json_each(teams.value, '$.approvers')
            union all
            select kept.id, kept.since, kept.until, rules, teams.key, 'may not approve', json_each.value
            from kept, json_each(rules, '$.teams') as teams, json_each(teams.value, '$.deny')
        )
        select since, until, iif(team = '', 'all teams', team) as team, rule, who, '' as by_group, named.id as number
        from named where who not like 'S%'
        union all
        select since, until, iif(team = '', 'all teams', team), rule, coalesce(members.value, 'not known'), who,
            named.id
        from named left join json_each(named.rules, '$.groups.' || who) as members where who like 'S%'
    """,
    "spend_by_month": """
        select substr(month, 1, 7) as month, account,
            round(sum(iif(kind in ('xray', 'transaction_search'), cast(usd as real), 0)), 2) as xray_usd,
            round(sum(iif(kind = 'transaction_search', cast(usd as real), 0)), 2) as of_it_transaction_search_usd,
            round(sum(iif(kind = 'lambda', cast(usd as real), 0)), 2) as lambda_usd,
            iif(estimated, 'estimate', 'billed') as how_sure
        from spend join spend_months using (month) group by month, account
    """,
}


def drop_views(db: Database) -> None:
    """All of them, whichever version made them."""
    for (name,) in db.execute("select name from sqlite_master where type = 'view'").fetchall():
        db.execute(f'drop view "{name}"')


def make_views(db: Database) -> None:
    """To be called where there are none."""
    for name, sql in VIEWS.items():
        db.execute(f"create view {name} as {sql}")
