"""Passwords and tokens: each library behind two functions."""
