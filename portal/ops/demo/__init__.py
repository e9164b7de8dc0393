"""Demonstration data: an invented clinic large enough to work with and to measure."""
