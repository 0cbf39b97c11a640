"""Operations of the Brian2 program that set variables of neurons within a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def make_after(name: str, group: Any, code: str) -> list[Any]:
    """Create the update of variables between the arrival of spikes and the threshold."""
    if not code:
        return []
    return [_operation(group, code=code, when="before_thresholds", name=f"after_{name}")]


def make_changes(name: str, group: Any, changes: Mapping[int, Mapping[str, Any]]) -> list[Any]:
    """Create the operations that set variables at the start of a step, also if refractory."""
    code = []
    for n, change in changes.items():
        now, variable = f"t_in_timesteps == {change['step']}", change["variable"]
        code.append(f"{variable} = int({now})*change{n} + int(not ({now}))*{variable}")
    if not code:
        return []
    # before values that are constant over a step are computed
    place = {"when": "before_start", "order": -2}
    return [_operation(group, code="\n".join(code), name=f"changes_{name}", **place)]


def _operation(group: Any, **options: Any) -> Any:
    # Not at the top, because all modules of bioconv can be imported without Brian2.
    from brian2.groups.group import CodeRunner

    return CodeRunner(
        group, "stateupdate", override_conditional_write=["not_refractory"], **options
    )
