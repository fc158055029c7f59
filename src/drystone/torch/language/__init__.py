"""Language models: next tokens of documents, what they cost, and text that goes on."""

from drystone.torch.language.cost import Cost, cost_of, next_of
from drystone.torch.language.documents import next_tokens
from drystone.torch.language.generate import generate
from drystone.torch.language.model import LanguageDropout, LanguageModel
from drystone.torch.language.sampling import Sampling, draw, probabilities
from drystone.torch.language.tied import TiedHead

__all__ = [
    "Cost",
    "LanguageDropout",
    "LanguageModel",
    "Sampling",
    "TiedHead",
    "cost_of",
    "draw",
    "generate",
    "next_of",
    "next_tokens",
    "probabilities",
]
