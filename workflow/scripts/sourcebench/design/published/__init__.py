"""Splits that somebody published: their files, and what they are as a design."""

from sourcebench.design.published.files import fetch, file_names, read
from sourcebench.design.published.images import build, require_folds

__all__ = ["build", "fetch", "file_names", "read", "require_folds"]
