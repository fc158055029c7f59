"""What was said of the inputs of a model, without a framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tokens = Literal["words", "characters", "bpe"]
Missing = Literal["error", "ffill", "indicator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWishes:
    """What was said of text.

    Args:
        name: its field; None for one that can only be text.
        tokens: what documents are cut to: words, unless something else is said.
        size: the most tokens of the vocabulary; None for all.
        min_count: tokens that training counts less often are unknown.
        lowercase: whether it is lowered.
        spelling: whether words are read letter by letter too.
        max_tokens: the first so many tokens of a document are read; None for all.
    """

    name: str | None = None
    tokens: Tokens | None = None
    size: int | None = None
    min_count: int = 1
    lowercase: bool = False
    spelling: bool = False
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was said of the inputs.

    Args:
        names: the fields; None for all that can tell something.
        categories: fields of whole numbers or bools that are categories; text always is.
        calendar: the parts of the calendar that are inputs, of the timestamps that order the steps.
        missing: what becomes of missing values.
        known_ahead: features, or parts of the calendar, whose values are known before they come ...
        horizon: ... for so many steps.
        text: what was said of text.
    """

    names: Sequence[str] | None = None
    categories: Sequence[str] = ()
    calendar: Sequence[str] = ()
    missing: Missing = "error"
    known_ahead: Sequence[str] = ()
    horizon: int = 0
    text: TextWishes = TextWishes()
