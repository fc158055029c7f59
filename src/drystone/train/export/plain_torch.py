"""A classifier of sequences: an LSTM over standardised steps, a pool over them, a linear head.

It needs PyTorch, and safetensors to read the weights. `drystone export --to torch` copies this file to model.py, in a
folder with weights.safetensors and drystone.json, which says what the inputs and the classes are. The folder may be
renamed and moved. With it on the path::

    from model import load

    model = load()  # ready to predict
    logits, state = model(x, lengths)  # x: [rows, steps, features]; lengths: [rows], the real steps of each row
    probabilities = logits.softmax(dim=1)  # of the classes in drystone.json, in their order
    # where its "activation" is "sigmoid", the classes are labels of which several may be right: logits.sigmoid()

    logits, state = model(next_x, next_lengths, state)  # goes on where the call before ended

To train it further; noise and dropouts act as in the training before::

    model.train()
    logits, _ = model(x, lengths)
    loss = torch.nn.functional.cross_entropy(logits, numbers_of_classes)  # sigmoid: binary_cross_entropy_with_logits
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent

State = tuple[Tensor, Tensor]


class Classifier(nn.Module):
    """Logits of the classes, one row a sequence.

    Args:
        num_features: numbers a step.
        num_classes: what the head tells apart.
        hidden_size: units of a layer and direction.
        num_layers: LSTM layers.
        bidirectional: whether a second LSTM reads backward.
        pooling: how the outputs of a sequence become one vector: "last", "mean", "max", or "mean+max", side by side.
            "last" is the output of each direction where it ends: forward at the last step, backward at the first.
        dropout: fraction dropped between layers, in training.
        head_dropout: fraction dropped before the head, in training.
        noise: standard deviation of noise on standardised inputs, in training.

    Example:
        >>> model = Classifier(num_features=2, num_classes=3, hidden_size=8)
        >>> x, lengths = torch.zeros(2, 5, 2), torch.tensor([5, 3])
        >>> logits, (h, c) = model(x, lengths)
        >>> logits.shape, h.shape, c.shape
        (torch.Size([2, 3]), torch.Size([1, 2, 8]), torch.Size([1, 2, 8]))
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        *,
        num_features: int,
        num_classes: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
        dropout: float = 0.0,
        head_dropout: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.poolings = pooling.split("+")
        self.noise = noise
        self.register_buffer("mean", torch.zeros(num_features, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(num_features, dtype=torch.float64))
        self.lstm = nn.LSTM(
            num_features, hidden_size, num_layers, batch_first=True, dropout=dropout, bidirectional=bidirectional
        )
        self.dropout = nn.Dropout(head_dropout)
        self.num_directions = 2 if bidirectional else 1
        self.head = nn.Linear(self.num_directions * hidden_size * len(self.poolings), num_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: State | None = None) -> tuple[Tensor, State]:
        """Returns the logits, [rows, classes], and the LSTM's state h and c after each row's last real step.

        Args:
            x: [rows, steps, features] in the units of the training data; what follows a row's real steps is not read.
            lengths: int64 [rows], the real steps of each row, 1 or more; by default all of them.
            state: h and c that the LSTM starts from, each [layers × directions, rows, hidden]; zeros by default.
        """
        if lengths is None:
            lengths = torch.full((x.shape[0],), x.shape[1])
        # In float64, so that large numbers with small differences (times, prices) keep their digits.
        values = ((x.double() - self.mean) / self.spread).to(self.head.weight.dtype)
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        packed = pack_padded_sequence(values, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, (h, c) = self.lstm(packed, state)
        output, _ = pad_packed_sequence(packed, batch_first=True)  # 0 after each row's real steps
        pooled = [self.pool(output, lengths.to(output.device), h, how) for how in self.poolings]
        return self.head(self.dropout(torch.cat(pooled, dim=1))), (h, c)

    def pool(self, output: Tensor, lengths: Tensor, h: Tensor, how: str) -> Tensor:
        """Returns one vector a row, [rows, directions × hidden], from the outputs at its real steps."""
        if how == "last":
            return h[-self.num_directions :].transpose(0, 1).flatten(1)
        if how == "mean":
            return output.sum(dim=1) / lengths[:, None].to(output.dtype)
        is_real = torch.arange(output.shape[1], device=output.device) < lengths[:, None]
        return output.masked_fill(~is_real[:, :, None], -torch.inf).amax(dim=1)


def load(folder: str | Path = HERE) -> Classifier:
    """Returns the trained classifier of a folder, by default the one that this file lies in; on the CPU, in eval mode."""
    folder = Path(folder)
    about = json.loads((folder / "drystone.json").read_text(encoding="utf-8"))
    model = Classifier(**about["model"])
    model.load_state_dict(load_file(folder / "weights.safetensors"), assign=True)  # in the type that they were saved in
    return model.eval()
