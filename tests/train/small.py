"""Settings of a training that takes no time."""

from typing import Any

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 8, "progress": False}
