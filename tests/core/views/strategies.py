"""Chains of views, made both of Sequences and in plain Python."""

from typing import Any

from hypothesis import strategies as st

from drystone import Sequences
from tests.core.views import plain as by_hand
from tests.core.views.plain import Plain

lengths = st.lists(st.integers(1, 14), min_size=1, max_size=5)
offsets = st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True).map(tuple)
contexts = st.sampled_from([None, "before", 1, 3])


def numbered(lengths: list[int]) -> tuple[Sequences, Plain]:
    plain = Plain.of(lengths)
    return Sequences.from_arrays({"x": plain.lists}, {"number": list(range(len(lengths)))}), plain


@st.composite
def viewed(draw: Any, max_views: int = 3) -> tuple[Sequences, Plain]:
    """Sequences after some views, and the same in plain Python; at least one sequence is left."""
    seqs, plain = numbered(draw(lengths))
    for _ in range(draw(st.integers(0, max_views))):
        view = draw(st.sampled_from([windowed, cut, truncated, ahead, split, joined, chosen]))
        made = view(draw, seqs, plain)
        if made is not None and len(made[0]):
            seqs, plain = made
    return seqs, plain


def windowed(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain]:
    steps, stride, horizon = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(0, 3))
    return seqs.windows(steps, stride, horizon), by_hand.windows(plain, steps, stride, horizon)


def cut(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain]:
    parts, lead = draw(st.integers(1, 5)), draw(st.integers(0, 6))
    return seqs.cut(parts, lead), by_hand.cut(plain, parts, lead)


def truncated(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain]:
    max_steps, keep = draw(st.integers(1, 10)), draw(st.sampled_from(["first", "last"]))
    return seqs.truncate(max_steps, keep), by_hand.truncate(plain, max_steps, keep)


def ahead(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain] | None:
    if plain.offsets:
        return None
    found = draw(offsets)
    return seqs.ahead("x", found), Plain(plain.lists, plain.runs, found)


def split(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain] | None:
    """One part of a split at the times of some step; joined lists may fall, and are not split."""
    if any(values != sorted(values) for values in plain.lists):
        return None
    run = draw(st.sampled_from(plain.runs))
    time = plain.lists[run.source][draw(st.integers(run.start, run.stop - 1))]
    context = draw(contexts)
    parts = by_hand.split(plain, [time], context)
    if not all(part.runs for part in parts):
        assert by_hand.refused(lambda: seqs.split_by_time(at=[time], field="x", context=context))
        return None
    part = draw(st.integers(0, 1))
    return seqs.split_by_time(at=[time], field="x", context=context)[part], parts[part]


def joined(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain] | None:
    by = draw(st.sampled_from([None, "number"] if "number" in seqs.field_names else [None]))
    groups = seqs.field("number").values.tolist() if by else [0] * len(seqs)
    if by_hand.refused(lambda: by_hand.join(plain, groups)):
        assert by_hand.refused(lambda: seqs.join(by))
        return None
    return seqs.join(by), by_hand.join(plain, groups)


def chosen(draw: Any, seqs: Sequences, plain: Plain) -> tuple[Sequences, Plain]:
    order = draw(st.lists(st.integers(0, len(seqs) - 1), min_size=1, max_size=len(seqs), unique=True))
    return seqs.select(order), Plain(plain.lists, [plain.runs[number] for number in order], plain.offsets)
