"""What an LSTM returns for a grid."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

State = tuple[Float[Tensor, "layers *rows units"], Float[Tensor, "layers *rows hidden"]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LSTMRun:
    """What a run over a grid returns; `layers` stands for layers × directions, in the order of `nn.LSTM`.

    A function under `torch.compile` can read all of it, and returns the tensors it needs: not the run, since c may still
    have to be worked out.

    Args:
        output: at every cell, 0 at invalid ones; shaped like the input.
        state: h and c after each row's last valid cell: [layers, rows, ...]; pass them to the next batch to carry on.
        final_h: h after each sequence's last step (its first, in the backward direction): [layers, sequences ending
            here, units], in the order of `grid.ends`.
        final_c: works out c there, [layers, sequences ending here, hidden], as it was at the time of the run.
    """

    output: Float[Tensor, "a b outputs"]
    state: State
    final_h: Float[Tensor, "layers sequences units"]
    final_c: Callable[[], Float[Tensor, "layers sequences hidden"]]

    _final: list[State] = field(default_factory=list, init=False, repr=False)  # the compiler has no cached_property

    @property
    def final(self) -> State:
        """The pair of `final_h` and `final_c()`; c is worked out when first asked for."""
        if not self._final:
            self._final.append((self.final_h, self.final_c()))
        return self._final[0]
