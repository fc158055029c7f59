"""The exactness proofs."""
