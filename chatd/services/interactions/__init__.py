"""Interactions: creating them for people, delivering them, and responding for applications."""
