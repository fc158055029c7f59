"""Metrics of several ranks, or of several saved ones, made one."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from torchmetrics import Metric

from drystone.core.errors import ConfigError

Saved = Mapping[str, Any]


def counting_alone(metric: Metric) -> Metric:
    """Returns the metric, which asks no other process for anything: ranks are summed where all of them ask together."""
    for part in _parts(metric):
        part.sync_on_compute = False
        part._to_sync = False
    return metric


def saved_metric(metric: Metric) -> dict[str, Any]:
    """Returns the state of a metric, and whether it has counted anything."""
    return {"state": dict(metric.state_dict()), "has_counted": any(part.update_called for part in _parts(metric))}


def joined(metric: Metric, saved: Sequence[Saved]) -> Metric:
    """Returns a metric that has counted what several have.

    Args:
        metric: of the same kind, persistent; it stays as it is.
        saved: what `saved_metric` returned of each, in the order in which they are joined.

    Raises:
        ConfigError: metrics of this kind cannot be joined.
    """
    found, *others = [_loaded(metric, each) for each in saved if each["has_counted"]] or [_fresh(metric)]
    for other in others:
        try:
            found.merge_state(other)
        except (RuntimeError, TypeError) as error:
            raise ConfigError(
                f"{type(metric).__name__} cannot be counted over several ranks: give it full_state_update = False and "
                f"states that are sums, or a merge_state of its own ({error})."
            ) from error
    return found


def _loaded(metric: Metric, saved: Saved) -> Metric:
    found = _fresh(metric)
    found.load_state_dict(saved["state"])
    found.to(metric.device)  # it takes tensors as they come
    for part in _parts(found):
        part._update_count = 1  # else it warns that nothing was counted
    return found


def _fresh(metric: Metric) -> Metric:
    found = deepcopy(metric)
    found.reset()
    return found


def _parts(metric: Metric) -> Iterator[Metric]:
    """Yields a metric and those that it wraps."""
    return (part for part in metric.modules() if isinstance(part, Metric))
