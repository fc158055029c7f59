"""What all shares of a plan must be together, in plain Python."""

from collections import Counter

from drystone.core.plan import Plan
from tests.contract.oracle import Span
from tests.contract.tables import shapes_of, spans_of

Place = tuple[int, int]  # rank and row


def broken_share(whole: Plan, shares: list[Plan]) -> str:
    """Returns the first rule that the shares of a plan break, or "" where they keep them all."""
    if any(shapes_of(share) != shapes_of(shares[0]) for share in shares):
        return "shapes differ between ranks"
    if any(share.batches["update"] != whole.batches["update"] for share in shares):
        return "updates differ"
    held = [(_without_row(span), (rank, span.row)) for rank, share in enumerate(shares) for span in spans_of(share)]
    if sorted(span for span, _ in held) != sorted(_without_row(span) for span in spans_of(whole)):
        return "a span is held twice or by nobody"
    return _moved(spans_of(whole), dict(held))


def _moved(spans: list[Span], held: dict[Span, Place]) -> str:
    is_carried = any(span.offset > 0 for span in spans)
    place_of: dict[tuple[int, int], Place] = {}
    for span in spans:
        place = held[_without_row(span)]
        row = (0 if is_carried else span.batch, span.row)
        if place_of.setdefault(row, place) != place:
            return f"row {row} is torn apart"
    taken = Counter((batch, place) for (batch, _), place in place_of.items())
    return "two rows share a place" if taken and max(taken.values()) > 1 else ""


def _without_row(span: Span) -> Span:
    return span._replace(row=-1)
