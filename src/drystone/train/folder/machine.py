"""What this machine is, and which libraries it has; asked without importing them."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def version_of(library: str) -> str | None:
    """Returns the version of an installed library, or None."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Returns the name of the processor: where Linux says it, or what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()
