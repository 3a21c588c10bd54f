"""Figures of *Rethink Transfer Learning*: how much of a network to transfer."""
