"""Signatures, with botocore for a judge: whatever is asked, the two say the same."""

from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.calls import Call, signed
from commands.aws.endpoints import SERVICES, Endpoint
from commands.aws.keys import Keys

words = st.text("abcXYZ019-._~", max_size=8)
segments = st.sampled_from(
    ["", ".", "..", "a%2Fb", "a%20b", "%7E", "~", "arn:aws:lambda", "$LATEST", "a,b;c=d", "ü%C3%BC"]
)
paths = st.lists(segments | words, max_size=6).map(lambda parts: "/" + "/".join(parts))
encoded = st.text(max_size=6).map(lambda text: quote(text, safe="-_.~")) | words
pairs = st.tuples(st.sampled_from(["Marker", "MaxItems", "a", ""]) | encoded, encoded)
queries = st.lists(pairs.map("=".join) | words, max_size=5).map("&".join)
hosts = st.sampled_from(
    ["lambda.eu-central-1.amazonaws.com", "Lambda.Internal", "user:word@proxy.internal", "127.0.0.1", "[::1]"]
)
ports = st.sampled_from(["", ":80", ":443", ":8080"])
urls = st.builds(
    "{}://{}{}{}".format, st.sampled_from(["http", "https"]), hosts, ports, st.sampled_from(["", "/aws", "/a//b"])
)
values = st.text("ab=;/ ", max_size=20) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Content-Type", "X-Amz-Target", "x-amz-invocation-type"]), values, max_size=3
)


@given(
    method=st.sampled_from(["GET", "POST", "post", "DELETE"]),
    url=urls,
    path=paths,
    query=st.none() | queries,
    body=st.binary(max_size=40),
    headers=headers,
    secret=st.text(min_size=1, max_size=40),
    token=st.none() | st.just("") | st.text("abc/+=", max_size=40),
    service=st.sampled_from([service.signing_name for service in SERVICES.values()]),
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"]),
)
def test_every_signature_is_botocores(method, url, path, query, body, headers, secret, token, service, region):
    keys = Keys("AKIA", secret, token)
    whole = path if query is None else f"{path}?{query}"
    call = Call("any", "Any", region, method, whole, body, headers)
    ours, theirs = {}, {"X-Amz-Date": "not yet"}

    while ours.get("X-Amz-Date") != theirs["X-Amz-Date"]:  # both in the same second
        ours = signed(keys, Endpoint(url, service, region, None), call)
        request = AWSRequest(method, url + whole, dict(headers), body)
        SigV4Auth(keys, service, region).add_auth(request)
        theirs = dict(request.headers.items())

    assert ours == theirs
