"""The folder where banks are kept between runs."""

from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Return the user's cache folder of the grader; it may not exist yet."""
    return user_cache_path("llm-fundamentals-grader", appauthor=False)
