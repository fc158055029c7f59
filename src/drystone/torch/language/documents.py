"""Documents as a language model reads them: each begins with a step of its own, so that its first token is foretold too."""

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences


def next_tokens(documents: Sequences, field: str = "ids", *, begin: int, name: str = "next") -> Sequences:
    """Returns the documents with one step more before each, and a field of the token after each step.

    Every token of every document is then a target once, its first one too; the last token is a step that is not scored,
    since nothing follows it. Fields with a value a sequence stay, other fields with a value a step do not.

    Args:
        documents: token ids a step, each at least 1.
        field: of the ids.
        begin: the id of the step that is put before each document; no token of a document has it.
        name: of the field of next tokens, [steps, 1].

    Raises:
        DataError: a field of anything but whole numbers a step; an id that is less than 1, or `begin`; a `begin` less
            than 1; documents of which not every step is scored: give those their next tokens before they are cut.

    Example:
        >>> documents = Sequences.from_arrays({"ids": [[2, 3], [4]]})
        >>> [document["ids"].tolist() for document in next_tokens(documents, begin=5)]
        [[5, 2, 3], [5, 4]]
    """
    ids, lengths = _checked(documents, documents.field(field), begin), documents.lengths
    offsets = offsets_of(lengths + 1)
    values = np.empty(offsets[-1], ids.dtype)
    is_begin = np.zeros(len(values), dtype=np.bool_)
    is_begin[offsets[:-1]] = True
    values[is_begin], values[~is_begin] = begin, ids
    by_sequence = {key: documents.field(key).values for key in documents.sequence_columns}
    return Sequences.from_ragged(offsets, {field: values}, by_sequence).ahead(field, [1], name)


def _checked(documents: Sequences, field: Field, begin: int) -> npt.NDArray[np.int64]:
    if begin < 1:
        raise DataError(f"begin must be at least 1, since 0 is padding; got {begin}.")
    if not documents.scores_every_step:
        raise DataError(
            "not every step of these documents is scored; call next_tokens before cutting or looking ahead."
        )
    if not field.per_step or field.is_text or field.item_shape or field.values.dtype.kind not in "iu":
        raise DataError(
            f"field {field.name!r} is {field.describe()}; expected the id of a token a step. A vocabulary makes ids of text."
        )
    ids = field.values
    wrong = np.flatnonzero((ids < 1) | (ids == begin))
    if len(wrong):
        at = int(wrong[0])
        sequence = int(np.searchsorted(offsets_of(documents.lengths), at, side="right")) - 1
        step = at - int(offsets_of(documents.lengths)[sequence])
        why = "it begins documents" if ids[at] == begin else "ids of tokens start at 1, and 0 is padding"
        raise DataError(f"{documents.place(sequence, step)}: {field.name} is {ids[at]}; {why}.")
    return ids.astype(np.int64, copy=False)
