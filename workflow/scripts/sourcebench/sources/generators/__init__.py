"""Procedural images with labels, to pretrain on: one file per generator."""
