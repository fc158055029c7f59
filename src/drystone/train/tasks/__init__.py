"""What a model is trained to do: a folder a task, and `known.TASKS`, which names them."""
