"""The device that a model runs on, and the precisions that it has."""

import os

import torch

from drystone.core.errors import ConfigError


def device_of(name: str, *, one_of_many: bool = False) -> torch.device:
    """Returns the named device; "auto" is the GPU where there is one.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1", ...
        one_of_many: whether a launcher started several processes: each then takes a GPU of its own.

    Raises:
        ConfigError: no such device on this machine, or fewer than processes on it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and one_of_many:
        name = f"cuda:{_own_gpu()}"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device {name!r} cannot be used here; expected auto, cpu, cuda, cuda:1, ... ({str(error).splitlines()[0][:60]})"
        ) from error
    return device


def _own_gpu() -> int:
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= there:
        raise ConfigError(
            f"this is process {number + 1} of this machine, which has {there} GPUs: start one process a GPU "
            f"(torchrun --nproc-per-node={there}), or train on the CPU (--device cpu)."
        )
    torch.cuda.set_device(number)
    return number


def check_precision(precision: str, device: torch.device) -> None:
    """Raises ConfigError where a device has not the precision, so that nothing else takes its place unsaid."""
    if precision == "16-mixed" and device.type == "cpu":
        raise ConfigError("precision is '16-mixed', which needs a GPU; on a CPU give 'bf16-mixed' or '32-true'.")
