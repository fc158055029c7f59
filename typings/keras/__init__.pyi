"""keras' types say None of what its operations return; all of it counts as Any."""

from typing import Any

def __getattr__(name: str) -> Any: ...
