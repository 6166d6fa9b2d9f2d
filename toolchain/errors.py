"""The one error that the toolchain shows to a user."""

from __future__ import annotations


class ToolError(Exception):
    """Something that the user can cure. Its text is one clear sentence: what, why, and the way out."""
