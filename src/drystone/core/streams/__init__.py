"""Streams: sequences from a source of unknown length, laid out window by window."""

from drystone.core.streams.stream import Stream

__all__ = ["Stream"]
