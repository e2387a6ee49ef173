"""Quizzes: the bank, its lint, self-study in the terminal, and quizzes for a class."""
