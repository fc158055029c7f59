"""Language models: the next token of text, from all of its document before it."""
