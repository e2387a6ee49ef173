"""Byte-pair encoding, byte level, as GPT-2 uses it. The task is in README.md beside this file."""


def byte_symbols() -> dict[int, str]:
    """Return one printable character for each of the 256 byte values.

    Returns:
        dict byte value -> character, 256 entries, all characters different. A byte whose Latin-1
        character is printable keeps it: 33 to 126, 161 to 172 and 174 to 255. The other 68 bytes,
        in ascending order, get chr(256), chr(257), chr(258), ... So the space (byte 32) becomes
        'Ġ' and the line feed (byte 10) becomes 'Ċ'.

    Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners, 2.2.
    """
    raise NotImplementedError


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Cut a text into pieces as GPT-2 does, each with its place in the text.

    Args:
        text: any Unicode text.

    Returns:
        list of (piece, (start, end)): `text[start:end]` is what the piece stands for, counted in
        characters, and `piece` is the same written in byte symbols (each UTF-8 byte of the
        characters replaced by its symbol of `byte_symbols`). The pieces cover the text without a
        gap. The README gives the rule by which the text is cut.

    Source: Radford et al. 2019, 2.2.
    """
    raise NotImplementedError


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    """Cut a text at the special tokens it contains.

    Args:
        text: any Unicode text.
        specials: special tokens, none of them empty; one may be part of another.

    Returns:
        list of (part, is_special) in the order of the text; the parts joined give the text, and no
        part is empty. The text is read from left to right; where several special tokens begin at
        the same character, the longest is taken.
    """
    raise NotImplementedError


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    """Count the pieces of a corpus.

    Args:
        corpus: texts. Each is cut on its own: no piece reaches from one into the next.
        specials: special tokens: cut out first (see `split_specials`) and not counted.

    Returns:
        dict piece (in byte symbols, see `pre_tokenize`) -> how often it occurs, in the order in
        which the pieces first occur.
    """
    raise NotImplementedError


def pair_frequencies(splits: dict[str, list[str]], word_freqs: dict[str, int]) -> dict[tuple[str, str], int]:
    """Count the pairs of neighbouring symbols, each word weighed by its frequency.

    Args:
        splits: word -> the symbols that it is made of at present.
        word_freqs: word -> how often it occurs in the corpus; the same words as `splits`.

    Returns:
        dict (left, right) -> count, in the order in which the pairs are first met (words in the
        order of `splits`, left to right). Every position counts: ['a', 'a', 'a'] holds
        ('a', 'a') twice.
    """
    raise NotImplementedError


def merge_pair(a: str, b: str, splits: dict[str, list[str]]) -> dict[str, list[str]]:
    """Replace every occurrence of the pair (a, b) by the one symbol a + b.

    Args:
        a: left symbol of the pair.
        b: right symbol of the pair.
        splits: word -> the symbols that it is made of at present; left as it is.

    Returns:
        a new dict word -> symbols, same words, same order. A word is read from left to right and
        a symbol is used once: ('a', 'a') turns ['a', 'a', 'a'] into ['aa', 'a'].
    """
    raise NotImplementedError


def train(
    corpus: list[str], vocab_size: int, specials: tuple[str, ...] = ("<|endoftext|>",)
) -> tuple[list[tuple[str, str]], list[str]]:
    """Learn the merges of a corpus.

    Args:
        corpus: texts.
        vocab_size: number of entries that the vocabulary shall have. Fewer, if no pair is left to
            merge. If the special tokens and the alphabet alone are more, nothing is merged and
            nothing is cut.
        specials: special tokens: cut out of the corpus, and part of the vocabulary.

    Returns:
        (merges, vocab). merges: the pairs in the order in which they were merged; each step takes
        a pair that is most frequent at that step and, among equally frequent ones, the pair met
        first (words in the order in which they first occur in the corpus, left to right). vocab:
        the special tokens, then the alphabet (the byte symbols that occur in the words, sorted),
        then a + b for every merge (a, b), also if an earlier merge gave the same text. (The checks
        accept any order of the vocabulary.)

    Source: Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units, 3.2.
    """
    raise NotImplementedError


def tokenize(text: str, merges: list[tuple[str, str]]) -> list[str]:
    """Cut a text into tokens with learned merges.

    Args:
        text: any Unicode text, taken without special tokens.
        merges: pairs in the order in which they were learned, as `train` returns them.

    Returns:
        list of tokens in byte symbols. Each piece of `pre_tokenize` starts as single symbols; as
        long as one of its neighbouring pairs is among the merges, the pair that was learned
        earliest is merged, everywhere in the piece, left to right.
    """
    raise NotImplementedError


def encode(text: str, merges: list[tuple[str, str]], vocab: list[str], specials: list[str]) -> list[int]:
    """Turn a text into token ids.

    Args:
        text: any Unicode text. Special tokens in it become one id each (see `split_specials`).
        merges: pairs in the order in which they were learned.
        vocab: entry number i is the token with id i. It holds the special tokens, all 256 byte
            symbols and a + b for every merge (a, b), in any order; so every text has its ids.
        specials: special tokens.

    Returns:
        list of ids, each in 0 .. len(vocab) - 1.
    """
    raise NotImplementedError


def decode(ids: list[int], vocab: list[str], specials: list[str]) -> str:
    """Turn token ids back into a text.

    Args:
        ids: any list of ids in 0 .. len(vocab) - 1, also one that no text has.
        vocab: as in `encode`.
        specials: special tokens; their ids stand for the special token's own text.

    Returns:
        the text. `decode(encode(text, ...), ...)` is `text` for every text. The bytes of
        neighbouring tokens are joined before they are read as UTF-8 (a special token ends such a
        run); bytes that are no valid UTF-8 become U+FFFD, as bytes.decode(errors="replace") does.
    """
    raise NotImplementedError


def fallback_tokenize(text: str, merges: list[tuple[str, str]], alphabet: list[str], specials: list[str]) -> list[str]:
    """Cut a text into tokens made of characters; characters outside the alphabet become bytes.

    Args:
        text: any Unicode text. Special tokens in it become one token each (see `split_specials`).
        merges: pairs of characters or of merged characters, in the order in which they were
            learned; all their characters are in the alphabet.
        alphabet: the characters that have a token of their own, in any order. The space is not
            among them: "▁" (U+2581) is written for it, and may be in the alphabet or not.
        specials: special tokens.

    Returns:
        list of tokens. The text between special tokens is cut where `pre_tokenize` cuts it. Each
        character of a piece is a symbol: a space (U+0020) is written "▁" if the alphabet has "▁";
        any other character stays itself if the alphabet has it. What is left becomes the bytes of
        its UTF-8, one symbol each, written `<0xHH>` with two upper-case hexadecimal digits: a
        space <0x20>, and a "▁" of the text itself always <0xE2> <0x96> <0x81>. Then the merges are
        applied in each piece as in `tokenize`; bytes are never part of one.

    Source: Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models, 2.1 (tokenizer).
    """
    raise NotImplementedError


def fallback_decode(tokens: list[str], specials: list[str]) -> str:
    """Turn tokens of `fallback_tokenize` back into a text.

    Args:
        tokens: any list of such tokens, also one that no text has.
        specials: special tokens.

    Returns:
        the text. `fallback_decode(fallback_tokenize(text, ...), ...)` is `text` for every text. A
        special token stands for its own text, whatever it looks like; a token `<0xHH>` (two
        upper-case hexadecimal digits) for a byte; in all other tokens "▁" is a space and every
        other character is itself. The bytes of neighbouring tokens are joined before they are read
        as UTF-8 (any other token ends such a run); bytes that are no valid UTF-8 become U+FFFD, as
        bytes.decode(errors="replace") does.
    """
    raise NotImplementedError


def merges_to_text(merges: list[tuple[str, str]]) -> str:
    """Write merges in the form of a merges.txt file.

    Args:
        merges: pairs in the order in which they were learned.

    Returns:
        the line `#version: 0.2`, then for each merge the line `left right`, with one space between
        the two symbols. Every line ends with a line feed, the last one too.

    Raises:
        ValueError: a symbol is empty or holds a space, a line feed or a carriage return.
    """
    raise NotImplementedError


def merges_from_text(text: str) -> list[tuple[str, str]]:
    """Read merges from the text of a merges.txt file.

    Args:
        text: lines that end with a line feed, or with a carriage return and a line feed; the last
            one may have no end. A carriage return stands nowhere else. The first line is a header
            if it begins with `#version`. No other line is one: `# #` is a merge, and so is a second
            line `#version: 0.2`.

    Returns:
        list of (left, right) in the order of the lines; the header and empty lines are left out.
        `merges_from_text(merges_to_text(merges))` is `merges`.

    Raises:
        ValueError: a line is not: a symbol, one space, a symbol. Only U+0020 is a space here; all
            other characters, tabs and no-break spaces too, are part of a symbol. The message begins
            with "line 3:" if the third line of the text is the first such line; all lines are
            counted, the header and empty ones too.
    """
    raise NotImplementedError


def bytes_per_token(texts: list[str], merges: list[tuple[str, str]]) -> float:
    """Return how well merges compress texts.

    Args:
        texts: each is tokenized on its own, without special tokens (see `tokenize`).
        merges: pairs in the order in which they were learned.

    Returns:
        the number of bytes of all texts in UTF-8, divided by the number of all their tokens; 0.0 if
        there are no tokens.
    """
    raise NotImplementedError
