"""A vocabulary as JSON that `tokenizers.Tokenizer.from_file` reads; what drystone adds stands in its model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from drystone.core.errors import DataError
from drystone.text.kinds import OWN_TOKENS, UNKNOWN_TOKEN, Kind, check_kind

OWN_RECORD = "drystone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds."""

    kind: Kind
    lowercase: bool
    first_rare: int
    tokenizer: Tokenizer


def text_of(content: Content) -> str:
    """Returns the JSON text, one token a line."""
    record: dict[str, Any] = json.loads(content.tokenizer.to_str())
    record["model"][OWN_RECORD] = {
        "kind": content.kind,
        "lowercase": content.lowercase,
        "first_rare": content.first_rare,
    }
    return json.dumps(record, ensure_ascii=False, indent=1)


def content_of(text: str, name: str) -> Content:
    """Reads the JSON text of a vocabulary.

    Args:
        text: the JSON.
        name: what errors call it, such as its path.

    Raises:
        DataError: it is damaged, or no vocabulary of drystone.
    """
    model = _model(text, name)
    own = model.get(OWN_RECORD)
    if not isinstance(own, dict):
        raise DataError(
            f"{name} is a tokenizer, but no vocabulary that drystone wrote. Train one with Vocabulary.train."
        )
    num_tokens = _check_ids(model.get("vocab"), name)
    if model.get("unk_token") != UNKNOWN_TOKEN:
        raise DataError(
            f"{name} is damaged: its unknown token is {model.get('unk_token')!r}; expected {UNKNOWN_TOKEN!r}."
        )
    first_rare, lowercase = own.get("first_rare"), own.get("lowercase")
    if type(first_rare) is not int or not len(OWN_TOKENS) <= first_rare <= num_tokens or type(lowercase) is not bool:
        raise DataError(f"{name} is damaged: its record {OWN_RECORD!r} says {own}.")
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises no other type
        raise DataError(f"{name} is damaged: {error}.") from error
    return Content(kind=check_kind(own.get("kind")), lowercase=lowercase, first_rare=first_rare, tokenizer=tokenizer)


def _model(text: str, name: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise DataError(f"{name} is damaged: it is no whole JSON text ({error}).") from error
    model = record.get("model") if isinstance(record, dict) else None
    if not isinstance(model, dict):
        raise DataError(f"{name} is no vocabulary: it has no model.")
    return model


def _check_ids(vocab: object, name: str) -> int:
    numbers = vocab.values() if isinstance(vocab, dict) else ()
    whole = all(type(number) is int for number in numbers)
    if not isinstance(vocab, dict) or not whole or sorted(numbers) != list(range(len(vocab))):
        raise DataError(f"{name} is damaged: its tokens are not numbered from 0 without holes.")
    for number, token in enumerate(OWN_TOKENS):
        if vocab.get(token) != number:
            found = next((other for other, found in vocab.items() if found == number), None)
            raise DataError(f"{name}: token {number} is {found!r}; expected {token!r}.")
    return len(vocab)
