"""Accounts: registration, login, authentication, profiles, relationships, applications."""
