"""Ready-made training: `fit`, and the runs that it leaves."""

from drystone.core.extras import need

need("torch", "torch", "jaxtyping", "pydantic", "safetensors", "tomlkit", "matplotlib")

from drystone.train.fit import fit  # noqa: E402
from drystone.train.run import Run  # noqa: E402
from drystone.train.settings import Settings  # noqa: E402

__all__ = ["Run", "Settings", "fit"]
