"""Hostile submissions, and what must become of each: run by test_attacks.py, listed by table.py."""
