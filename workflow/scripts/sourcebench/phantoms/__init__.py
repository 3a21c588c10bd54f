"""Procedural stand-ins for data that can't be shipped, in the original's own layout."""
