"""`drystone generate`: text that goes on from a prompt."""

from typing import Annotated

import typer

from drystone.cli.data import Device, RunFolder, open_model
from drystone.core.errors import ConfigError

HELP = """Write the text that follows a prompt, token by token, as a language model has it.

\b
Examples:
  drystone generate runs/shakespeare-1 --prompt "ROMEO:" --tokens 400
  drystone generate runs/shakespeare-1 --prompt "ROMEO:" --temperature 0.7 --top-p 0.9 --seed 1
  drystone generate runs/news-1 --temperature 0    # always the likeliest token
"""


def generate(
    run: RunFolder,
    prompt: Annotated[str, typer.Option(help="How the text begins.")] = "",
    tokens: Annotated[int, typer.Option(help="How many tokens follow.", min=0)] = 200,
    temperature: Annotated[
        float,
        typer.Option(help="Below 1: likelier tokens; above: more surprising ones; 0: always the likeliest.", min=0),
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Only so many of the likeliest tokens may come.", min=1)] = None,
    top_p: Annotated[float, typer.Option(help="Only the likeliest that have this probability together.", max=1)] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The same text comes again from the same one.", min=0)] = None,
    device: Device = "auto",
) -> None:
    """Opens the run, and prints each token as soon as it is drawn."""
    opened = open_model(run, device=device)

    from drystone.torch.language import Sampling  # after all that needs no framework
    from drystone.train.generate import generate as pieces_of

    if top_p <= 0:
        raise ConfigError(f"--top-p is {top_p}; expected a number above 0, and at most 1.")
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    pieces = pieces_of(opened, prompt, tokens, sampling=sampling, seed=seed)
    typer.echo(prompt, nl=False)
    for piece in pieces:
        typer.echo(piece, nl=False)
    typer.echo()
