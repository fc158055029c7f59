"""Text as numbers: vocabularies and what is made of them. Needs the library `tokenizers`."""

from drystone.core.extras import need

need("torch", "tokenizers")

from drystone.text.encode import Encoded, all_unknown  # noqa: E402
from drystone.text.spelling import Spelled, spelled, spelled_tokens  # noqa: E402
from drystone.text.unknown import share_unknown  # noqa: E402
from drystone.text.vocabulary import Vocabulary  # noqa: E402

__all__ = ["Encoded", "Spelled", "Vocabulary", "all_unknown", "share_unknown", "spelled", "spelled_tokens"]
