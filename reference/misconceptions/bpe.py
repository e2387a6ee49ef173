"""Wrong programs that students write for the byte-pair encoding exercise, each wrong in one respect.

A class is a namespace: its functions take the place of the functions of the same name in a right program.
"""

import codecs
import re
import unicodedata
from itertools import pairwise

# --- ties (B01, B02) ---------------------------------------------------------------------------------


class tie_smallest_pair:
    """B01. training in which ties go to the alphabetically smallest pair

    With equal counts the pair that is met first in the corpus has to win, whatever its letters are.
    Try a corpus such as ["ba"], where every pair counts 1, with more room than one merge.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = min(counts, key=lambda pair: (-counts[pair], pair))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_largest_pair:
    """B01. training in which ties go to the alphabetically largest pair

    That is the rule of other courses. Here the pair that is met first in the corpus wins: read the
    paragraph on ties in the README.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: (counts[pair], pair))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_last_met:
    """B01. training in which ties go to the pair met last

    Of equally frequent pairs the one met first has to win. Look at what your comparison does when the two
    counts are equal.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            best, top = None, 0
            for pair, count in pair_frequencies(splits, freqs).items():
                if count >= top:
                    best, top = pair, count
            if best is None:
                break
            splits = merge_pair(*best, splits)
            merges.append(best)
            vocab.append(best[0] + best[1])
        return merges, vocab


class tie_lowest_ids:
    """B01. training in which ties go to the pair with the lowest token ids

    The numbers of the tokens have no say in training: of equally frequent pairs the one met first in the
    corpus wins.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        ids = {token: i for i, token in enumerate(vocab)}
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
            ids[a + b] = len(ids)
        return merges, vocab


class tie_oldest_pair:
    """B01. training in which ties go to the pair that has existed for the longest time

    A pair that a merge has just made may stand in an earlier word than one that was there from the start.
    "Met first" is about the words as they are now, at every step anew.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        seen = {}
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            for pair in counts:
                seen.setdefault(pair, len(seen))
            a, b = min(counts, key=lambda pair: (-counts[pair], seen[pair]))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_words_by_frequency:
    """B01. training in which ties are met by scanning the most frequent words first

    The words are to be scanned in the order in which they first occur in the corpus, not by how often
    they occur. It shows when the first word of the corpus is a rare one.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        order = sorted(freqs, key=lambda word: -freqs[word])
        splits = {word: list(word) for word in order}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_largest_joined:
    """B02. training in which ties go to the pair with the largest joined text a + b

    Joining the two halves before comparing them is another rule than that of the README, where the place
    in the corpus decides between equally frequent pairs.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: (counts[pair], pair[0] + pair[1]))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_largest_bytes:
    """B02. training in which ties go to the pair with the largest raw bytes

    Neither the bytes nor their symbols decide a tie: the pair that is met first in the corpus does.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(
                counts,
                key=lambda pair: (counts[pair], [byte_of[c] for c in pair[0]], [byte_of[c] for c in pair[1]]),
            )
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


# --- counting pairs (B03, B05, B09) ------------------------------------------------------------------


class word_frequency_ignored:
    """B03. pair counts that ignore how often a word occurs

    A word that occurs 100 times must count 100 times. Look at what `word_freqs` is for.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for symbols in splits.values():
            for pair in pairwise(symbols):
                counts[pair] = counts.get(pair, 0) + 1
        return counts


class train_ignores_frequency:
    """B03. training in which every distinct word counts once, however often it occurs

    One rare long word then outweighs a frequent short one. Check which frequencies reach the count of the
    pairs during training.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        once = dict.fromkeys(freqs, 1)
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, once)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class overlaps_counted_once:
    """B05. pair counts that leave out overlapping pairs

    ['a', 'a', 'a'] holds ('a', 'a') twice: at the first and at the second place. Only merging must not use
    a symbol twice; counting looks at every place.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, symbols in splits.items():
            last = {}
            for i, pair in enumerate(pairwise(symbols)):
                if last.get(pair) == i - 1:
                    continue
                last[pair] = i
                counts[pair] = counts.get(pair, 0) + word_freqs[word]
        return counts


class pair_once_per_word:
    """X01. pair counts in which a pair counts only once per word

    In "abab" the pair ('a', 'b') stands twice, so it must count twice for each time the word occurs.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, symbols in splits.items():
            for pair in dict.fromkeys(pairwise(symbols)):
                counts[pair] = counts.get(pair, 0) + word_freqs[word]
        return counts


class last_pair_not_counted:
    """X02. pair counts without the last pair of every word

    A word of n symbols has n - 1 pairs; check where your loop over the places ends. A word of two symbols
    shows it.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, symbols in splits.items():
            for i in range(len(symbols) - 2):
                pair = (symbols[i], symbols[i + 1])
                counts[pair] = counts.get(pair, 0) + word_freqs[word]
        return counts


class pair_order_ignored:
    """X03. pair counts that do not tell ('a', 'b') from ('b', 'a')

    A pair has a left and a right symbol, and only "left before right" is merged later. The word "aba" has
    two different pairs.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, symbols in splits.items():
            for left, right in pairwise(symbols):
                pair = (right, left) if (right, left) in counts else (left, right)
                counts[pair] = counts.get(pair, 0) + word_freqs[word]
        return counts


class frequency_replaces_count:
    """X04. pair counts in which a later word overwrites the count of an earlier one

    A pair that stands in several words needs the sum over all of them. Look at what happens to the old
    count when the pair is met again.
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, symbols in splits.items():
            here = {}
            for pair in pairwise(symbols):
                here[pair] = here.get(pair, 0) + word_freqs[word]
            counts.update(here)
        return counts


class pairs_across_words:
    """B09. pair counts that also count the end of a word with the beginning of the next

    The words of `splits` are not neighbours in the text. With {'ab': ['a', 'b'], 'cd': ['c', 'd']} there is
    no pair ('b', 'c').
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        before = None
        for word, symbols in splits.items():
            for symbol in symbols:
                if before is not None:
                    counts[before, symbol] = counts.get((before, symbol), 0) + word_freqs[word]
                before = symbol
        return counts


class train_without_pieces:
    """B09. training on whole texts, without cutting them into pieces first

    Pairs then reach over word boundaries, and tokens such as "aĠb" appear. Try the text "a b a b": its
    pieces are "a", "Ġb", "Ġa" and no merge may join them.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        symbols = byte_symbols()
        freqs = {}
        for text in corpus:
            for part, is_special in split_specials(text, list(specials)):
                if not is_special:
                    word = "".join(symbols[byte] for byte in part.encode())
                    freqs[word] = freqs.get(word, 0) + 1
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tokenize_without_pieces:
    """B09. tokenizing the whole text as one piece

    A merge must not reach from one piece into the next. The text "'st" has the pieces "'s" and "t", so a
    learned ("s", "t") must not be used there; two pieces of whitespace in a row show it, too.
    """

    def tokenize(text, merges):
        symbols = byte_symbols()
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        word = "".join(symbols[byte] for byte in text.encode())
        splits = {word: list(word)}
        while True:
            known = [pair for pair in zip(splits[word], splits[word][1:]) if pair in rank]
            if not known:
                return splits[word]
            splits = merge_pair(*min(known, key=lambda pair: rank[pair]), splits)


# --- merging (B06, B07) ------------------------------------------------------------------------------


class merge_reuses_symbol:
    """B06. a merge that uses the middle symbol of an overlap twice

    ['a', 'a', 'a'] with ('a', 'a') must become ['aa', 'a']. A symbol that is part of a merge is used up; the
    joined symbols must still spell the word.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            out = []
            covered = False
            for i, symbol in enumerate(symbols):
                if i + 1 < len(symbols) and symbol == a and symbols[i + 1] == b:
                    out.append(a + b)
                    covered = True
                else:
                    if not covered:
                        out.append(symbol)
                    covered = False
            result[word] = out
        return result


class tokenize_reuses_symbol:
    """B06. tokenizing in which an overlapping merge uses a symbol twice

    With the merge ("a", "a") the text "aaa" has the tokens "aa", "a". If yours has "aa", "aa", the decoded
    text has a letter too many.
    """

    def tokenize(text, merges):
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = []
        for piece, _ in pre_tokenize(text):
            symbols = list(piece)
            while True:
                known = [pair for pair in pairwise(symbols) if pair in rank]
                if not known:
                    break
                a, b = min(known, key=lambda pair: rank[pair])
                out = []
                covered = False
                for i, symbol in enumerate(symbols):
                    if i + 1 < len(symbols) and symbol == a and symbols[i + 1] == b:
                        out.append(a + b)
                        covered = True
                    else:
                        if not covered:
                            out.append(symbol)
                        covered = False
                symbols = out
            tokens.extend(symbols)
        return tokens


class merge_first_only:
    """B07. a merge of only the first occurrence in each word

    "abab" with ('a', 'b') must become ['ab', 'ab']. Check whether your loop goes on after the first merge.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            result[word] = list(symbols)
            for i in range(len(symbols) - 1):
                if symbols[i] == a and symbols[i + 1] == b:
                    result[word] = [*symbols[:i], a + b, *symbols[i + 2 :]]
                    break
        return result


class tokenize_merges_once:
    """B07. tokenizing that applies each merge only once in a piece

    The piece "abab" holds the pair ("a", "b") twice, and both have to be merged before the next merge has
    its turn.
    """

    def tokenize(text, merges):
        tokens = []
        for piece, _ in pre_tokenize(text):
            symbols = list(piece)
            for a, b in merges:
                for i in range(len(symbols) - 1):
                    if symbols[i] == a and symbols[i + 1] == b:
                        symbols[i : i + 2] = [a + b]
                        break
            tokens.extend(symbols)
        return tokens


class merge_changes_input:
    """X05. a merge that changes the lists it was given

    The docstring asks for new words and leaves `splits` as it is, the lists inside included. Compare the
    input with a deep copy of it after the call.
    """

    def merge_pair(a, b, splits):
        for word in splits:
            symbols = splits[word]
            i = 0
            while i < len(symbols) - 1:
                if symbols[i] == a and symbols[i + 1] == b:
                    symbols[i : i + 2] = [a + b]
                i += 1
        return splits


class merge_drops_other_words:
    """X06. a merge that returns only the words that hold the pair

    Words without the pair stay as they are, but they must be in the result, too.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            out = []
            i = 0
            while i < len(symbols):
                if i + 1 < len(symbols) and symbols[i] == a and symbols[i + 1] == b:
                    out.append(a + b)
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            if len(out) < len(symbols):
                result[word] = out
        return result


class merge_right_to_left:
    """X07. a merge that reads the words from right to left

    It makes a difference where occurrences overlap: ['a', 'a', 'a'] must become ['aa', 'a'], not
    ['a', 'aa'].
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            symbols = list(symbols)
            i = len(symbols) - 2
            while i >= 0:
                if symbols[i] == a and symbols[i + 1] == b:
                    symbols[i : i + 2] = [a + b]
                    i -= 1
                i -= 1
            result[word] = symbols
        return result


class merge_compares_joined:
    """X08. a merge that compares the joined text instead of the two symbols

    'ab' + 'c' and 'a' + 'bc' are the same text but different pairs; only the pair (a, b) itself may be
    merged.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            out = []
            i = 0
            while i < len(symbols):
                if i + 1 < len(symbols) and symbols[i] + symbols[i + 1] == a + b:
                    out.append(a + b)
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            result[word] = out
        return result


class merge_by_text_replace:
    """X09. a merge by replacing text, which also finds the end or the beginning of a longer symbol

    Joined with spaces, ['xa', 'b'] contains "a b", but the pair ('a', 'b') is not in it. A match has to begin
    and end at symbol borders.
    """

    def merge_pair(a, b, splits):
        return {word: " ".join(symbols).replace(a + " " + b, a + b).split() for word, symbols in splits.items()}


class merge_misses_last_pair:
    """X10. a merge that never looks at the last pair of a word

    Check where the loop over the places ends: in a word of two symbols there is one pair to merge.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            out = []
            i = 0
            while i < len(symbols):
                if i + 2 < len(symbols) and symbols[i] == a and symbols[i + 1] == b:
                    out.append(a + b)
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            result[word] = out
        return result


class merge_loses_last_symbol:
    """X11. a merge that loses the last symbol of a word unless it is merged

    ['a', 'b', 'c'] with ('a', 'b') must become ['ab', 'c']: the symbols of the result must still spell the
    word. Look at what becomes of a symbol that has no right neighbour.
    """

    def merge_pair(a, b, splits):
        result = {}
        for word, symbols in splits.items():
            out = []
            i = 0
            while i < len(symbols) - 1:
                if symbols[i] == a and symbols[i + 1] == b:
                    out.append(a + b)
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            result[word] = out
        return result


# --- training (B10, B11, B12, B14) -------------------------------------------------------------------


class specials_not_cut_out:
    """B10. words in which the special tokens are left in the text

    "<|endoftext|>" is then counted as the pieces "<|", "endoftext" and "|>" and gets merges of its own. Cut
    the special tokens out before anything is counted.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            for piece, _ in pre_tokenize(text):
                freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class specials_counted_as_words:
    """X12. words among which the special tokens are counted

    A special token is part of the vocabulary from the start; it must not be counted as a word nor be cut into
    symbols.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            for part, is_special in split_specials(text, specials):
                for piece, _ in [(part, None)] if is_special else pre_tokenize(part):
                    freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class specials_deleted:
    """X13. words in which the texts on both sides of a special token are joined

    "a<|endoftext|>b" has the pieces "a" and "b", not "ab". A special token is a border, so it cannot just be
    deleted.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            rest = "".join(part for part, is_special in split_specials(text, specials) if not is_special)
            for piece, _ in pre_tokenize(rest):
                freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class specials_become_spaces:
    """X14. words in which every special token has become a space

    The text after "<|endoftext|>" gets a leading space that it does not have: "a<|endoftext|>b" has the
    pieces "a" and "b", not "a" and "Ġb".
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            rest = "".join(" " if is_special else part for part, is_special in split_specials(text, specials))
            for piece, _ in pre_tokenize(rest):
                freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class texts_joined:
    """X15. words counted over all texts joined into one

    The last word of one text and the first of the next then become one word: ["ab", "cd"] has the words "ab"
    and "cd". Each text is cut on its own.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for part, is_special in split_specials("".join(corpus), specials):
            if not is_special:
                for piece, _ in pre_tokenize(part):
                    freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class texts_joined_by_space:
    """X16. words counted over all texts joined by spaces

    The first word of a text then has a leading space that is not in the text: the second text of ["ab", "cd"]
    begins with "cd", not with "Ġcd".
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for part, is_special in split_specials(" ".join(corpus), specials):
            if not is_special:
                for piece, _ in pre_tokenize(part):
                    freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class words_sorted:
    """X17. words in alphabetical order instead of the order of first occurrence

    The order of the words decides ties in training. Count in the order in which the pieces are read and do
    not sort afterwards.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            for part, is_special in split_specials(text, specials):
                if not is_special:
                    for piece, _ in pre_tokenize(part):
                        freqs[piece] = freqs.get(piece, 0) + 1
        return dict(sorted(freqs.items()))


class words_by_frequency:
    """X18. words in the order of their frequency instead of the order of first occurrence

    The order of the words decides ties in training. It shows on a corpus whose first word is rarer than a
    later one.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            for part, is_special in split_specials(text, specials):
                if not is_special:
                    for piece, _ in pre_tokenize(part):
                        freqs[piece] = freqs.get(piece, 0) + 1
        return dict(sorted(freqs.items(), key=lambda item: -item[1]))


class words_counted_once_per_text:
    """X19. words that count once per text

    A word that stands twice in one text must count twice. Look at whether a set is used on the way.
    """

    def word_frequencies(corpus, specials):
        freqs = {}
        for text in corpus:
            pieces = []
            for part, is_special in split_specials(text, specials):
                if not is_special:
                    pieces.extend(piece for piece, _ in pre_tokenize(part))
            for piece in dict.fromkeys(pieces):
                freqs[piece] = freqs.get(piece, 0) + 1
        return freqs


class one_merge_too_many:
    """B11. training with one merge too many

    The vocabulary must not have more than vocab_size entries unless special tokens and alphabet alone do. Try
    a vocab_size that is just that sum: nothing may be merged.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) <= vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class one_merge_too_few:
    """B11. training with one merge too few

    As long as there are pairs, the vocabulary must reach vocab_size entries exactly. Count the entries of the
    result.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size - 1:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class always_one_merge:
    """B11. training that merges once before it looks at the size of the vocabulary

    If special tokens and alphabet fill vocab_size already, nothing may be merged. Ask whether there is room
    before the first merge, too.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while True:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
            if len(vocab) >= vocab_size:
                break
        return merges, vocab


class alphabet_of_256:
    """B11. training whose alphabet is all 256 byte symbols

    Here the alphabet holds only the symbols that occur in the words of the corpus, so there is more room for
    merges. The four sentences of the README have 30.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted(byte_symbols().values())]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class merges_counted_from_256:
    """B11. training with vocab_size - 256 merges

    The base of this vocabulary is not 256 bytes but the special tokens and the symbols that occur in the
    corpus. With a vocab_size below 256 there is no merge at all.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(merges) < vocab_size - 256:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class specials_not_in_size:
    """B11. training in which the special tokens do not count for vocab_size

    The vocabulary then has too many entries, one for each special token. They take up room like every other
    entry.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = sorted({s for word in freqs for s in word})
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, [*specials, *vocab]


class size_is_merge_count:
    """B11. training with vocab_size merges

    vocab_size is the number of entries of the whole vocabulary: special tokens, alphabet and merged symbols
    together.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(merges) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class alphabet_not_in_size:
    """B11. training in which only special tokens and merges count for vocab_size

    The alphabet is part of the vocabulary, too. Count the entries of the result on the corpus of the README.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(specials) + len(merges) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class vocabulary_cut:
    """X20. training that cuts the vocabulary to vocab_size even where the alphabet does not fit

    Without its alphabet a vocabulary cannot write every word of the corpus. If special tokens and alphabet
    are more than vocab_size, nothing is merged and nothing is cut.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab[:vocab_size]


class crash_when_no_pair_left:
    """B12. training that crashes when no pair is left to merge

    An empty corpus, the text "a" or a huge vocab_size leave nothing to merge, and training has to end with a
    smaller vocabulary. What is the maximum of nothing?
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class empty_merge_when_no_pair_left:
    """B12. training that fills the vocabulary with empty merges when no pair is left

    When every word is a single symbol there is nothing to merge: the vocabulary stays smaller than
    vocab_size. Look at what your search for the best pair returns when there is no pair.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            a, b = max(counts, key=lambda pair: counts[pair], default=("", ""))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class stops_at_count_one:
    """X21. training that stops when the most frequent pair occurs only once

    A pair that occurs once is merged, too, as long as the vocabulary has room. Train on ["abc"] with a large
    vocab_size.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts or max(counts.values()) < 2:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class all_top_pairs_per_round:
    """B14. training that merges all equally frequent pairs in one round

    After each merge the counts are others: in "abc" the pairs (a, b) and (b, c) cannot both be merged. Merge
    one pair, then count again.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            top = max(counts.values())
            for a, b in [pair for pair in counts if counts[pair] == top]:
                if len(vocab) < vocab_size:
                    splits = merge_pair(a, b, splits)
                    merges.append((a, b))
                    vocab.append(a + b)
        return merges, vocab


class two_pairs_per_round:
    """B14. training that merges the two most frequent pairs before it counts again

    The first merge changes the count of the second pair. Merge one pair, then count again.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            for a, b in sorted(counts, key=lambda pair: -counts[pair])[:2]:
                if len(vocab) < vocab_size:
                    splits = merge_pair(a, b, splits)
                    merges.append((a, b))
                    vocab.append(a + b)
        return merges, vocab


class pairs_counted_only_once:
    """B14. training that counts the pairs once and then merges them in that order

    New symbols make new pairs, and old pairs disappear: no merge of a merged symbol can be learned this way.
    Count again after every merge.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        counts = pair_frequencies(splits, freqs)
        merges = sorted(counts, key=lambda pair: -counts[pair])[: max(0, vocab_size - len(vocab))]
        return merges, [*vocab, *(a + b for a, b in merges)]


class merge_result_not_kept:
    """X22. training that does not keep the result of a merge

    The same pair is then the most frequent one again and again. `merge_pair` returns new words and leaves the
    old ones as they are.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        counts = pair_frequencies(splits, freqs)
        while len(vocab) < vocab_size and counts:
            a, b = max(counts, key=lambda pair: counts[pair])
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class tie_longest_pair:
    """B01. training in which ties go to the pair that gives the longest symbol

    Length has no say: of equally frequent pairs the one met first in the corpus is merged.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: (counts[pair], len(pair[0]) + len(pair[1])))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class count_times_length:
    """X23. training that weighs the count of a pair by the length of the merged symbol

    The most frequent pair is merged, whether its symbols are short or long.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair] * len(pair[0] + pair[1]))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class wordpiece_score:
    """X24. training that divides the count of a pair by the counts of its two symbols

    That is the score of WordPiece. Byte-pair encoding merges the pair with the highest count.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            single = {}
            for word, symbols in splits.items():
                for symbol in symbols:
                    single[symbol] = single.get(symbol, 0) + freqs[word]
            a, b = max(counts, key=lambda pair: counts[pair] / (single[pair[0]] * single[pair[1]]))
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class alphabet_with_specials:
    """X27. a vocabulary whose alphabet has the symbols of the special tokens, too

    A special token is one entry and is never cut, so its "<" and "|" belong to the alphabet only if they
    occur elsewhere in the corpus.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        symbols = byte_symbols()
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({symbols[byte] for byte in "".join(corpus).encode()})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class alphabet_of_plain_text:
    """X28. a vocabulary whose alphabet has plain characters instead of byte symbols

    Words are written in byte symbols, so the vocabulary must have 'Ġ', not ' ', and two symbols for the two
    bytes of 'é'.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        plain = {
            c for text in corpus for part, special in split_specials(text, list(specials)) if not special for c in part
        }
        vocab = [*specials, *sorted(plain)]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class specials_not_in_vocabulary:
    """X29. a vocabulary without the special tokens

    Special tokens have ids like all others, so they must stand in the vocabulary. They only take no part in
    counting and merging.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = sorted({s for word in freqs for s in word})
        merges = []
        while len(vocab) + len(specials) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class specials_only_if_used:
    """X30. a vocabulary with only those special tokens that occur in the corpus

    All special tokens are part of the vocabulary, also those that the corpus does not use.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        used = {part for text in corpus for part, special in split_specials(text, list(specials)) if special}
        vocab = [*(s for s in specials if s in used), *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class default_special_fixed:
    """X31. training that always uses <|endoftext|> as its special token

    The special tokens are given by the caller. Train with other ones, or with none.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, ["<|endoftext|>"])
        splits = {word: list(word) for word in freqs}
        vocab = ["<|endoftext|>", *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class vocabulary_of_last_symbols:
    """X32. a vocabulary with only the symbols that are left at the end of training

    A symbol that has been merged away everywhere is still needed for new texts. The vocabulary keeps the
    alphabet and every merge.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        size = len(specials) + len({s for word in freqs for s in word})
        merges = []
        while size + len(merges) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
        left = {symbol for symbols in splits.values() for symbol in symbols}
        alphabet = sorted({s for word in freqs for s in word if s in left})
        return merges, [*specials, *alphabet, *(a + b for a, b in merges if a + b in left)]


class vocabulary_with_duplicates:
    """X33. a vocabulary in which a byte symbol stands once for every word that has it

    Every symbol of the alphabet must stand in the vocabulary once. Entries that stand twice also take away
    the room for merges.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted(s for word in freqs for s in set(word))]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class train_keeps_every_occurrence:
    """X34. training that goes through every occurrence of every word for each merge (cost)

    The result is right, but a corpus of twice the length makes each merge cost twice the work. Count each
    distinct word once and handle it once per merge.
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        words = []
        for text in corpus:
            for part, is_special in split_specials(text, list(specials)):
                if not is_special:
                    words.extend(list(piece) for piece, _ in pre_tokenize(part))
        vocab = [*specials, *sorted({s for word in words for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = {}
            for symbols in words:
                for pair in pairwise(symbols):
                    counts[pair] = counts.get(pair, 0) + 1
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            for symbols in words:
                i = 0
                while i < len(symbols) - 1:
                    if symbols[i] == a and symbols[i + 1] == b:
                        symbols[i : i + 2] = [a + b]
                    i += 1
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


class train_counts_words_again:
    """X35. training that cuts and counts the whole corpus again for each merge (cost)

    The result is right, but the words of a corpus do not change during training. What has to be done once
    only?
    """

    def train(corpus, vocab_size, specials=("<|endoftext|>",)):
        vocab = [*specials, *sorted({s for word in word_frequencies(corpus, list(specials)) for s in word})]
        splits = {}
        merges = []
        while len(vocab) < vocab_size:
            freqs = word_frequencies(corpus, list(specials))
            splits = splits or {word: list(word) for word in freqs}
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab


# --- tokenizing (B15, B16, B21) ----------------------------------------------------------------------


class longest_token_first:
    """B15. tokenizing by the longest known token at each place instead of by the merges

    A long token can be in the vocabulary and still not be reached, because an earlier merge has used up one
    of its symbols. Replay the merges in the order in which they were learned.
    """

    def tokenize(text, merges):
        known = {a + b for a, b in merges}
        tokens = []
        for piece, _ in pre_tokenize(text):
            start = 0
            while start < len(piece):
                end = len(piece)
                while end > start + 1 and piece[start:end] not in known:
                    end -= 1
                tokens.append(piece[start:end])
                start = end
        return tokens


class leftmost_pair_first:
    """B16. tokenizing that merges the leftmost known pair instead of the one learned earliest

    With the merges (b, c), (a, b) the text "abc" has the tokens "a", "bc", although (a, b) stands further
    left. Compare when the pairs were learned.
    """

    def tokenize(text, merges):
        known = {(a, b) for a, b in merges}
        tokens = []
        for piece, _ in pre_tokenize(text):
            symbols = list(piece)
            i = 0
            while i < len(symbols) - 1:
                if (symbols[i], symbols[i + 1]) in known:
                    symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
                    i = 0
                else:
                    i += 1
            tokens.extend(symbols)
        return tokens


class single_pass_left_to_right:
    """B16. tokenizing in one pass from left to right that lets each symbol grow as far as it can

    The pair learned earliest comes first, wherever it stands in the piece. Pairs further right may have to be
    merged before those on the left.
    """

    def tokenize(text, merges):
        known = {(a, b) for a, b in merges}
        tokens = []
        for piece, _ in pre_tokenize(text):
            current = piece[0]
            for symbol in piece[1:]:
                if (current, symbol) in known:
                    current += symbol
                else:
                    tokens.append(current)
                    current = symbol
            tokens.append(current)
        return tokens


class latest_merge_first:
    """B16. tokenizing that merges the pair learned last before the one learned first

    A low rank means "learned early", and early merges come first. With the merges (b, c), (a, b) the text
    "abc" has the tokens "a", "bc".
    """

    def tokenize(text, merges):
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = []
        for piece, _ in pre_tokenize(text):
            splits = {piece: list(piece)}
            while True:
                known = [pair for pair in zip(splits[piece], splits[piece][1:]) if pair in rank]
                if not known:
                    break
                splits = merge_pair(*max(known, key=lambda pair: rank[pair]), splits)
            tokens.extend(splits[piece])
        return tokens


class most_frequent_pair_first:
    """X36. tokenizing that merges the pair most frequent in the piece first

    Frequencies belong to training. For a new text only the order in which the merges were learned counts.
    """

    def tokenize(text, merges):
        known = {(a, b) for a, b in merges}
        tokens = []
        for piece, _ in pre_tokenize(text):
            splits = {piece: list(piece)}
            while True:
                counts = pair_frequencies(splits, {piece: 1})
                counts = {pair: n for pair, n in counts.items() if pair in known}
                if not counts:
                    break
                splits = merge_pair(*max(counts, key=lambda pair: counts[pair]), splits)
            tokens.extend(splits[piece])
        return tokens


class tokenize_stops_after_one:
    """X37. tokenizing that merges only one pair in each piece

    Merging goes on as long as one of the neighbouring pairs is among the merges: merged symbols make new
    pairs.
    """

    def tokenize(text, merges):
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = []
        for piece, _ in pre_tokenize(text):
            splits = {piece: list(piece)}
            known = [pair for pair in zip(splits[piece], splits[piece][1:]) if pair in rank]
            if known:
                splits = merge_pair(*min(known, key=lambda pair: rank[pair]), splits)
            tokens.extend(splits[piece])
        return tokens


class tokenize_stops_at_gap:
    """X38. tokenizing that stops at the first learned pair that the piece does not have

    A merge that does not occur in the piece is passed over; later ones may still occur. With the merges
    (x, y), (a, b) the text "ab" is one token.
    """

    def tokenize(text, merges):
        tokens = []
        for piece, _ in pre_tokenize(text):
            splits = {piece: list(piece)}
            for a, b in merges:
                before = splits
                splits = merge_pair(a, b, splits)
                if splits == before:
                    break
            tokens.extend(splits[piece])
        return tokens


class unseen_symbols_dropped:
    """B21. tokenizing that drops symbols which occur in no merge

    A symbol that was never merged is still a token by itself: the tokens joined must spell the whole text.
    """

    def tokenize(text, merges):
        known = {symbol for a, b in merges for symbol in a + b}
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = []
        for piece, _ in pre_tokenize(text):
            splits = {piece: list(piece)}
            while True:
                pairs = [pair for pair in zip(splits[piece], splits[piece][1:]) if pair in rank]
                if not pairs:
                    break
                splits = merge_pair(*min(pairs, key=lambda pair: rank[pair]), splits)
            tokens.extend(token for token in splits[piece] if len(token) > 1 or token in known)
        return tokens


class code_point_as_byte:
    """B21. pieces that look up the code point of a character instead of its bytes

    Characters above U+00FF then have no symbol, and 'é' gets one symbol although it has two bytes in UTF-8.
    Encode the text before you look up the bytes.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[ord(c)] for c in m.group()), m.span()) for m in re.finditer(pattern, text)]


class unknown_becomes_question_mark:
    """B21. pieces in which characters outside ASCII have become question marks

    A byte-level tokenizer knows every character, because it knows all 256 bytes. Use the bytes of UTF-8 and
    lose none.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [
            ("".join(symbols[b] for b in m.group().encode("ascii", errors="replace")), m.span())
            for m in re.finditer(pattern, text)
        ]


# --- byte symbols ------------------------------------------------------------------------------------


class symbols_256_plus_byte:
    """X39. byte symbols in which a moved byte b becomes chr(256 + b)

    For bytes 0 to 32 it looks right, but the other bytes are counted on without a gap: byte 127 is the 34th
    of them and becomes chr(289).
    """

    def byte_symbols():
        kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
        return {b: chr(b) if b in kept else chr(256 + b) for b in range(256)}


class symbols_start_at_257:
    """X40. byte symbols in which the first moved byte becomes chr(257)

    The numbering of the 68 other bytes begins with chr(256) for byte 0. Check that the space becomes 'Ġ'.
    """

    def byte_symbols():
        table = {}
        moved = 0
        for b in range(256):
            if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b:
                table[b] = chr(b)
            else:
                moved += 1
                table[b] = chr(256 + moved)
        return table


class soft_hyphen_kept:
    """X41. byte symbols in which byte 173 keeps its character

    U+00AD is the soft hyphen, which is not printed, so byte 173 is one of the 68 bytes that get another
    symbol.
    """

    def byte_symbols():
        table = {}
        moved = 0
        for b in range(256):
            if 33 <= b <= 126 or 161 <= b:
                table[b] = chr(b)
            else:
                table[b] = chr(256 + moved)
                moved += 1
        return table


class no_break_space_kept:
    """X42. byte symbols in which byte 160 keeps its character

    U+00A0 is the no-break space and cannot be seen. The ranges in the docstring begin at 161.
    """

    def byte_symbols():
        table = {}
        moved = 0
        for b in range(256):
            if 33 <= b <= 126 or 160 <= b <= 172 or 174 <= b:
                table[b] = chr(b)
            else:
                table[b] = chr(256 + moved)
                moved += 1
        return table


class ranges_without_their_ends:
    """X43. byte symbols whose ranges leave out their last byte

    126, 172 and 255 keep their characters, too. Python's range does not include its end.
    """

    def byte_symbols():
        kept = {*range(33, 126), *range(161, 172), *range(174, 255)}
        table = {}
        moved = 0
        for b in range(256):
            table[b] = chr(b) if b in kept else chr(256 + moved)
            moved += b not in kept
        return table


class only_ascii_kept:
    """X44. byte symbols in which only the printable ASCII bytes keep their characters

    161 to 172 and 174 to 255 have printable Latin-1 characters and keep them as well; 68 bytes are moved, not
    162.
    """

    def byte_symbols():
        table = {}
        moved = 0
        for b in range(256):
            if 33 <= b <= 126:
                table[b] = chr(b)
            else:
                table[b] = chr(256 + moved)
                moved += 1
        return table


class space_keeps_itself:
    """X45. byte symbols in which the space stays a space

    Tokens are to be printed and compared, so the space becomes 'Ġ'. The first byte that keeps its character
    is 33.
    """

    def byte_symbols():
        table = {}
        moved = 0
        for b in range(256):
            if 32 <= b <= 126 or 161 <= b <= 172 or 174 <= b:
                table[b] = chr(b)
            else:
                table[b] = chr(256 + moved)
                moved += 1
        return table


class latin1_unchanged:
    """X46. byte symbols that are the 256 characters of Latin-1

    Many of these cannot be printed, and the space is still a space. 68 of the 256 bytes get a symbol from
    chr(256) on.
    """

    def byte_symbols():
        return {b: chr(b) for b in range(256)}


# --- pieces (B18, B19) -------------------------------------------------------------------------------


class spaces_lost:
    """B18. pieces without the spaces between them

    The pieces must cover the text without a gap: the space before a word belongs to it as 'Ġ', and all other
    whitespace is in a piece, too. Try "a  b".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)|[^\W\d_]+|\d+|(?:[^\s\w]|_)+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class whitespace_collapsed:
    """B18. pieces in which every run of whitespace has become one space

    "a  b" has two spaces and "a\\nb" a line feed, and decoding has to bring them back. Splitting at
    whitespace forgets them.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+"
        squeezed = " ".join(text.split())
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, squeezed)]


class spaces_doubled:
    """B18. pieces in which the space before a word stands twice, by itself and in the word

    "a b" has the pieces "a" and "Ġb". A space that belongs to the next word is no piece of its own; the
    pieces joined must give the text.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = []
        for m in re.finditer(pattern, text):
            if m.group()[0] == " " and len(m.group().strip()) > 0:
                pieces.append((symbols[32], (m.start(), m.start() + 1)))
            pieces.append(("".join(symbols[b] for b in m.group().encode()), m.span()))
        return pieces


class space_always_added:
    """B18. pieces in which the first word always gets a leading space

    "Hello" at the beginning of a text is "Hello", not "ĠHello": only a space that stands in the text is
    written. Decoding would bring back one space too many.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]
        if pieces and not text[0].isspace():
            pieces[0] = (symbols[32] + pieces[0][0], pieces[0][1])
        return pieces


class space_after_word:
    """B18. pieces in which a space belongs to the word before it

    "a b" has the pieces "a" and "Ġb": the optional space stands at the beginning of a piece, not at its end.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll) ?|[^\W\d_]+ ?|\d+ ?|(?:[^\s\w]|_)+ ?|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class space_own_piece:
    """B18. pieces in which a space never belongs to the word after it

    One space before a word is part of the word's piece: "a b" has the pieces "a" and "Ġb", not "a", "Ġ", "b".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)|[^\W\d_]+|\d+|(?:[^\s\w]|_)+|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class whitespace_taken_whole:
    """B18. pieces in which a run of whitespace keeps its last space, though a word follows

    Of the two spaces in "a  b" the second belongs to the b. Rule 5 of the README leaves the last character of
    the run to what follows.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class whitespace_one_by_one:
    """B18. pieces in which every whitespace character stands alone

    "a   b" has three spaces: the first two are one piece, the third belongs to the b. Whitespace is taken as
    a run.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class word_takes_all_spaces:
    """B18. pieces in which a word takes all the spaces before it

    In "a  b" only one of the two spaces belongs to the b; the first is a piece of its own. The space in rules
    2 to 4 is a single one.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| *[^\W\d_]+| *\d+| *(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class any_whitespace_before_word:
    """B18. pieces in which a line feed or tab belongs to the word after it

    Only a space (U+0020) may stand at the beginning of a word's piece. "a\\nb" has three pieces.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)|\s?[^\W\d_]+|\s?\d+|\s?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class space_only_before_letters:
    """B18. pieces in which a space belongs to a following word, but not to a number or sign

    Rules 3 and 4 have the optional space, too: "a 1" has the pieces "a" and "Ġ1", and "a !" has "a" and "Ġ!".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+|\d+|(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class only_ascii_whitespace:
    """X47. pieces in which only ASCII whitespace counts as whitespace

    U+00A0 and U+3000 are whitespace, too: it is what str.isspace says.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = (
            r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^ \t\n\r\f\v\w]|_)+"
            r"|[ \t\n\r\f\v]+(?![^ \t\n\r\f\v])|[ \t\n\r\f\v]+"
        )
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class text_stripped:
    """X48. pieces of the text without its whitespace at the beginning and the end

    Also the whitespace at both ends is part of the text and has its pieces. Try " a ".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text.strip())]


class text_lowercased:
    """X49. pieces of the text in lower case

    GPT-2 keeps capital letters; the decoded text has to be the text that was encoded.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().lower().encode()), m.span()) for m in re.finditer(pattern, text)]


class text_normalized:
    """X50. pieces of the text after a Unicode normalization

    "e" followed by U+0301 and "é" look alike but are different texts, and both have to come back from
    decoding. The bytes of the text are taken as they are.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        text = unicodedata.normalize("NFC", text)
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class characters_not_bytes:
    """B19. pieces in characters instead of bytes, with only the space replaced

    'é' has two bytes in UTF-8, so its piece has two symbols, and an emoji has four. Otherwise characters that
    the corpus does not have cannot be written.
    """

    def pre_tokenize(text):
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [(m.group().replace(" ", "Ġ").replace("\n", "Ċ"), m.span()) for m in re.finditer(pattern, text)]


class pieces_in_plain_text:
    """X51. pieces in plain text instead of byte symbols

    The piece of " how" is "Ġhow". What stands in the text follows from the place; the piece itself is written
    in byte symbols.
    """

    def pre_tokenize(text):
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [(m.group(), m.span()) for m in re.finditer(pattern, text)]


class places_in_bytes:
    """X52. pieces whose places are counted in bytes

    start and end are for text[start:end], so they count characters. After an "é" the two differ.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = []
        start = 0
        for m in re.finditer(pattern, text):
            raw = m.group().encode()
            pieces.append(("".join(symbols[b] for b in raw), (start, start + len(raw))))
            start += len(raw)
        return pieces


class places_without_space:
    """X53. pieces whose places leave out the leading space

    text[start:end] must be all that the piece stands for, and "Ġhow" stands for " how". The pieces cover the
    text without a gap.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = []
        for m in re.finditer(pattern, text):
            start, end = m.span()
            if m.group()[0] == " " and end - start > 1 and not m.group().isspace():
                start += 1
            pieces.append(("".join(symbols[b] for b in m.group().encode()), (start, end)))
        return pieces


class places_end_included:
    """X54. pieces whose places end at the last character instead of after it

    text[start:end] does not include the character at end, so "Hello" at the beginning is (0, 5).
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [
            ("".join(symbols[b] for b in m.group().encode()), (m.start(), m.end() - 1))
            for m in re.finditer(pattern, text)
        ]


class places_of_first_occurrence:
    """X55. pieces whose places are those of their first occurrence in the text

    In "a,b," the comma stands twice, at 1 and at 3. Searching for a piece from the beginning of the text
    finds the first one every time.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = []
        for piece in re.findall(pattern, text):
            start = text.index(piece)
            pieces.append(("".join(symbols[b] for b in piece.encode()), (start, start + len(piece))))
        return pieces


class places_from_symbols:
    """X56. pieces whose places count the symbols of the piece instead of the characters of the text

    A character of several bytes has several symbols, so the end of its piece comes too late. Each piece
    begins where it should, which hides it at first.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = []
        for m in re.finditer(pattern, text):
            piece = "".join(symbols[b] for b in m.group().encode())
            pieces.append((piece, (m.start(), m.start() + len(piece))))
        return pieces


class short_forms_ignored:
    """X57. pieces without the rule for English short forms

    "it's" has the pieces "it" and "'s". Without rule 1 the apostrophe becomes a piece of its own.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class short_forms_any_case:
    """X58. pieces that take short forms in capital letters, too

    Rule 1 has only lower case: in "IT'S" the apostrophe is a piece of its own, followed by "S".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"(?i:'(?:[stmd]|re|ve|ll))| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class short_forms_curly:
    """X59. pieces that take short forms with a curly apostrophe, too

    Rule 1 has only the straight apostrophe (U+0027). U+2019 is neither letter nor number, so rule 4 takes it.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"['\u2019](?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class short_forms_whole_words:
    """X60. pieces that take a short form only where the word ends after it

    Rule 1 does not look at what follows: "'section" has the pieces "'s" and "ection".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)(?!\w)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class short_forms_single_letter:
    """X61. pieces that know only the short forms of one letter

    'll, 're and 've have two letters: "we're" has the pieces "we" and "'re".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'[stmd]| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class apostrophe_in_word:
    """X62. pieces in which an apostrophe belongs to the word

    "don't" has the pieces "don" and "'t", and "o'clock" has "o", "'" and "clock". An apostrophe is no letter.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r" ?[^\W\d_]+(?:'[^\W\d_]+)*| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class underscore_is_letter:
    """X63. pieces in which the underscore counts as a letter

    "_" is neither letter nor number, so "a_b" has three pieces. Look up what \\w stands for.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d]+| ?\d+| ?[^\s\w]+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class underscore_lost:
    """X64. pieces in which the underscore is lost

    It is no letter and no number, so it belongs to rule 4. A class that excludes \\w excludes the underscore,
    too, and then no rule takes it.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class letters_with_digits:
    """X65. pieces in which letters and digits stand together

    "ab12" has two pieces, "ab" and "12": letters and numbers have different rules.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W_]+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class only_ascii_letters:
    """X66. pieces in which only a to z and A to Z are letters

    "é" and "ж" are letters, too (Unicode categories L*): "café" is one piece.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z\d]+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class digits_one_by_one:
    """X67. pieces in which every digit stands alone

    A run of numbers is one piece: "2019" is not cut. Later models cut numbers, GPT-2 does not.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class digits_by_three:
    """X68. pieces in which a number has at most three digits

    That is the rule of GPT-4. Here a run of numbers is one piece, however long: try "12345".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d{1,3}| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class signs_one_by_one:
    """X69. pieces in which every sign stands alone

    Rule 4 takes one or more: "?!" is one piece, and so is "...".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)|\s+(?!\S)|\s+"
        return [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]


class empty_text_has_piece:
    """X70. pieces of which the empty text has one, an empty one

    The empty text has no piece: the list is empty.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        pieces = [("".join(symbols[b] for b in m.group().encode()), m.span()) for m in re.finditer(pattern, text)]
        return pieces or [("", (0, 0))]


# --- special tokens (B20) ----------------------------------------------------------------------------


class specials_in_given_order:
    """B20. a text cut at the first special token of the list that fits, not at the longest

    With ["<|e|>", "<|e|><|e|>"] the text "<|e|><|e|>" is one special token. The order of the list must not
    matter.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        parts = re.split("(" + "|".join(re.escape(s) for s in specials) + ")", text)
        return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


class specials_shortest_first:
    """B20. a text cut at the shortest special token that fits

    Where several special tokens begin at the same character, the longest is taken. Check the direction of
    your sort.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        shortest_first = sorted(specials, key=len)
        parts = re.split("(" + "|".join(re.escape(s) for s in shortest_first) + ")", text)
        return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


class specials_longest_anywhere:
    """B20. a text cut at the longest special token first, wherever it stands

    The text is read from left to right: with ["ab", "bcd"] the text "abcd" is "ab", "cd". The longest wins
    only among those that begin at the same character.
    """

    def split_specials(text, specials):
        parts = [(text, False)]
        for special in sorted(specials, key=len, reverse=True):
            cut = []
            for part, is_special in parts:
                if is_special:
                    cut.append((part, True))
                    continue
                rest = part.split(special)
                cut.append((rest[0], False))
                for ordinary in rest[1:]:
                    cut += [(special, True), (ordinary, False)]
            parts = cut
        return [(part, is_special) for part, is_special in parts if part]


class specials_not_escaped:
    """X71. a text cut by special tokens that are read as a regular expression

    In a regular expression "<|endoftext|>" means "<" or "endoftext" or ">". The signs of a special token
    stand for themselves.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("(" + "|".join(longest_first) + ")", text)
        return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


class empty_parts_kept:
    """X72. a text cut at special tokens with empty parts left in

    Between two special tokens in a row, and before one at the beginning, there is no part. The empty text has
    none at all.
    """

    def split_specials(text, specials):
        if not specials:
            return [(text, False)]
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("(" + "|".join(re.escape(s) for s in longest_first) + ")", text)
        return [(part, i % 2 == 1) for i, part in enumerate(parts)]


class specials_missing_in_parts:
    """X73. a text cut at special tokens with the special tokens left out

    The parts joined must give the text, so the special tokens are parts, too.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("|".join(re.escape(s) for s in longest_first), text)
        return [(part, False) for part in parts if part]


class only_first_special_cut:
    """X74. a text cut at its first special token only

    Also the text after a special token can contain one. Go on until the end of the text.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("(" + "|".join(re.escape(s) for s in longest_first) + ")", text, maxsplit=1)
        return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


class parts_stripped:
    """X75. a text cut at special tokens with the whitespace around them removed

    The parts joined must give the text: the space in "a <|endoftext|>" belongs to the first part.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("(" + "|".join(re.escape(s) for s in longest_first) + ")", text)
        cut = [(part if i % 2 else part.strip(), i % 2 == 1) for i, part in enumerate(parts)]
        return [(part, is_special) for part, is_special in cut if part]


class specials_any_case:
    """X76. a text cut at special tokens in any case of letters

    "<|ENDOFTEXT|>" is ordinary text: a special token is found only as it is written in the list.
    """

    def split_specials(text, specials):
        if not text or not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        pattern = "(" + "|".join(re.escape(s) for s in longest_first) + ")"
        parts = re.split(pattern, text, flags=re.IGNORECASE)
        return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


# --- encoding and decoding (B19) ---------------------------------------------------------------------


class encode_ignores_specials:
    """X77. encoding that treats special tokens as ordinary text

    "<|endoftext|>" in the text must become one id. Cut the text at its special tokens before you tokenize.
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        return [ids[token] for token in tokenize(text, merges)]


class encode_drops_specials:
    """X78. encoding that leaves out the special tokens

    A special token in the text has an id of its own, and it must be in the result.
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        result = []
        for part, is_special in split_specials(text, specials):
            if not is_special:
                result.extend(ids[token] for token in tokenize(part, merges))
        return result


class encode_assumes_order:
    """X79. encoding with ids counted as special tokens, bytes, merges, whatever the vocabulary says

    The vocabulary may be in any order: entry number i is the token with id i. Look the ids up in `vocab`.
    """

    def encode(text, merges, vocab, specials):
        order = [*specials, *sorted(byte_symbols().values()), *(a + b for a, b in merges)]
        ids = {token: i for i, token in enumerate(order)}
        result = []
        for part, is_special in split_specials(text, specials):
            tokens = [part] if is_special else tokenize(part, merges)
            result.extend(ids[token] for token in tokens)
        return result


class encode_sorts_vocabulary:
    """X80. encoding with ids from the sorted vocabulary

    The id of a token is its place in `vocab` as it is given, not after sorting.
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(sorted(set(vocab)))}
        result = []
        for part, is_special in split_specials(text, specials):
            tokens = [part] if is_special else tokenize(part, merges)
            result.extend(ids[token] for token in tokens)
        return result


class encode_ids_from_one:
    """X81. encoding with ids that begin at 1

    The first entry of the vocabulary has the id 0.
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab, start=1)}
        result = []
        for part, is_special in split_specials(text, specials):
            tokens = [part] if is_special else tokenize(part, merges)
            result.extend(ids[token] for token in tokens)
        return result


class encode_without_merges:
    """X82. encoding that writes single byte symbols and never merges

    The ids are those of the tokens that `tokenize` gives; with the merge ("a", "b") the text "ab" has one id.
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        result = []
        for part, is_special in split_specials(text, specials):
            tokens = [part] if is_special else [symbol for piece, _ in pre_tokenize(part) for symbol in piece]
            result.extend(ids[token] for token in tokens)
        return result


class encode_restarts_after_merge:
    """X83. encoding that searches the whole text again after every single merge (cost)

    The result is right, but a text of four times the words takes sixteen times the work. The words have
    nothing to do with each other: finish one before you begin the next.
    """

    def tokenize(text, merges):
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = [(number, s) for number, (piece, _) in enumerate(pre_tokenize(text)) for s in piece]
        while True:
            best = None
            for i in range(len(tokens) - 1):
                if tokens[i][0] == tokens[i + 1][0]:
                    r = rank.get((tokens[i][1], tokens[i + 1][1]))
                    if r is not None and (best is None or r < best[0]):
                        best = (r, i)
            if best is None:
                return [symbol for _, symbol in tokens]
            i = best[1]
            tokens[i : i + 2] = [(tokens[i][0], tokens[i][1] + tokens[i + 1][1])]

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        result = []
        for part, is_special in split_specials(text, specials):
            result.extend(ids[token] for token in ([part] if is_special else tokenize(part, merges)))
        return result


class encode_cuts_text_again:
    """X84. encoding that cuts the whole text into pieces again for every piece (cost)

    The result is right, but a text of four times the words takes sixteen times the work. Look at which calls
    stand inside the loop.
    """

    def tokenize(text, merges):
        rank = {(a, b): i for i, (a, b) in enumerate(merges)}
        tokens = []
        number = 0
        while number < len(pre_tokenize(text)):
            piece = pre_tokenize(text)[number][0]
            splits = {piece: list(piece)}
            while True:
                known = [pair for pair in zip(splits[piece], splits[piece][1:]) if pair in rank]
                if not known:
                    break
                splits = merge_pair(*min(known, key=lambda pair: rank[pair]), splits)
            tokens.extend(splits[piece])
            number += 1
        return tokens

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        result = []
        for part, is_special in split_specials(text, specials):
            result.extend(ids[token] for token in ([part] if is_special else tokenize(part, merges)))
        return result


class decode_token_by_token:
    """B19. decoding that reads the bytes of each token by themselves

    A character of several bytes can be spread over several tokens: "é" without merges is two tokens and comes
    back as two U+FFFD. Join the bytes before you read them as UTF-8.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        for i in ids:
            if vocab[i] in specials:
                text += vocab[i]
            else:
                text += bytes(byte_of[symbol] for symbol in vocab[i]).decode("utf-8", errors="replace")
        return text


class decode_strict:
    """B19. decoding that crashes on bytes that are no valid UTF-8

    A model may produce any list of ids, also half a character. Such bytes become U+FFFD; `bytes.decode` can
    be told what to do with them.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        run = b""
        for i in ids:
            if vocab[i] in specials:
                text += run.decode("utf-8") + vocab[i]
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in vocab[i])
        return text + run.decode("utf-8")


class decode_drops_broken_bytes:
    """X85. decoding that leaves out bytes that are no valid UTF-8

    Nothing may disappear without a trace: such bytes become U+FFFD.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        run = b""
        for i in ids:
            if vocab[i] in specials:
                text += run.decode("utf-8", errors="ignore") + vocab[i]
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in vocab[i])
        return text + run.decode("utf-8", errors="ignore")


class decode_escapes_broken_bytes:
    """X86. decoding that writes bytes that are no valid UTF-8 as \\x escapes

    Such bytes become U+FFFD, as bytes.decode(errors="replace") does.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        run = b""
        for i in ids:
            if vocab[i] in specials:
                text += run.decode("utf-8", errors="backslashreplace") + vocab[i]
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in vocab[i])
        return text + run.decode("utf-8", errors="backslashreplace")


class decode_as_latin1:
    """X87. decoding in which every byte becomes a character of its own

    "é" comes back as two characters. The bytes are UTF-8, in which a character may have up to four.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        return "".join(
            vocab[i] if vocab[i] in specials else "".join(chr(byte_of[symbol]) for symbol in vocab[i]) for i in ids
        )


class decode_only_spaces_back:
    """X88. decoding that joins the tokens and turns only 'Ġ' and 'Ċ' back

    All 256 symbols stand for bytes: also a tab, and every letter outside ASCII. Turn each symbol into its
    byte and read the bytes as UTF-8.
    """

    def decode(ids, vocab, specials):
        return "".join(vocab[i] if vocab[i] in specials else vocab[i].replace("Ġ", " ").replace("Ċ", "\n") for i in ids)


class decode_special_as_symbols:
    """X89. decoding that reads a special token as byte symbols

    A special token stands for its own text. It goes wrong as soon as one has a space or a letter outside
    ASCII, such as "<é>".
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        raw = b"".join(bytes(byte_of[symbol] for symbol in vocab[i]) for i in ids)
        return raw.decode("utf-8", errors="replace")


class decode_drops_specials:
    """X90. decoding that leaves out the special tokens

    The id of a special token stands for the special token's own text, and encoding followed by decoding must
    give the same text.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        run = b""
        for i in ids:
            if vocab[i] in specials:
                text += run.decode("utf-8", errors="replace")
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in vocab[i])
        return text + run.decode("utf-8", errors="replace")


class decode_run_over_special:
    """X91. decoding in which a special token does not end a run of bytes

    With half of an "é" before a special token and the other half after it, both halves are broken. They must
    not become one character.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        text = ""
        for i in ids:
            if vocab[i] in specials:
                text += vocab[i]
            else:
                text += decoder.decode(bytes(byte_of[symbol] for symbol in vocab[i]))
        return text + decoder.decode(b"", final=True)


class decode_strips_text:
    """X92. decoding that removes the space at the beginning of the text

    A space at the beginning was in the text and has to come back. No word has a space that the text does not
    have.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text = ""
        run = b""
        for i in ids:
            if vocab[i] in specials:
                text += run.decode("utf-8", errors="replace") + vocab[i]
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in vocab[i])
        return (text + run.decode("utf-8", errors="replace")).lstrip()


class decode_joins_with_spaces:
    """X93. decoding that puts a space between the tokens

    The spaces are in the tokens already, as 'Ġ'. Tokens are joined without anything between them.
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        raw = []
        for i in ids:
            if vocab[i] in specials:
                raw.append(vocab[i].encode())
            else:
                raw.append(bytes(byte_of[symbol] for symbol in vocab[i]))
        return b" ".join(raw).decode("utf-8", errors="replace")


# --- found by programs that nobody had planned -------------------------------------------------------


class short_forms_incomplete:
    """X94. pieces in which only some short forms are split off

    There are seven: 's 't 're 've 'm 'll 'd. Try "I'm", "we're", "he'd" and "she'll".
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:s|t|ve)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        found = re.finditer(pattern, text)
        return [("".join(symbols[b] for b in match[0].encode()), match.span()) for match in found]


class newline_before_signs:
    """X95. pieces in which a line feed is joined to the punctuation after it

    Only a space (U+0020) belongs to what follows. Try a line feed before an exclamation mark.
    """

    def pre_tokenize(text):
        symbols = byte_symbols()
        pattern = r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+|[ \n]?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
        found = re.finditer(pattern, text)
        return [("".join(symbols[b] for b in match[0].encode()), match.span()) for match in found]


class only_first_special_in_words:
    """X96. word counts that cut out only the first special token of the list

    Give two special tokens and a text that has both. Which of them is counted as ordinary text?
    """

    def word_frequencies(corpus, specials):
        counts = {}
        for text in corpus:
            for part, is_special in split_specials(text, specials[:1]):
                if not is_special:
                    for piece, _ in pre_tokenize(part):
                        counts[piece] = counts.get(piece, 0) + 1
        return counts


class special_known_by_stripped_text:
    """X97. parts that count as special if they are one after their spaces are removed

    A special token may begin or end with a space. Compare the part as it is.
    """

    def split_specials(text, specials):
        if not specials:
            return [(text, False)] if text else []
        longest_first = sorted(specials, key=len, reverse=True)
        parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
        return [(part, part.strip() in specials) for part in parts if part]


class pair_order_of_the_frequencies:
    """X98. pair counts that go through `word_freqs` in place of `splits`

    The counts are right, the order in which the pairs are met is not. Which argument gives the order?
    """

    def pair_frequencies(splits, word_freqs):
        counts = {}
        for word, frequency in word_freqs.items():
            for pair in pairwise(splits[word]):
                counts[pair] = counts.get(pair, 0) + frequency
        return counts


class decode_drops_byte_order_mark:
    """X99. decoding that takes a byte order mark at the beginning away

    U+FEFF is a character like any other here. Which codec did you ask for?
    """

    def decode(ids, vocab, specials):
        byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
        text, run = "", b""
        for number in ids:
            token = vocab[number]
            if token in specials:
                text += run.decode("utf-8-sig", "replace") + token
                run = b""
            else:
                run += bytes(byte_of[symbol] for symbol in token)
        return text + run.decode("utf-8-sig", "replace")


# --- special tokens in encoding (B20) ----------------------------------------------------------------


class encode_finds_specials_in_order:
    """B20. encoding that takes the first special token of the list that fits, not the longest

    "<|e|><|e|>" can be a special token of its own beside "<|e|>". Does encoding use your `split_specials`?
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        pattern = "|".join(re.escape(special) for special in specials)
        result = []
        for part in re.split(f"({pattern})", text) if specials else [text]:
            result.extend(ids[token] for token in ([part] if part in specials else tokenize(part, merges)))
        return result


class encode_finds_specials_in_symbols:
    """X100. encoding that looks for the special tokens in byte symbols, not in the text

    A special token "Ġ!" is those two characters; a space before an exclamation mark is not. In which of the
    two writings is a special token given?
    """

    def encode(text, merges, vocab, specials):
        ids = {token: i for i, token in enumerate(vocab)}
        symbols = byte_symbols()
        back = {symbol: byte for byte, symbol in symbols.items()}
        written = "".join(symbols[byte] for byte in text.encode())
        result = []
        for part, is_special in split_specials(written, specials):
            if is_special:
                result.append(ids[part])
            else:
                plain = bytes(back[symbol] for symbol in part).decode("utf-8", errors="replace")
                result.extend(ids[token] for token in tokenize(plain, merges))
        return result


# --- byte fallback (B21) -----------------------------------------------------------------------------


class fallback_missing:
    """B21. byte fallback that fails with a KeyError for a character outside the alphabet

    Every text has its tokens, because every character has its bytes. What do you do when the look-up fails?
    """

    def _spell(char, known):
        return {**{c: [c] for c in known}, " ": [SPACE]}[char]


class fallback_unknown_token:
    """B21. one token <unk> for a character that is not in the alphabet

    Then nobody can say which character it was. Its bytes in UTF-8 have a token each.
    """

    def _spell(char, known):
        if char == " " and SPACE in known:
            return [SPACE]
        return [char] if char in known and char != SPACE else ["<unk>"]


class fallback_code_point:
    """B21. the code point of an unknown character in place of its bytes

    <0x65E5> is no byte: a byte has two hexadecimal digits, and 日 has three bytes in UTF-8.
    """

    def _spell(char, known):
        if char == " " and SPACE in known:
            return [SPACE]
        return [char] if char in known and char != SPACE else [f"<0x{ord(char):02X}>"]


class fallback_lower_case:
    """X101. byte tokens with lower-case digits

    <0xe2> and <0xE2> are different tokens to a vocabulary. Which of them does the task name?
    """

    def _spell(char, known):
        if char == " " and SPACE in known:
            return [SPACE]
        return [char] if char in known and char != SPACE else [f"<0x{byte:02x}>" for byte in char.encode()]


class fallback_own_sign_is_space:
    """X102. a "▁" of the text itself kept as the sign for a space

    Then "a▁b" comes back as "a b". What must become of a character that already means something else?
    """

    def _spell(char, known):
        char = char.replace(" ", SPACE) if SPACE in known else char
        return [char] if char in known else [f"<0x{byte:02X}>" for byte in char.encode()]


class fallback_space_as_sign_bytes:
    """X103. the bytes of "▁" for a space that the alphabet has no sign for

    Those bytes are a "▁" when they are decoded. Which byte is a space?
    """

    def _spell(char, known):
        if char == " ":
            return [SPACE] if SPACE in known else [f"<0x{byte:02X}>" for byte in SPACE.encode()]
        return [char] if char in known and char != SPACE else [f"<0x{byte:02X}>" for byte in char.encode()]


class fallback_whole_piece:
    """X104. a piece of which all characters become bytes as soon as one is unknown

    In "thqe" only the q is unknown; "th" is still a token. For which characters is the question asked?
    """

    def fallback_tokenize(text, merges, alphabet, specials):
        known = set(alphabet)
        ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
        tokens = []
        for part, is_special in split_specials(text, specials):
            if is_special:
                tokens.append(part)
                continue
            for _, (start, end) in pre_tokenize(part):
                piece = part[start:end]
                if any(c != " " and c not in known or c == SPACE for c in piece):
                    tokens += [f"<0x{byte:02X}>" for byte in piece.encode()]
                else:
                    tokens += _apply([s for char in piece for s in _spell(char, known)], ranks)
        return tokens


class fallback_after_merging:
    """X105. byte fallback after merging, which splits every merged token that the alphabet does not list

    The alphabet lists single characters. When is a symbol looked up there, before or after the merges?
    """

    def fallback_tokenize(text, merges, alphabet, specials):
        known = set(alphabet)
        ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
        tokens = []
        for part, is_special in split_specials(text, specials):
            if is_special:
                tokens.append(part)
                continue
            for _, (start, end) in pre_tokenize(part):
                for token in _apply(part[start:end].replace(" ", SPACE), ranks):
                    tokens += [token] if token in known else [f"<0x{byte:02X}>" for byte in token.encode()]
        return tokens


class fallback_without_pieces:
    """X106. merges over the whole text, without cutting it into pieces first

    Where does `pre_tokenize` cut "the'll" or "a!"? No merge may reach over that place.
    """

    def fallback_tokenize(text, merges, alphabet, specials):
        known = set(alphabet)
        ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
        tokens = []
        for part, is_special in split_specials(text, specials):
            tokens += [part] if is_special else _apply([s for char in part for s in _spell(char, known)], ranks)
        return tokens


class fallback_bytes_one_by_one:
    """B19. byte tokens that are read as UTF-8 one at a time

    One byte of a character is no character. How long do you wait before you decode?
    """

    def fallback_decode(tokens, specials):
        text = ""
        for token in tokens:
            if token in specials:
                text += token
            elif token in BYTE_TOKENS:
                text += bytes([BYTE_TOKENS[token]]).decode("utf-8", "replace")
            else:
                text += token.replace(SPACE, " ")
        return text


class fallback_one_mark_for_each_byte:
    """X107. one U+FFFD for each byte of a run that is not valid as a whole

    `bytes.decode` with errors="replace" keeps the valid characters of a run, and writes one U+FFFD for a
    character that is cut short.
    """

    def fallback_decode(tokens, specials):
        text, run = "", b""
        for token in [*tokens, ""]:
            if token in BYTE_TOKENS and token not in specials:
                run += bytes([BYTE_TOKENS[token]])
                continue
            try:
                text += run.decode()
            except UnicodeDecodeError:
                text += "\ufffd" * len(run)
            run = b""
            text += token if token in specials else token.replace(SPACE, " ")
        return text


class fallback_bytes_in_joined_text:
    """X108. byte tokens looked for in the joined text

    "<", "0", "x", "E", "2", ">" are six tokens that only look like a byte when they are joined. What do you
    know about a token that the joined text has forgotten?
    """

    def fallback_decode(tokens, specials):
        text = "".join(token if token in specials else token.replace(SPACE, " ") for token in tokens)

        def read(run):
            return bytes.fromhex(re.sub("<0x|>", "", run[0])).decode("utf-8", "replace")

        return re.sub("(?:<0x[0-9A-F]{2}>)+", read, text)


class fallback_decode_sign_in_result:
    """X109. "▁" replaced in the finished text, those that were bytes included

    The bytes <0xE2> <0x96> <0x81> are a "▁" of the text. At what time can you still tell it from a space?
    """

    def fallback_decode(tokens, specials):
        raw = b"".join(
            bytes([BYTE_TOKENS[token]]) if token in BYTE_TOKENS and token not in specials else token.encode()
            for token in tokens
        )
        return raw.decode("utf-8", "replace").replace(SPACE, " ")


# --- merges as text ----------------------------------------------------------------------------------


class merges_without_header:
    """X110. a text of merges without its header

    Readers such as that of GPT-2 skip the first line. Which merge would be lost?
    """

    def merges_to_text(merges):
        merges_from_text("".join(f"{a} {b}\n" for a, b in merges))
        return "".join(f"{a} {b}\n" for a, b in merges)


class merges_without_last_line_feed:
    """X111. a text of merges whose last line has no end

    Every line ends with a line feed, the last one too; then lines can be added, and counted.
    """

    def merges_to_text(merges):
        for symbol in (symbol for pair in merges for symbol in pair):
            if not symbol or set(symbol) & set(" \n\r"):
                raise ValueError(symbol)
        return "\n".join(["#version: 0.2", *(f"{a} {b}" for a, b in merges)])


class merges_written_unchecked:
    """X112. a text of symbols that cannot be read again

    A symbol with a space in it makes three symbols of two. What does the docstring ask for such a pair?
    """

    def merges_to_text(merges):
        return "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)


class every_hash_is_a_comment:
    """X113. merges without those whose left symbol begins with "#"

    There are no comments in this form: `# #` is a merge that every tokenizer for Markdown has learned.
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            if not line or line.startswith("#"):
                continue
            left, space, right = line.partition(" ")
            if not (left and space and right) or " " in right:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((left, right))
        return merges


class first_line_always_skipped:
    """X114. merges without the first line, whether it is a header or not

    A text may have no header. What tells you that the first line is one?
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            if not line or number == 1:
                continue
            left, space, right = line.partition(" ")
            if not (left and space and right) or " " in right:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((left, right))
        return merges


class lines_split_at_any_break:
    """X115. lines that end at every character that Unicode calls a line break

    U+2028 and U+0085 may be symbols. `str.splitlines` knows ten line ends, this form one.
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.splitlines(), start=1):
            if not line or (number == 1 and line.startswith("#version")):
                continue
            left, space, right = line.partition(" ")
            if not (left and space and right) or " " in right:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((left, right))
        return merges


class symbols_split_at_any_space:
    """X116. symbols separated at every kind of whitespace, and at several at once

    `str.split()` without an argument forgives "a  b" and cuts a symbol with a no-break space. What separates
    here?
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            if not line or (number == 1 and line.startswith("#version")):
                continue
            symbols = line.split()
            if len(symbols) != 2:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((symbols[0], symbols[1]))
        return merges


class carriage_return_kept:
    """X117. a carriage return at the end of every right symbol of a file from Windows

    A line may end with two characters. Which of them is still in your symbol?
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.split("\n"), start=1):
            if not line or line == "\r" or (number == 1 and line.startswith("#version")):
                continue
            left, space, right = line.partition(" ")
            if not (left and space and right) or " " in right:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((left, right))
        return merges


class empty_line_is_malformed:
    """X118. a ValueError for an empty line inside the text

    Empty lines are left out, wherever they stand. Is the only one that you expect the last?
    """

    def merges_from_text(text):
        merges = []
        lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
        for number, line in enumerate(lines, start=1):
            if text == "" or (number == 1 and line.startswith("#version")):
                continue
            left, space, right = line.partition(" ")
            if not (left and space and right) or " " in right:
                raise ValueError(f"line {number}: {line!r}")
            merges.append((left, right))
        return merges


class malformed_lines_skipped:
    """X119. merges without the lines that are none, and without a word about them

    Every rank after a lost line is off by one. What does the docstring ask for such a line?
    """

    def merges_from_text(text):
        merges = []
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            symbols = line.split(" ")
            if (number == 1 and line.startswith("#version")) or len(symbols) != 2 or "" in symbols:
                continue
            merges.append((symbols[0], symbols[1]))
        return merges


# --- compression -------------------------------------------------------------------------------------


class characters_per_token:
    """X120. characters per token in place of bytes per token

    é is one character and two bytes. Which of them does a byte-level tokenizer start from?
    """

    def bytes_per_token(texts, merges):
        size = sum(len(text) for text in texts)
        count = sum(len(tokenize(text, merges)) for text in texts)
        return size / count if count else 0.0


class bytes_of_symbols_per_token:
    """X121. the bytes of the byte symbols, not of the text

    'Ġ' stands for one byte and is two bytes long itself. Of what are the bytes counted?
    """

    def bytes_per_token(texts, merges):
        tokens = [token for text in texts for token in tokenize(text, merges)]
        return sum(len(token.encode()) for token in tokens) / len(tokens) if tokens else 0.0


class mean_of_ratios:
    """X122. the mean of the texts' own ratios

    A text of one word then weighs as much as one of a thousand. Divide what is counted over all texts.
    """

    def bytes_per_token(texts, merges):
        ratios = [len(text.encode()) / len(tokenize(text, merges)) for text in texts if text]
        return sum(ratios) / len(ratios) if ratios else 0.0


class texts_joined_for_compression:
    """X123. bytes per token of all texts joined into one

    The end of one text and the beginning of the next then make a word that neither has. Each is tokenized on
    its own.
    """

    def bytes_per_token(texts, merges):
        text = "".join(texts)
        count = len(tokenize(text, merges))
        return len(text.encode()) / count if count else 0.0


class special_default_missing:
    """X124. training whose special token must be given, or is none by default

    The signature says what happens if nothing is said. Call `train` with two arguments.
    """

    def train(corpus, vocab_size, specials=()):
        freqs = word_frequencies(corpus, list(specials))
        splits = {word: list(word) for word in freqs}
        vocab = [*specials, *sorted({s for word in freqs for s in word})]
        merges = []
        while len(vocab) < vocab_size:
            counts = pair_frequencies(splits, freqs)
            if not counts:
                break
            a, b = max(counts, key=lambda pair: counts[pair])
            splits = merge_pair(a, b, splits)
            merges.append((a, b))
            vocab.append(a + b)
        return merges, vocab
