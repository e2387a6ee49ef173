"""Wrong programs that students write for the WordPiece exercise, each wrong in one respect.

A class is a namespace: its functions take the place of the functions of the same name in a right program.
"""

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

# --- symbols, words, alphabet (W08, B09) -------------------------------------------------------------


class single_sign_in_front:
    """W08. symbols with one # in front instead of two

    The sign that says "I continue a word" has two characters. Split "cat" by hand and compare.
    """

    def split_word(word):
        return [char if place == 0 else "#" + char for place, char in enumerate(word)]


class sign_on_first_letter:
    """W08. symbols with ## in front of the first character, too

    The first character of a word does not continue anything. How would one tell where a word begins?
    """

    def split_word(word):
        return ["##" + char for char in word]


class no_sign_at_all:
    """W08. symbols without ## (the plain characters of a word)

    That is how byte-pair encoding begins. Here a letter inside a word is another symbol than the same
    letter at its beginning: what tells the two apart?
    """

    def split_word(word):
        return list(word)


class sign_by_value:
    """X01. symbols that get ## only if they differ from the first character

    In "banana" nothing shows, but in "aba" the last letter equals the first one. Does the place of a
    character decide here, or the character?
    """

    def split_word(word):
        return [char if char == word[0] else "##" + char for char in word]


class empty_word_crashes:
    """X02. symbols of a word that must have a first character

    The empty text has no symbols. What does your program take as its first one?
    """

    def split_word(word):
        return [word[0]] + ["##" + char for char in word[1:]]


class words_by_spaces_only:
    """X03. words that are cut at whitespace only

    "Course." is two words, "Course" and ".". What is the function good for that the task gives you?
    """

    def word_counts(texts):
        return dict(Counter(word for text in texts for word in text.split()))


class words_by_pattern:
    r"""X04. words cut by the pattern \w+|[^\w\s]

    It is close to the function that is given, but an underscore is punctuation to BERT, and "5€" is one
    word. Why not use what is there?
    """

    def word_counts(texts):
        return dict(Counter(word for text in texts for word in re.findall(r"\w+|[^\w\s]", text)))


class words_lowercased:
    """X05. words in lower case

    Nothing is normalized here: "The" and "the" are two words, and the alphabet has capitals. Some BERT models
    are uncased, but is this one?
    """

    def word_counts(texts):
        return dict(Counter(word for text in texts for word in words_of(text.lower())))


class words_sorted:
    """X06. words in alphabetical order instead of the order of first occurrence

    The order of the words decides ties in training. Who comes first, the word that is read first or the
    one that is first in a dictionary?
    """

    def word_counts(texts):
        return dict(sorted(Counter(word for text in texts for word in words_of(text)).items()))


class texts_joined:
    """B09. words counted over all texts joined into one

    The last word of one text and the first of the next become one word: ["ab", "cd"] has the words "ab"
    and "cd". Where does a text end?
    """

    def word_counts(texts):
        return dict(Counter(words_of("".join(texts))))


class counts_kept:
    """X07. word counts that go on from the call before

    The first answer is right and the second too large. When is the default of a parameter made: at each call,
    or once?
    """

    def word_counts(texts, counts={}):
        for text in texts:
            for word in words_of(text):
                counts[word] = counts.get(word, 0) + 1
        return dict(counts)


class alphabet_unsorted:
    """X08. an alphabet in the order of first occurrence

    The ids of the tokens depend on the order of the vocabulary, so the alphabet is sorted. What does a dict
    or a list keep, and what does it not do by itself?
    """

    def alphabet(counts):
        return list(dict.fromkeys(symbol for word in counts for symbol in split_word(word)))


class alphabet_in_both_forms:
    """X09. an alphabet in which each letter stands with and without ##

    Only symbols that occur are in it: a letter that never begins a word has no entry without ##. The four
    sentences give 40 symbols; how many do you get?
    """

    def alphabet(counts):
        return sorted({form for word in counts for char in word for form in (char, "##" + char)})


# --- scores (W01, W02, W04, W09, B03, B05) -----------------------------------------------------------


class score_is_frequency:
    """W01. scores that are the plain frequency of the pair

    That is byte-pair encoding. In the four sentences the first pair to be merged is (a, ##b) with score 1/5.
    What is the frequency divided by?
    """

    def pair_scores(splits, counts):
        pairs = Counter()
        for word, split in splits.items():
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {pair: Fraction(count) for pair, count in pairs.items()}


class divided_by_sum:
    """W02. scores divided by the sum of the two frequencies

    A pair of two frequent symbols gets too high a score. Is there a plus or a times between the two in the
    formula?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(count, symbols[a] + symbols[b]) for (a, b), count in pairs.items()}


class divided_by_left_only:
    """W02. scores divided by the frequency of the left symbol only

    That is the probability that b follows a. How many frequencies stand below the line of the formula?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(count, symbols[a]) for (a, b), count in pairs.items()}


class last_symbol_not_counted:
    """W04. scores in which the last symbol of a word does not count, unless the word has only one

    A loop over pairs of neighbours counts the left one of each. Which symbol of a word is never the left
    one?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            if len(split) == 1:
                symbols[split[0]] += counts[word]
            for a, b in pairwise(split):
                symbols[a] += counts[word]
                pairs[a, b] += counts[word]
        return {(a, b): Fraction(n, max(1, symbols[a]) * max(1, symbols[b])) for (a, b), n in pairs.items()}


class one_symbol_words_skipped:
    """X10. scores in which words of a single symbol do not count

    Such a word has no pair, but its symbol stands there as often as the word occurs. What happens before
    your loop goes on to the next word?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            if len(split) < 2:
                continue
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class marginals_of_pairs:
    """X11. scores in which a symbol counts only where it is the left or the right one of a pair

    The left symbol is counted only as a left one, the right symbol only as a right one. At how many places does
    ##a stand in a ##a ##a, whatever its neighbours?
    """

    def pair_scores(splits, counts):
        lefts, rights, pairs = Counter(), Counter(), Counter()
        for word, split in splits.items():
            for a, b in pairwise(split):
                lefts[a] += counts[word]
                rights[b] += counts[word]
                pairs[a, b] += counts[word]
        return {(a, b): Fraction(count, lefts[a] * rights[b]) for (a, b), count in pairs.items()}


class sign_ignored_in_counts:
    """X12. scores in which a and ##a are counted as the same symbol

    The two have frequencies of their own. By which key do you count?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol.removeprefix("##")] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(n, symbols[a.removeprefix("##")] * symbols[b[2:]]) for (a, b), n in pairs.items()}


class word_frequency_ignored:
    """B03. scores in which every distinct word counts once

    A word that occurs 100 times counts 100 times, for its symbols and for its pairs. What is `counts` for?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for split in splits.values():
            symbols.update(split)
            pairs.update(pairwise(split))
        return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class symbol_frequency_ignored:
    """B03. scores in which the symbols, but not the pairs, ignore how often a word occurs

    Above and below the line the same kind of frequency has to stand. Is one of the two sums raised by 1 only?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            symbols.update(split)
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class overlaps_counted_once:
    """B05. scores in which overlapping pairs count once

    a ##a ##a ##a holds (##a, ##a) twice, at two neighbouring places. Only merging must not use a symbol
    twice; does counting use anything up?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            last = {}
            for symbol in split:
                symbols[symbol] += counts[word]
            for place, pair in enumerate(pairwise(split)):
                if last.get(pair) != place - 1:
                    last[pair] = place
                    pairs[pair] += counts[word]
        return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class pairs_across_words:
    """B09. scores with pairs of the end of a word and the beginning of the next

    The words of `splits` are not neighbours in any text. When does your loop forget the symbol before?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        before = None
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
                if before is not None:
                    pairs[before, symbol] += counts[word]
                before = symbol
        return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class scores_are_floats:
    """W09. scores that are floats

    Equal scores come out different by a rounding error, and then the wrong pair wins a tie. Is 1/3/11 the
    same float as 1/11/3?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): count / (symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


class fractions_of_floats:
    """W09. scores that are fractions made from floats

    A float is rounded before it becomes a fraction: Fraction(1 / 3) is not a third. What can a fraction be
    made from instead?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(count / symbols[a] / symbols[b]) for (a, b), count in pairs.items()}


class scores_sorted:
    """X13. scores in the order of their pairs instead of the order in which these are met

    `best_pair` takes the first of equal ones, so the order is part of the answer. Does anything sort on the way?
    """

    def pair_scores(splits, counts):
        symbols, pairs = Counter(), Counter()
        for word, split in splits.items():
            for symbol in split:
                symbols[symbol] += counts[word]
            for pair in pairwise(split):
                pairs[pair] += counts[word]
        return {(a, b): Fraction(pairs[a, b], symbols[a] * symbols[b]) for a, b in sorted(pairs)}


# --- the best pair (B01, B12, W09) -------------------------------------------------------------------


class last_of_equals:
    """B01. a best pair that is the last of equal ones

    Look at what your comparison does when two scores are equal. Does the later pair replace the earlier
    one?
    """

    def best_pair(scores):
        best = None
        for pair, score in scores.items():
            if best is None or score >= scores[best]:
                best = pair
        return best


class smallest_of_equals:
    """B01. a best pair that is alphabetically the smallest of equal ones

    The place in the dict decides between equal scores, not the letters. What else than the score takes
    part in your comparison?
    """

    def best_pair(scores):
        return min(scores, key=lambda pair: (-scores[pair], pair), default=None)


class largest_of_equals:
    """B01. a best pair that is alphabetically the largest of equal ones

    That is what the maximum of tuples (score, pair) gives. Which rule for ties does the task state?
    """

    def best_pair(scores):
        return max(scores, key=lambda pair: (scores[pair], pair), default=None)


class best_by_float:
    """W09. a best pair found by comparing floats

    Two fractions that differ in the twentieth digit become the same float. Do fractions need to be converted
    before they can be compared?
    """

    def best_pair(scores):
        return max(scores, key=lambda pair: float(scores[pair]), default=None)


class no_pair_crashes:
    """B12. a best pair that crashes when there is no pair

    Words of single symbols, or no words at all, leave nothing to merge. What is the maximum of nothing?
    """

    def best_pair(scores):
        return max(scores, key=lambda pair: scores[pair])


# --- merging (W06, W07, B06, B07) --------------------------------------------------------------------


class sign_left_inside:
    """W06. a merge that leaves ## in the middle: a##b

    The right symbol stands inside the joined one now. Does it still have to say that it continues something?
    """

    def _joined(pair):
        return pair[0] + pair[1] if not pair[0].startswith("##") else pair[0] + pair[1][2:]


class continuations_keep_both_signs:
    """W07. a merge of two continuations that gives ##a##b

    ## stands in front of a token, once. What becomes of the right one's when the left one has its own?
    """

    def _joined(pair):
        return pair[0] + pair[1] if pair[0].startswith("##") else pair[0] + pair[1][2:]


class continuations_lose_the_sign:
    """W07. a merge of two continuations that gives ab instead of ##ab

    The joined symbol still continues a word, because its left part does. Which of the two ## has to go?
    """

    def _joined(pair):
        return pair[0].removeprefix("##") + pair[1][2:]


class all_signs_stripped:
    """X14. a merge that strips every # from the right symbol

    The character # itself is a symbol, too: ("c", "###") gives "c#". How many characters are the sign, and
    how many does `lstrip` take?
    """

    def _joined(pair):
        return pair[0] + pair[1].lstrip("#")


class merge_reuses_symbol:
    """B06. a merge that uses the middle symbol of an overlap twice

    ##a ##a ##a with (##a, ##a) becomes ##aa ##a. The result must still spell the word; how many letters
    does yours have?
    """

    def merge(pair, split):
        merged, used = [], False
        for place, symbol in enumerate(split):
            if tuple(split[place : place + 2]) == pair:
                merged.append(_joined(pair))
                used = True
            elif used:
                used = False
            else:
                merged.append(symbol)
        return merged


class merge_first_only:
    """B07. a merge of only the first occurrence

    A word may hold the pair several times. Does your loop go on after the first merge?
    """

    def merge(pair, split):
        for place in range(len(split) - 1):
            if (split[place], split[place + 1]) == pair:
                return [*split[:place], _joined(pair), *split[place + 2 :]]
        return list(split)


class merge_changes_input:
    """X15. a merge that changes the list it was given

    The result is right, but the caller's list is not what it was. Is the list that you return a new one?
    """

    def merge(pair, split):
        place = 0
        while place < len(split) - 1:
            if (split[place], split[place + 1]) == pair:
                split[place : place + 2] = [_joined(pair)]
            place += 1
        return split


class merge_returns_its_input:
    """X16. a merge that returns the list it was given where there is nothing to merge

    The caller may change the result and expects the split to stay as it is. Is what you return a new list in
    every case?
    """

    def merge(pair, split):
        if pair not in list(pairwise(split)):
            return split
        merged, place = [], 0
        while place < len(split):
            if tuple(split[place : place + 2]) == pair:
                merged.append(_joined(pair))
                place += 2
            else:
                merged.append(split[place])
                place += 1
        return merged


class merge_by_text_replace:
    """X17. a merge by replacing text, which also finds ends and beginnings of longer symbols

    Joined with spaces, "##ab ##c" contains "b ##c". Where does a match have to begin, and where to end?
    """

    def merge(pair, split):
        return " ".join(split).replace(" ".join(pair), _joined(pair)).split()


# --- learning (B01, B11, B12, B14, W01, W09) ---------------------------------------------------------


class one_token_too_many:
    """B11. learning with one token too many

    The vocabulary has at most vocab_size entries, unless special tokens and alphabet are more already. What
    does your loop ask before it merges?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) <= vocab_size:
            pair = best_pair(pair_scores(splits, counts))
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class specials_not_in_size:
    """B11. learning in which the special tokens do not count for vocab_size

    The vocabulary then has too many entries, one for each special token. Do they not take up room?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = alphabet(counts)
        while len(vocab) < vocab_size:
            pair = best_pair(pair_scores(splits, counts))
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return [*specials, *vocab]


class no_end_without_pairs:
    """B12. learning that crashes when no pair is left

    A large vocab_size lets every word become one symbol. What does `best_pair` return then, and what do you
    do with it?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            pair = best_pair(pair_scores(splits, counts))
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class equal_pairs_in_one_round:
    """B14. learning that merges all pairs with the highest score before it counts again

    The first merge changes the frequencies, and with them the scores of the others. How many pairs does one
    step merge?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            scores = pair_scores(splits, counts)
            if not scores:
                break
            top = max(scores.values())
            for pair in [pair for pair, score in scores.items() if score == top]:
                if len(vocab) < vocab_size:
                    splits = {word: merge(pair, split) for word, split in splits.items()}
                    vocab.append(_joined(pair))
        return vocab


class stale_symbol_frequencies:
    """X18. learning that never lowers the frequency of a symbol

    When a ##b has become ab, there are fewer a and fewer ##b than before. When do you count the symbols?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        freqs = {}
        while len(vocab) < vocab_size:
            symbols, pairs = Counter(), Counter()
            for word, split in splits.items():
                for symbol in split:
                    symbols[symbol] += counts[word]
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            for symbol, count in symbols.items():
                freqs.setdefault(symbol, count)
            pair = best_pair({(a, b): Fraction(count, freqs[a] * freqs[b]) for (a, b), count in pairs.items()})
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class learns_by_frequency:
    """W01. learning that merges the most frequent pair

    That is byte-pair encoding. Frequent symbols are neighbours often by chance alone; what does the score do
    about it?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            pairs = Counter()
            for word, split in splits.items():
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            pair = best_pair(pairs)
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class learns_from_repeated_words:
    """X19. learning from a list in which each word stands as often as it occurs

    A count may be 10**16; a list of that length does not fit into any memory. What is a word worth that
    occurs n times?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = [split_word(word) for word, count in counts.items() for word in [word] * count]
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            symbols = Counter(symbol for split in splits for symbol in split)
            pairs = Counter(pair for split in splits for pair in pairwise(split))
            pair = best_pair({(a, b): Fraction(n, symbols[a] * symbols[b]) for (a, b), n in pairs.items()})
            if pair is None:
                break
            splits = [merge(pair, split) for split in splits]
            vocab.append(_joined(pair))
        return vocab


class oldest_pair_first:
    """B01. learning in which ties go to the pair that has existed for the longest time

    A pair that a merge has just made may stand in an earlier word than one that was there from the start.
    Does "met first" mean the first step, or this step?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        seen = {}
        while len(vocab) < vocab_size:
            scores = pair_scores(splits, counts)
            if not scores:
                break
            for pair in scores:
                seen.setdefault(pair, len(seen))
            pair = min(scores, key=lambda pair: (-scores[pair], seen[pair]))
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class learns_with_two_divisions:
    """W09. learning with scores f / a / b in floating point

    Two roundings make equal scores different, and the wrong pair wins a tie. Which of 1/3/11 and 1/11/3 is
    larger on your machine?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            symbols, pairs = Counter(), Counter()
            for word, split in splits.items():
                for symbol in split:
                    symbols[symbol] += counts[word]
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            pair = best_pair({(a, b): count / symbols[a] / symbols[b] for (a, b), count in pairs.items()})
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class learns_with_one_division:
    """W09. learning with scores f / (a * b) in floating point

    Equal scores stay equal, but with large counts different scores become the same float. How many digits
    does a float have?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            symbols, pairs = Counter(), Counter()
            for word, split in splits.items():
                for symbol in split:
                    symbols[symbol] += counts[word]
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            pair = best_pair({(a, b): count / (symbols[a] * symbols[b]) for (a, b), count in pairs.items()})
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class learns_with_decimals:
    """W09. learning with scores that are decimal numbers

    A Decimal has 28 digits, which is more than a float has, and still a rounded number. Which of Python's
    numbers does not round at all?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            symbols, pairs = Counter(), Counter()
            for word, split in splits.items():
                for symbol in split:
                    symbols[symbol] += counts[word]
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            pair = best_pair({(a, b): Decimal(n) / (symbols[a] * symbols[b]) for (a, b), n in pairs.items()})
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class rare_pairs_not_merged:
    """X20. learning that stops at pairs that occur only once

    A pair that occurs once is merged, too, as long as there is room. Does the task know a smallest frequency?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            pairs = Counter()
            for word, split in splits.items():
                for pair in pairwise(split):
                    pairs[pair] += counts[word]
            pair = best_pair({p: score for p, score in pair_scores(splits, counts).items() if pairs[p] > 1})
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class vocabulary_cut:
    """X21. a vocabulary that is cut to vocab_size even where the alphabet does not fit

    Without its alphabet a vocabulary cannot write the words of its own corpus. What does the task say if
    special tokens and alphabet are more than vocab_size?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*specials, *alphabet(counts)]
        while len(vocab) < vocab_size:
            pair = best_pair(pair_scores(splits, counts))
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab[:vocab_size]


class default_specials_only:
    """X22. learning that always uses the five special tokens of BERT

    The caller says which special tokens there are; an empty tuple means none. Does your program look at the
    parameter?
    """

    def learn(counts, vocab_size, specials=SPECIALS):
        splits = {word: split_word(word) for word in counts}
        vocab = [*(specials or SPECIALS), *alphabet(counts)]
        while len(vocab) < vocab_size:
            pair = best_pair(pair_scores(splits, counts))
            if pair is None:
                break
            splits = {word: merge(pair, split) for word, split in splits.items()}
            vocab.append(_joined(pair))
        return vocab


class train_ignores_specials:
    """X23. training that does not hand its special tokens on

    Learning then uses its own default, whatever the caller of training asked for. Which arguments does your
    call have?
    """

    def train(texts, vocab_size, specials=SPECIALS):
        return learn(word_counts(texts), vocab_size)


class frequent_words_first:
    """B01. training in which the most frequent words of a text come first

    Words are scanned in the order in which they occur, and that decides ties. What does `most_common` do to
    that order?
    """

    def train(texts, vocab_size, specials=SPECIALS):
        counts = {}
        for text in texts:
            for word, count in Counter(words_of(text)).most_common():
                counts[word] = counts.get(word, 0) + count
        return learn(counts, vocab_size, specials)


# --- encoding a word (W10 to W15, B21) ---------------------------------------------------------------


class shortest_match:
    """W10. encoding that takes the shortest token that fits

    With h, hu and hug in the vocabulary, "hug" is one token. In which order do you try the ends?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(start + 1, len(word) + 1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                return [UNK]
        return tokens


class longest_match_from_the_right:
    """W10. encoding that takes the longest token from the end of the word

    The first token to be found is the first one of the word. From which side do you cut?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, end = [], len(word)
        while end > 0:
            for start in range(end):
                token = ("##" if start else "") + word[start:end]
                if token in vocab:
                    tokens.insert(0, token)
                    end = start
                    break
            else:
                return [UNK]
        return tokens


class grows_while_known:
    """X24. encoding that lengthens a token only as long as every step is in the vocabulary

    A vocabulary may have "a" and "abbbb" and nothing between. Does one missing length say anything about the
    longer ones?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            end = start
            while end < len(word) and prefix + word[start : end + 1] in vocab:
                end += 1
            if end == start:
                return [UNK]
            tokens.append(prefix + word[start:end])
            start = end
        return tokens


class takes_steps_back:
    """X25. encoding that tries a shorter token when the longest one leads nowhere

    It finds a way where the rule finds none: here such a word is unknown. What does the task say about taking
    a step back?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]

        def cut(start):
            if start == len(word):
                return []
            for end in range(len(word), start, -1):
                token = ("##" if start else "") + word[start:end]
                if token in vocab:
                    rest = cut(end)
                    if rest is not None:
                        return [token, *rest]
            return None

        found = cut(0)
        return [UNK] if found is None else found


class replays_merges:
    """W15. encoding that joins neighbours as training does, as long as the result is a token

    A merge can lead away from the longest token, and some tokens are reached by no merge of what is there.
    Does WordPiece need anything but its vocabulary to encode?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        order = {token: place for place, token in enumerate(sorted(vocab, key=len))}
        split = split_word(word)
        while True:
            found = [pair for pair in pairwise(split) if _joined(pair) in order]
            if not found:
                break
            split = merge(min(found, key=lambda pair: order[_joined(pair)]), split)
        return split if all(symbol in order for symbol in split) else [UNK]


class other_form_will_do:
    """X26. encoding that takes a token with or without ##, whichever is there

    a and ##a are two tokens, and at each place only one of them fits. What should happen if that one is
    missing?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            forms = ("##", "") if start else ("", "##")
            for end in range(len(word), start, -1):
                form = next((form for form in forms if form + word[start:end] in vocab), None)
                if form is not None:
                    tokens.append(form + word[start:end])
                    start = end
                    break
            else:
                return [UNK]
        return tokens


class result_shared:
    """X27. encoding that keeps its results and hands out the same list again

    A caller who changes the list changes what the next one gets. What is kept, and what is given away?
    """

    results = {}

    def encode_word(word, vocab, max_chars=100):
        key = (word, frozenset(vocab), max_chars)
        if key not in results:
            tokens, start = [], 0
            while start < len(word) <= max_chars:
                prefix = "##" if start else ""
                for end in range(len(word), start, -1):
                    if prefix + word[start:end] in vocab:
                        tokens.append(prefix + word[start:end])
                        start = end
                        break
                else:
                    break
            results[key] = tokens if start == len(word) else [UNK]
        return results[key]


class pieces_before_unknown:
    """W11. encoding that keeps the tokens found before the place where nothing fits

    One unknown place makes the whole word unknown. What becomes of the tokens that you have already?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                return [*tokens, UNK]
        return tokens


class unknown_letters_skipped:
    """W11. encoding that puts [UNK] for a character that does not fit and goes on behind it

    "HOgging" is one [UNK], not H [UNK] ##g ... . What is unknown here, a character or a word?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                tokens.append(UNK)
                start += 1
        return tokens


class sign_taken_for_letters:
    """W12. encoding that puts ## in front of the rest of the word and then looks for its beginning

    If the vocabulary has the token #, it fits the ## that you have put there yourself, and the rest never ends. Which
    part of your text comes from the word?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens = []
        while word:
            end = len(word)
            while end > 0 and word[:end] not in vocab:
                end -= 1
            if end == 0:
                return [UNK]
            tokens = [*tokens[-200:], word[:end]]  # the loop is what is wrong; memory is not to end it
            word = word[end:]
            if word:
                word = "##" + word
        return tokens


class endless_loop:
    """W12. encoding that never ends when nothing fits

    Each round of the loop has to take something off the rest. What is taken off if no token fits?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            end = len(word)
            while end > start and prefix + word[start:end] not in vocab:
                end -= 1
            if end > start:
                tokens.append(prefix + word[start:end])
            start = end
        return tokens


class unknown_crashes:
    """B21. encoding that crashes when nothing fits

    A text may hold any character. What does your search return if no end is left to try?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            end = next(end for end in range(len(word), start, -1) if prefix + word[start:end] in vocab)
            tokens.append(prefix + word[start:end])
            start = end
        return tokens


class long_word_unsplit:
    """W14. encoding that returns a word that is too long as it is

    Such a text is in no vocabulary, so it has no id. Which token stands for a word that cannot be encoded?
    """

    def encode_word(word, vocab, max_chars=100):
        if len(word) > max_chars:
            return [word]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                return [UNK]
        return tokens


class limit_excluded:
    """W14. encoding in which a word of exactly the limit is too long

    A word with more characters than max_chars is unknown. Is one with just as many?
    """

    def encode_word(word, vocab, max_chars=100):
        if word and len(word) >= max_chars:
            return [UNK]
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                return [UNK]
        return tokens


class no_limit:
    """W14. encoding that cuts words of any length

    A word with more characters than max_chars is unknown, whatever the vocabulary has. Where does your
    program look at its length?
    """

    def encode_word(word, vocab, max_chars=100):
        tokens, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in vocab:
                    tokens.append(prefix + word[start:end])
                    start = end
                    break
            else:
                return [UNK]
        return tokens


# --- encoding a text, ids, decoding ------------------------------------------------------------------


class encode_searches_vocabulary:
    """X28. encoding that goes through the vocabulary for each token (cost)

    The result is right, but a vocabulary of 30000 tokens costs 30000 steps for every token of the text. Can
    you ask whether a piece is in the vocabulary, without looking at all entries?
    """

    def encode(text, vocab):
        tokens = []
        for word in words_of(text):
            start, found = 0, []
            while start < len(word) <= 100:
                best = ""
                for token in vocab:
                    body = token[2:] if start and token.startswith("##") else token if not start else ""
                    if len(body) > len(best) and word.startswith(body, start):
                        best = body
                if not best:
                    break
                found.append(("##" if start else "") + best)
                start += len(best)
            tokens += found if start == len(word) else [UNK]
        return tokens


class vocabulary_kept:
    """X29. encoding that remembers the vocabulary of an earlier call

    The first answer is right; a second call with another vocabulary still finds the tokens of the first. Where
    does your set live?
    """

    known = set()

    def encode(text, vocab):
        known.update(vocab)
        return [token for word in words_of(text) for token in encode_word(word, known)]


class encode_composes_accents:
    """X30. encoding that composes accents first

    Nothing is normalized: an e with a combining accent behind it is two characters, and the vocabulary may
    know neither. Did the task ask for it?
    """

    def encode(text, vocab):
        known = set(vocab)
        words = words_of(unicodedata.normalize("NFC", text))
        return [token for word in words for token in encode_word(word, known)]


class unknown_id_is_one:
    """X31. ids in which an unknown token has the id 1

    [UNK] has the id 1 in many vocabularies. Who says that it has in this one?
    """

    def ids(tokens, vocab):
        id_of = {token: number for number, token in enumerate(vocab)}
        return [id_of.get(token, 1) for token in tokens]


class id_of_other_form:
    """X32. ids in which an unknown token with ## gets the id of the same token without it

    The two are different tokens, and one of them says nothing about the other. Which id has a token that
    the vocabulary does not know?
    """

    def ids(tokens, vocab):
        id_of = {token: number for number, token in enumerate(vocab)}
        return [id_of.get(token, id_of.get(token.removeprefix("##"), id_of[UNK])) for token in tokens]


class decode_keeps_spaces:
    """X33. decoding that removes ## but not the space in front of it

    The pieces of a word belong together. Which tokens have no space in front?
    """

    def decode(tokens):
        return " ".join(token.removeprefix("##") for token in tokens)


class decode_first_token_apart:
    """X34. decoding that keeps the ## of the first token

    Replacing a space and ## by nothing misses a token that has no space in front. Which one is that?
    """

    def decode(tokens):
        return " ".join(tokens).replace(" ##", "")


class decode_removes_all_signs:
    """X35. decoding that removes every # from a token

    # is also a character of texts. How many characters are the sign, and where do they stand?
    """

    def decode(tokens):
        text = "".join(token if token.startswith("##") else " " + token for token in tokens)
        return text.replace("#", "").removeprefix(" ")
