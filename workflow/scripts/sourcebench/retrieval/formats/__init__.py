"""Formats of image files, one file each: read, and proved whole as far as the format lets one.

What several of them do alike is in `whole`.
"""
