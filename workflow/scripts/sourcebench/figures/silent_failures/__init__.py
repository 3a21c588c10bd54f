"""Figures of silent failures: do networks know when they are wrong, and what do they miss?"""
