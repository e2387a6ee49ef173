"""Quizzes for a class: forms without keys, answer files, marks, and what they say of the questions."""
