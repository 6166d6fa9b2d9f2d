"""Failure drills that prove that no acknowledged record is lost: `python -m drills`."""
