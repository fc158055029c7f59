"""environment.json: what a run's last bits depend on, and what it was started with."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from drystone import native
from drystone.train.folder.machine import processor, version_of

LIBRARIES = ("drystone", "torch", "numpy", "pyarrow", "safetensors", "lightning-fabric", "torchmetrics")
SHOWN_ONLY = ("command", "started")  # they decide nothing


def environment(device: torch.device) -> dict[str, Any]:
    """Returns versions, machine, threads and device of this process."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "libraries": {name: version_of(name) for name in LIBRARIES},
        "native_core": native.describe(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def save_environment(path: Path, device: torch.device) -> None:
    """Writes the environment as JSON."""
    path.write_text(json.dumps(environment(device), indent=2) + "\n", encoding="utf-8")


def differences(path: Path, device: torch.device) -> list[str]:
    """Returns in words what is different here from the environment that was saved, as far as bits depend on it."""
    saved, here = json.loads(path.read_text(encoding="utf-8")), environment(device)
    there, now = saved.pop("libraries"), here.pop("libraries")
    pairs = {name: (there.get(name), now[name]) for name in now}
    pairs |= {name: (saved.get(name), here[name]) for name in here if name not in SHOWN_ONLY}
    return [f"{name} {before} there, {after} here" for name, (before, after) in pairs.items() if before != after]
