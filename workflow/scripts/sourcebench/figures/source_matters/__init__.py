"""Figures of *Source Matters*: what a confounder in training does to each source's networks."""
