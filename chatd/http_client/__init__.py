"""Requests to servers of other people: only to public addresses, and limited in time and size."""
