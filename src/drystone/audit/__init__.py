"""Checks of anyone's batches and models."""

from drystone.core.extras import need

need("torch", "torch", "jaxtyping")

from drystone.audit.gradients import check_gradients  # noqa: E402
from drystone.audit.invariance import (  # noqa: E402
    assert_invariant,
    check_batch_mates,
    check_padding_content,
    check_padding_length,
    check_place,
)
from drystone.audit.report import Change, Report  # noqa: E402
from drystone.audit.subject import BatchModel, PaddedModel, Subject  # noqa: E402

__all__ = [
    "BatchModel",
    "Change",
    "PaddedModel",
    "Report",
    "Subject",
    "assert_invariant",
    "check_batch_mates",
    "check_gradients",
    "check_padding_content",
    "check_padding_length",
    "check_place",
]
