"""The contract, in plain NumPy."""
