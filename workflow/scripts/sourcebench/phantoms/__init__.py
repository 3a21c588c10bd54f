"""Procedural stand-ins for images that can't be shipped: drawing only, a folder per subject.

Which of them stands for which file of a dataset its mirror knows, in the dataset's folder.
"""
