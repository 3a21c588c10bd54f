"""The kinds of dataset, one file each."""
