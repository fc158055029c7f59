"""The processes of one training, and what they share."""
