"""Computes the numeric keys of quizzes/pretokenization.yaml from first principles."""

import re
import string
import unicodedata

from tokenizers.pre_tokenizers import ByteLevel


def pretok_gpt2_two_spaces() -> str:
    return " | ".join(_gpt2("how are  you")[2:])


def pretok_gpt2_piece_count() -> int:
    return len(_gpt2("I'll pay 30$ (or 35)."))


def pretok_bert_piece_count() -> int:
    def is_mark(char: str) -> bool:
        return char in string.punctuation or unicodedata.category(char).startswith("P")

    spaced = "".join(f" {char} " if is_mark(char) else char for char in "don't pay $5.00!")
    return len(spaced.split())


def pretok_offset_of_accent() -> int:
    text = unicodedata.normalize("NFD", "Caf\u00e9 au lait")
    kept = [place for place, char in enumerate(text) if unicodedata.category(char) != "Mn"]
    normalized = "".join(text[place] for place in kept)
    return kept[normalized.index("au")]


def pretok_digits_by_three() -> str:
    later = " | ".join(re.findall(r"\d{1,3}", "n=1234567"))
    return f"GPT-2 {_gpt2('n=1234567')[-1]}, later {later}"


def _gpt2(text: str) -> list[str]:
    return [piece for piece, _ in ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
