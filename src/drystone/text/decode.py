"""Token ids back to text."""

import re
from collections.abc import Sequence

from drystone.text.kinds import Kind

UNKNOWN_CHARACTER = "\N{REPLACEMENT CHARACTER}"

SPACES_TO_DROP = (
    re.compile(r" (?=[.,;:!?%)\]}…])"),
    re.compile(r"(?<=[(\[{]) "),
    re.compile(r"(?<=\w) (?=['’] (?:s|t|d|m|re|ve|ll)\b)"),
    re.compile(r"(?<=\w['’]) (?=(?:s|t|d|m|re|ve|ll)\b)"),
)


def text_of(kind: Kind, tokens: Sequence[str]) -> str:
    """Returns the text of tokens that are words or characters.

    Words are joined by spaces. Where they were cut from documents, no space comes before a mark that closes (`.,;:!?%`
    and brackets), after a bracket that opens, or around the apostrophe of English endings ('s, n't, 'll).

    Example:
        >>> text_of("words", ["I", "don", "'", "t", "know", "(", "yet", ")", "."])
        "I don't know (yet)."
    """
    if kind == "characters":
        return "".join(tokens)
    text = " ".join(tokens)
    for space in SPACES_TO_DROP if kind == "words" else ():
        text = space.sub("", text)
    return text
