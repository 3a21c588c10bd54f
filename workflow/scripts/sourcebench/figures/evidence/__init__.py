"""Figures of what the evidence per image says: what is encoded, used and paid, and who is best."""
