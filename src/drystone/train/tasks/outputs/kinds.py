"""The kinds of outputs, and how files hold them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.numbers import Numbers
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.outputs.yes_no import YesNo

KINDS: Mapping[str, type[Outputs]] = MappingProxyType({kind.kind: kind for kind in (Classes, YesNo, Numbers)})


def to_plain(outputs: Outputs) -> dict[str, Any]:
    """Returns outputs as JSON can hold them."""
    return {outputs.kind: outputs.to_plain()}


def from_plain(plain: Mapping[str, Any]) -> Outputs:
    """Returns what `to_plain` wrote."""
    ((kind, content),) = plain.items()
    return KINDS[kind].from_plain(content)
