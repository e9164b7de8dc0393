"""Commands."""

from flask import Flask


def configure_commands(app: Flask) -> None:
    """Register the command groups."""
