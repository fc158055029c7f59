"""The libraries that training needs."""

from drystone.core.extras import need

LIBRARIES = (
    "torch",
    "jaxtyping",
    "lightning_fabric",
    "matplotlib",
    "pydantic",
    "safetensors",
    "tomlkit",
    "torchmetrics",
)


def need_libraries() -> None:
    """Raises MissingExtraError for the first one that is not installed; imports none."""
    need("torch", *LIBRARIES)
