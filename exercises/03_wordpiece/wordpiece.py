"""WordPiece, the tokenizer of BERT. The task is in README.md beside this file."""

import string
import unicodedata
from collections.abc import Collection
from fractions import Fraction

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")


def words_of(text: str) -> list[str]:
    """Cut a text into words as BERT does: at whitespace, and each punctuation character is a word.

    This function is given; use it as it is. Case and accents stay as they are.
    """
    return "".join(f" {char} " if _is_punctuation(char) else char for char in text).split()


def _is_punctuation(char: str) -> bool:
    """Say whether BERT takes a character as punctuation: all ASCII signs, and what Unicode calls so."""
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def split_word(word: str) -> list[str]:
    """Return the symbols of which a word consists before anything is merged.

    Args:
        word: any text without whitespace, also the empty one.

    Returns:
        one symbol for each character: the first is the character itself, every other one has "##"
        in front: "cat" gives ["c", "##a", "##t"].
    """
    raise NotImplementedError


def word_counts(texts: list[str]) -> dict[str, int]:
    """Count the words of some texts.

    Args:
        texts: any texts. Each is cut on its own with `words_of`: no word reaches from one into the next.

    Returns:
        dict word -> how often it occurs, in the order in which the words first occur.
    """
    raise NotImplementedError


def alphabet(counts: dict[str, int]) -> list[str]:
    """Return the symbols that occur when the words are split into single characters.

    Args:
        counts: word -> how often it occurs.

    Returns:
        the symbols (see `split_word`) of all words, each once, in the order of `sorted`.
    """
    raise NotImplementedError


def pair_scores(splits: dict[str, list[str]], counts: dict[str, int]) -> dict[tuple[str, str], Fraction]:
    """Score every pair of neighbouring symbols.

    The score is freq(left, right) / (freq(left) * freq(right)). The frequency of a symbol is the
    number of places in which it stands, that of a pair the number of places in which its symbols are
    neighbours; each place of a word counts as often as the word occurs. ["a", "##a", "##a"] holds
    "##a" twice and the pair ("##a", "##a") once, ["a", "##a", "##a", "##a"] holds that pair twice.

    Args:
        splits: word -> the symbols of which it consists at present.
        counts: word -> how often it occurs, at least once; the same words as `splits`.

    Returns:
        dict (left, right) -> its exact score, a `Fraction`, in the order in which the pairs are first
        met (words in the order of `splits`, each from left to right).

    Source: Schuster and Nakajima 2012, Japanese and Korean Voice Search, section 3, asks for the merge
    that raises the likelihood most; this score is how it is commonly approximated.
    """
    raise NotImplementedError


def best_pair(scores: dict[tuple[str, str], Fraction]) -> tuple[str, str] | None:
    """Return the pair that is merged next.

    Args:
        scores: (left, right) -> score, as `pair_scores` returns them; left as it is.

    Returns:
        the pair with the highest score, of equal ones the one that comes first in `scores`; None if
        there is no pair. The scores are compared exactly.
    """
    raise NotImplementedError


def merge(pair: tuple[str, str], split: list[str]) -> list[str]:
    """Join every occurrence of a pair into one symbol.

    The joined symbol is the left one, then the right one without the "##" in front of it: ("a", "##b")
    gives "ab" and ("##a", "##b") gives "##ab".

    Args:
        pair: left and right symbol; the right one begins with "##".
        split: symbols of a word; left as it is.

    Returns:
        a new list. The split is read from left to right and a symbol is used once: ("##a", "##a")
        turns ["##a", "##a", "##a"] into ["##aa", "##a"].
    """
    raise NotImplementedError


def learn(counts: dict[str, int], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Learn a vocabulary from counted words.

    Args:
        counts: word -> how often it occurs (up to 10**16), in the order in which the words first occur.
        vocab_size: number of entries that the vocabulary shall have. Fewer, if no pair is left to
            merge. If the special tokens and the alphabet alone are more, nothing is merged and
            nothing is cut.
        specials: special tokens. None of them can come out of a merge.

    Returns:
        the vocabulary: the special tokens, then the alphabet of the words, then the joined symbols in
        the order in which they were made. Each step merges the pair with the highest score in all
        words; of equal ones the pair met first (words in the order of `counts`, left to right, in the
        splits as they are at that step).
    """
    raise NotImplementedError


def train(texts: list[str], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Learn a vocabulary from texts.

    Args:
        texts: any texts. Special tokens are not looked for in them.
        vocab_size: as in `learn`.
        specials: as in `learn`.

    Returns:
        what `learn` returns for the words of the texts and their counts.
    """
    raise NotImplementedError


def encode_word(word: str, vocab: Collection[str], max_chars: int = 100) -> list[str]:
    """Cut a word into tokens of a vocabulary.

    From the beginning of the word, the longest token that fits is taken, again and again: the first
    token stands in the vocabulary as it is, every later one with "##" in front. No step is taken
    back. If nothing fits at some place, the whole word is unknown.

    Args:
        word: a word as `words_of` makes them, or the empty text, which has no tokens.
        vocab: tokens, as a list or a set; their order means nothing here.
        max_chars: a word with more characters is unknown, whatever the vocabulary has.

    Returns:
        a new list of the tokens, as they stand in the vocabulary; ["[UNK]"] if the word is unknown.

    Source: Wu et al. 2016, Google's Neural Machine Translation System, section 4.1; Song et al. 2021,
    Fast WordPiece Tokenization, section 2 (longest match first, and [UNK] for a word as a whole).
    """
    raise NotImplementedError


def encode(text: str, vocab: list[str]) -> list[str]:
    """Cut a text into tokens of a vocabulary.

    Args:
        text: any text. Special tokens are not looked for in it.
        vocab: tokens; "[UNK]" is one of them.

    Returns:
        the tokens of all words of `words_of`, one after the other; a word has at most 100 characters,
        or it is unknown. Look-ups in `vocab` are prepared once for a text, not once for a word.
    """
    raise NotImplementedError


def ids(tokens: list[str], vocab: list[str]) -> list[int]:
    """Return the ids of tokens.

    Args:
        tokens: any tokens.
        vocab: entry number i is the token with id i; "[UNK]" is one of them.

    Returns:
        one id for each token; a token that is not in the vocabulary gets the id of "[UNK]".
    """
    raise NotImplementedError


def decode(tokens: list[str]) -> str:
    """Join tokens to a text.

    Args:
        tokens: any tokens, also special ones. Each has a character that is not of the "##" in front, and
            no whitespace.

    Returns:
        the tokens one after the other. One that begins with "##" continues the text: these two
        characters are left out (and only they), and no space stands in front, also if it is the
        first token. Any other token, special ones too, has one space in front, unless it is the
        first.
    """
    raise NotImplementedError
