"""Text: from characters, words and tags to numbers, without a framework. Vocabularies need the library `tokenizers`."""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from drystone.core.extras import need

if TYPE_CHECKING:
    from drystone.text.encode import Encoded, all_unknown
    from drystone.text.spelling import Spelled, spelled, spelled_in, spelled_tokens
    from drystone.text.unknown import share_unknown
    from drystone.text.vocabulary import Vocabulary

_ON_FIRST_USE = MappingProxyType(
    {
        "Encoded": "encode",
        "all_unknown": "encode",
        "Spelled": "spelling",
        "spelled": "spelling",
        "spelled_in": "spelling",
        "spelled_tokens": "spelling",
        "share_unknown": "unknown",
        "Vocabulary": "vocabulary",
    }
)

__all__ = [
    "Encoded",
    "Spelled",
    "Vocabulary",
    "all_unknown",
    "share_unknown",
    "spelled",
    "spelled_in",
    "spelled_tokens",
]


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'drystone.text' has no attribute {name!r}")
    need("torch", "tokenizers")
    return getattr(import_module(f"drystone.text.{_ON_FIRST_USE[name]}"), name)
