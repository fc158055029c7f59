"""Documents as tokens: other steps than the characters that they were read as."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from drystone.core.column import Column
from drystone.core.documents import documents_of
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.train.features.feature import Feature, Features
from drystone.train.features.tokens import document_numbers


def with_tokens(seqs: Sequences, features: Features) -> Sequences:
    """Returns the sequences with a step a token, where a vocabulary cuts documents; fields of other steps are left out.

    Raises:
        DataError: these are no documents, or only parts of some, or one holds no token.
    """
    cut = [field for field in features.fields if field.cuts_documents]
    return _cut(seqs, cut) if cut else seqs


def _cut(seqs: Sequences, features: Collection[Feature]) -> Sequences:
    feature = next(iter(features))
    assert feature.vocabulary is not None
    if seqs.text != feature.source:
        raise DataError(
            f"the model reads documents in {feature.source!r}, one a sequence, and cuts them to {feature.vocabulary.kind} itself. "
            f"Read them with text={feature.source!r} (--text {feature.source})."
        )
    if not seqs.scores_every_step:
        raise DataError(
            f"{seqs.place(0)} is a part of a document; {feature.vocabulary.kind} are cut from whole ones. Give the parts files of "
            f"their own, or take tokens='characters' (--tokens characters)."
        )
    documents = documents_of(seqs)
    found = feature.vocabulary.encode_documents(documents)
    if len(found.empty):
        raise DataError(
            f"{seqs.place(int(found.empty[0]))} holds no {feature.vocabulary.kind}, only blanks. Leave it out, such as by "
            f"on_empty='drop' (--drop-empty)."
        )
    starts = offsets_of(found.lengths)[:-1]
    source_starts = np.zeros_like(seqs.source_starts)
    source_starts[seqs.source] = starts
    return replace(
        seqs,
        step_columns={each.field: Column(document_numbers(documents, found, each)) for each in features},
        starts=starts,
        lengths=found.lengths,
        source_starts=source_starts,
        ahead_fields={},
        text=None,
    )
