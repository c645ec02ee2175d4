"""Errors that are told in one line and end the command."""

from __future__ import annotations


class UsageError(ValueError):
    """What was asked for cannot be done as asked; the message is one line that names the option or the file."""
