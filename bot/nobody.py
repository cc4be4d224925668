"""Who may approve where there is no Slack: nobody."""

from collections.abc import Mapping

from commands._context import Permission


class Nobody:
    """Where nobody can be asked, nothing can be approved."""

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:  # noqa: ARG002 - People's shape
        return Permission(False, "Approvals are given in Slack.")

    def approvers(self, team: str | None) -> tuple[str, ...]:  # noqa: ARG002 - People's shape
        return ()

    def teams_of(self, user: str, groups: Mapping[str, str]) -> frozenset[str]:  # noqa: ARG002 - People's shape
        return frozenset()

    def rules(self) -> None:
        """Nobody can be asked who is in a group."""
