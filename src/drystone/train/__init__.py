"""Ready-made training: `fit`, and the runs that it leaves."""

try:
    import pydantic  # noqa: F401
    import safetensors  # noqa: F401
    import tomlkit  # noqa: F401
except ModuleNotFoundError as error:
    from drystone.core.errors import MissingExtraError

    raise MissingExtraError("torch", error.name or "pydantic") from error

from drystone.train.fit import fit
from drystone.train.run import Run
from drystone.train.settings import Settings

__all__ = ["Run", "Settings", "fit"]
