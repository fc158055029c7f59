"""The training loop over grids: for any model, any layout, and a loss given as a sum."""
