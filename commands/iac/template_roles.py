"""Execution roles that stand in the same template: what their policies let them do."""

from collections.abc import Iterator

from commands.iac import policy
from commands.iac.document import Node
from commands.iac.intrinsics import Template, intrinsic, plain, referred

_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_EDGE = "edgelambda.amazonaws.com"


def role_of(template: Template, function: Node) -> str | None:
    """The logical id of the role, where it stands in the template."""
    given = _properties(function).get("Role")
    if given is None or (inner := intrinsic(given)) is None or inner[0] not in ("Fn::GetAtt", "Fn::Sub", "Ref"):
        return None
    names = referred(given)
    name = next(iter(names)) if len(names) == 1 else ""
    return name if _type(template.resources.get(name)) == "AWS::IAM::Role" else None


def may_write(template: Template, role: str) -> bool | None:
    """None where it depends on something that the template does not tell."""
    resource = template.resources.get(role)
    if resource is None:
        return None
    properties = _properties(resource)
    if intrinsic(properties) is not None or "PermissionsBoundary" in {name for name, _, _ in properties.entries()}:
        return None
    return policy.combined(
        [*_managed(template, properties), *_inline(template, properties), *_elsewhere(template, role)]
    )


def trusts_edge(template: Template, role: str) -> bool:
    resource = template.resources.get(role)
    trust = _properties(resource).get("AssumeRolePolicyDocument") if resource is not None else None
    return trust is not None and _EDGE in _texts(plain(template, trust))


def _managed(template: Template, properties: Node) -> Iterator[bool | None]:
    arns = properties.get("ManagedPolicyArns")
    if arns is None:
        return
    if arns.kind != "sequence" or intrinsic(arns) is not None:
        yield None
        return
    for one in arns.items:
        own = referred(one) & {name for name, _, node in template.resources.entries() if _type(node) in _POLICIES}
        if own:
            continue  # judged where it stands
        inner = intrinsic(one)
        if inner is not None and inner[0] == "Fn::Join" and len(inner[1].items) == 2:
            parts = [part.value for part in inner[1].items[1].items]
            yield policy.managed("iam::aws:policy/" + parts[-1].rpartition(":policy/")[2] if _aws(parts) else None)
        else:
            yield policy.managed(plain(template, one))


def _aws(parts: list[str]) -> bool:
    return bool(parts) and "iam::aws:policy/" in "".join(parts) and "policy/" in parts[-1]


def _inline(template: Template, properties: Node) -> Iterator[bool | None]:
    listed = properties.get("Policies")
    if listed is None:
        return
    if listed.kind != "sequence" or intrinsic(listed) is not None:
        yield None
        return
    for one in listed.items:
        document = one.get("PolicyDocument")
        yield None if intrinsic(one) is not None or document is None else policy.allows(plain(template, document))


def _elsewhere(template: Template, role: str) -> Iterator[bool | None]:
    """Policies that stand beside the role and name it, or that it names."""
    of_role = _properties(template.resources.get(role) or Node("mapping"))
    own = referred(of_role.get("ManagedPolicyArns") or Node("mapping"))
    called = plain(template, of_role.get("RoleName"))
    for name, _, resource in template.resources.entries():
        if name.startswith("Fn::"):
            yield None
        if _type(resource) not in _POLICIES:
            continue
        properties = _properties(resource)
        named = True if name in own else _names(template, properties, role, called)
        if named is not False:
            verdict = policy.allows(plain(template, properties.get("PolicyDocument")))
            yield None if verdict and (named is None or resource.get("Condition") is not None) else verdict


def _names(template: Template, properties: Node, role: str, called: object) -> bool | None:
    """Whether a policy is attached to the role; None where its roles are computed from something else."""
    listed = [node for node in (properties.get("Roles"), properties.get("RoleName")) if node is not None]
    each = [one for node in listed for one in (node.items if intrinsic(node) is None and node.items else [node])]
    if any(role in referred(one) for one in each):
        return True
    computed = False
    for one in each:
        name = plain(template, one)
        if isinstance(name, str) and name == called:
            return True
        others = [_type(template.resources.get(other)) == "AWS::IAM::Role" for other in referred(one)]
        computed = computed or (intrinsic(one) is not None and not (others and all(others)))
    return None if computed else False


def _texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return {text for one in value.values() for text in _texts(one)}
    if isinstance(value, list):
        return {text for one in value for text in _texts(one)}
    return {value} if isinstance(value, str) else set()


def _properties(resource: Node) -> Node:
    found = resource.get("Properties")
    return found if found is not None else Node("mapping")


def _type(resource: Node | None) -> str:
    kind = resource.get("Type") if resource is not None else None
    return kind.value if kind is not None and kind.kind == "scalar" else ""
