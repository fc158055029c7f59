"""The inputs of a model: which fields they are, of what kind, and how they become numbers."""
