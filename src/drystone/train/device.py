"""The device that a model runs on, and the precisions that it has."""

import torch

from drystone.core.errors import ConfigError


def device_of(name: str) -> torch.device:
    """Returns the named device; "auto" is the GPU where there is one.

    Raises:
        ConfigError: no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device {name!r} cannot be used here; expected auto, cpu, cuda, cuda:1, ... ({str(error).splitlines()[0][:60]})"
        ) from error
    return device


def check_precision(precision: str, device: torch.device) -> None:
    """Raises ConfigError where a device has not the precision, so that nothing else takes its place unsaid."""
    if precision == "16-mixed" and device.type == "cpu":
        raise ConfigError("precision is '16-mixed', which needs a GPU; on a CPU give 'bf16-mixed' or '32-true'.")
