"""Grade exercises on the foundations of language models against a hidden reference."""

__version__ = "0.1.0"
