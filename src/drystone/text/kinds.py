"""What a vocabulary counts as a token, and the tokenizer that cuts texts so.

The two tokens of our own are no special tokens of the library: those would be looked for in the data. They are
plain entries of the model instead, which no token of the data can meet: words and byte pairs are cut around "<" and
">", a character is shorter, and a word given as it is that reads like one of them gets one more "<" in the file.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE, WordLevel
from tokenizers.normalizers import Lowercase, Normalizer, Replace
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import ByteLevel, FixedLength, PreTokenizer, Punctuation, Whitespace
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

from drystone.core.errors import DataError

Kind: TypeAlias = Literal["words", "characters", "bpe", "given"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Merges: TypeAlias = Sequence[tuple[str, str]]

PADDING, UNKNOWN = 0, 1
PADDING_TOKEN, UNKNOWN_TOKEN = "<pad>", "<unk>"
OWN_TOKENS = (PADDING_TOKEN, UNKNOWN_TOKEN)

ESCAPED = re.compile(r"<+(?:pad|unk)>")


def check_kind(kind: object) -> Kind:
    """Returns the kind, or raises DataError that names those there are."""
    for known in KINDS:
        if kind == known:
            return known
    raise DataError(f"there are no vocabularies of kind {kind!r}; there are: {', '.join(KINDS)}.")


def tokenizer_of(kind: Kind, tokens: Sequence[str], merges: Merges, *, lowercase: bool) -> Tokenizer:
    """Returns the tokenizer of a vocabulary.

    Args:
        kind: what a token is.
        tokens: all but padding and unknown; their ids count on from 2.
        merges: which tokens are joined, in their order; for byte pairs only.
        lowercase: whether texts are lowered first.
    """
    ids = {token: number for number, token in enumerate((*OWN_TOKENS, *(escaped(kind, token) for token in tokens)))}
    if kind == "bpe":
        tokenizer = Tokenizer(BPE(ids, list(merges), unk_token=UNKNOWN_TOKEN))
        tokenizer.decoder = Bytes()
    else:
        tokenizer = Tokenizer(WordLevel(ids, unk_token=UNKNOWN_TOKEN))
    prepare(tokenizer, kind, lowercase=lowercase)
    return tokenizer


def prepare(tokenizer: Tokenizer, kind: Kind, *, lowercase: bool) -> None:
    """Says how a tokenizer lowers and cuts texts."""
    pre_tokenizer = _pre_tokenizer(kind)
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    steps = lowering() if lowercase else []
    if kind == "given":
        steps.append(Replace(Regex(r"\A<(?=<*(?:pad|unk)>\z)"), "<<"))
    if steps:
        tokenizer.normalizer = Normalizers(steps)


def lowering() -> list[Normalizer]:
    """The steps that lower a text; every character stays one.

    Only İ has two characters when lowered, i and a dot above; it becomes i.
    """
    return [Replace("İ", "i"), Lowercase()]


def lowered(tokens: Sequence[str]) -> list[str]:
    """Returns the tokens as a vocabulary that lowers its texts sees them.

    >>> lowered(["İzmir", "ΣΑΣ"])
    ['izmir', 'σασ']
    """
    normalizer = Normalizers(lowering())
    return [normalizer.normalize_str(token) for token in tokens]


def escaped(kind: Kind, token: str) -> str:
    """Returns the token as the file names it.

    >>> escaped("given", "<unk>"), escaped("given", "unk")
    ('<<unk>', 'unk')
    """
    return f"<{token}" if kind == "given" and ESCAPED.fullmatch(token) else token


def unescaped(kind: Kind, token: str) -> str:
    """Returns the token that the file names so."""
    return token[1:] if kind == "given" and ESCAPED.fullmatch(token) else token


def _pre_tokenizer(kind: Kind) -> PreTokenizer | None:
    if kind == "words":
        return PreTokenizers([Whitespace(), Punctuation()])
    if kind == "characters":
        return FixedLength(length=1)
    return ByteLevel(add_prefix_space=False) if kind == "bpe" else None
