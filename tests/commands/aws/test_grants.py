"""Which functions a role may invoke by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.grants import named_functions
from commands.aws.roles import Role

REFUND = "arn:aws:lambda:eu-central-1:111122223333:function:refund"
INVOKE = "lambda:InvokeFunction"


def statement(effect="Allow", action=INVOKE, resource=REFUND, **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def role(*statements, **facts):
    documents = tuple({"Version": "2012-10-17", "Statement": [one]} for one in statements)
    return Role(arn="arn:aws:iam::111122223333:role/caller", policies=documents, **facts)


def boundary(*statements):
    return {"boundary": {"Version": "2012-10-17", "Statement": list(statements)}}


@pytest.mark.parametrize(
    "resource", [REFUND, [REFUND], f"{REFUND}:live", f"{REFUND}:*", f"{REFUND}:$LATEST", ["arn:aws:s3:::b", REFUND]]
)
@pytest.mark.parametrize(
    "action", [INVOKE, "lambda:invoke*", "lambda:*", ["sqs:SendMessage", "lambda:InvokeAsync"], "*"]
)
def test_a_function_that_is_named_may_be_invoked(action, resource):
    assert named_functions(role(statement(action=action, resource=resource))) == {REFUND}


@pytest.mark.parametrize(
    "one",
    [
        statement(resource="*"),
        statement(resource="arn:aws:lambda:eu-central-1:111122223333:function:*"),
        statement(resource=f"{REFUND}*"),
        statement(resource=REFUND.replace("eu-central-1", "*")),
        statement(resource=REFUND.replace("111122223333", "${aws:PrincipalAccount}")),
        statement(action="lambda:GetFunction"),
        statement(effect="Deny"),
        {"Effect": "Allow", "Action": INVOKE, "NotResource": REFUND},
        {"Effect": "Allow", "Action": INVOKE},
        "nonsense",
    ],
)
def test_who_is_not_named_is_not_known_to_be_called(one):
    assert named_functions(role(one)) == frozenset()


@pytest.mark.parametrize(
    "deny",
    [
        statement("Deny"),
        statement("Deny", "*", "*"),
        statement("Deny", resource=f"{REFUND}:*"),
        {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"},
    ],
)
def test_what_is_denied_is_not_called(deny):
    assert named_functions(role(statement(), deny)) == frozenset()
    assert named_functions(role(statement(), **boundary(statement(action="*", resource="*"), deny))) == frozenset()


def test_a_deny_that_is_about_something_else_or_holds_sometimes_takes_nothing_away():
    sometimes = statement("Deny", "*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})

    assert named_functions(role(statement(), statement("Deny", "s3:*", "*"), sometimes)) == {REFUND}
    assert named_functions(role(statement(), statement("Deny", resource=f"{REFUND}-other"))) == {REFUND}


def test_a_boundary_has_to_allow_it_too():
    assert named_functions(role(statement(), **boundary(statement(action="logs:*", resource="*")))) == frozenset()
    assert named_functions(role(statement(), **boundary(statement(action="lambda:*", resource="*")))) == {REFUND}
    assert named_functions(role(statement(), boundary_unknown=True)) == frozenset()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Allow", "Deny", INVOKE, REFUND, "*", "["]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "NotAction", "Resource"]), inner, max_size=4
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["Version", "Statement"]), anything))
def test_no_document_is_too_strange(document):
    one = Role(arn="arn:aws:iam::111122223333:role/caller", policies=(document,), boundary=document)

    assert named_functions(one) <= {REFUND}
