"""The device that a model runs on."""

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
