"""Checkpoints: safetensors and JSON, whole or not there."""
