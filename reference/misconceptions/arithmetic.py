"""Named wrong programs of the arithmetic exercise.

Each class is a namespace: what it defines replaces the definitions of the same name in a right arithmetic.py.
The first line of its docstring completes "this equals ...", the rest is shown to the student.
"""

import math
import random
import re

import torch

# --- tokenizer (R01, R02, R05) -----------------------------------------------------------------------


class vocabulary_from_a_set:
    """R01. a vocabulary numbered in the order of a set

    The order of a set of texts differs from one run of Python to the next, so a model that was saved yesterday
    reads other tokens today. Where does the task say which id a character has?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def __init__(self):
            super().__init__()
            self.tokens = [*SPECIALS, *set(CHARACTERS)]
            self.vocab = {token: number for number, token in enumerate(self.tokens)}


class vocabulary_grows:
    """R01. a vocabulary that gives ids in the order in which characters are first met

    Two tokenizers that have read different texts do not agree about a single id. Which ids does the task fix?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            super().encode(text)
            self.vocab = {token: n for n, token in enumerate(SPECIALS)}
            for character in text:
                self.vocab.setdefault(character, len(self.vocab))
            return super().encode(text, bos, eos)


class no_equals_token:
    """R02. a vocabulary without "="

    Without that token the model cannot see where the answer begins, nor can the labels. Count the entries of
    your table against those of the task.
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def __init__(self):
            super().__init__()
            self.tokens = [*SPECIALS, *CHARACTERS.replace("=", "")]
            self.vocab = {token: number for number, token in enumerate(self.tokens)}
            self.vocab_size = 17


class no_minus_token:
    """R02. a vocabulary without "-"

    Then no difference can be asked for, and no negative answer written. Count the entries of your table against
    those of the task.
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def __init__(self):
            super().__init__()
            self.tokens = [*SPECIALS, *CHARACTERS.replace("-", "")]
            self.vocab = {token: number for number, token in enumerate(self.tokens)}
            self.vocab_size = 17


class padding_is_the_digit_zero:
    """R02. a tokenizer in which PAD and the digit 0 share an id

    What was padded then reads as a row of zeros, and a loss that ignores PAD ignores the zeros of answers. How
    many different ids have 18 tokens?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def __init__(self):
            super().__init__()
            self.tokens = ["<pad>", "<bos>", "<eos>", *CHARACTERS]
            self.vocab = {token: number for number, token in enumerate(self.tokens)}
            self.pad_id = self.vocab["0"]


class eos_is_padding:
    """R02. a tokenizer in which EOS is the padding token

    A loss that leaves out padding then never teaches the model to stop. Which id has each of the two?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def __init__(self):
            super().__init__()
            self.eos_id = self.pad_id


class ends_missing:
    """R02. encode that puts BOS in front, but no EOS at the end

    Without EOS the model never learns to stop. What does the argument eos say when nothing is passed?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=False):
            return super().encode(text, bos, eos)


class bos_and_eos_ignored:
    """X01. encode that always adds BOS and EOS, whatever bos and eos say

    A prompt has no EOS, and an answer no BOS. What are the two arguments for?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            return super().encode(text)


class unknown_skipped:
    """R05. encode that skips unknown characters silently

    "1a2" becomes 12, another number. What does the task ask for instead?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            return super().encode("".join(c for c in text if c in self.vocab), bos, eos)


class unknown_is_a_key_error:
    """R05. encode that lets a KeyError escape for unknown characters

    It is refused, but not with the kind of error that the task names, and without the place. Which error is
    it to be?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            ids = [self.vocab[c] for c in text]
            return [1] * bos + ids + [2] * eos


class unknown_place_off_by_one:
    """R05. encode whose error counts the place from 1, or counts BOS

    Where does the task begin to count, and in what: in the text or in the ids?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            for place, c in enumerate(text, start=1):
                if c not in self.vocab:
                    raise ValueError(f"unknown character {c!r} at {place}")
            return super().encode(text, bos, eos)


class special_names_are_tokens:
    """X02. encode that reads "<pad>", "<bos>" and "<eos>" in a text as tokens

    Whoever writes a text could then end it where he likes. What is the first character of "<eos>", and has it an id?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            ids = []
            place = 0
            for part in re.split("(<pad>|<bos>|<eos>)", text):
                if part in SPECIALS:
                    ids.append(self.vocab[part])
                else:
                    try:
                        ids += super().encode(part, False, False)
                    except ValueError:
                        super().encode(text, bos, eos)
            return [1] * bos + ids + [2] * eos


class encoding_remembered:
    """X03. encode that returns the same list again for the same text

    Whoever appends to it changes what the next caller gets. What does a cache have to hand out?
    """

    cache = {}

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def encode(self, text, bos=True, eos=True):
            if (text, bos, eos) not in cache:
                cache[text, bos, eos] = super().encode(text, bos, eos)
            return cache[text, bos, eos]


class decoding_goes_on_after_eos:
    """X04. decode that drops EOS and reads on behind it

    What a model writes behind its EOS is no part of its answer. Where does the text end?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def decode(self, ids):
            super().decode(ids)
            return "".join(self.tokens[n] for n in ids if n > 2)


class negative_ids_decoded:
    """X05. decode that takes negative ids

    A list gives its last entry for -1, without complaint. What is the smallest id?
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def decode(self, ids):
            return super().decode([n % 18 if -18 <= n < 0 else n for n in ids])


class ids_behind_eos_not_looked_at:
    """X05. decode that overlooks wrong ids behind EOS

    The task wants all ids to be in range, also those that are not read.
    """

    class ArithmeticTokenizer(ArithmeticTokenizer):
        def decode(self, ids):
            return super().decode(ids[: ids.index(2)] if 2 in ids else ids)


# --- problems as text (R04) ----------------------------------------------------------------------------


class reversed_in_writing_only:
    """R04. answers that are written reversed, but not turned back when they are read

    12+34=64 is read as 64, though the answer is 46. What is parse_answer the inverse of?
    """

    def parse_answer(text, reverse=False):
        found = re.fullmatch("-?[0-9]+", text.partition("=")[2])
        return int(found[0]) if found else None


class reversed_in_reading_only:
    """R04. answers that are turned when they are read, but were never written reversed

    The text says 46, and 64 is read. What does reverse mean for format_problem?
    """

    def format_problem(a, b, op, reverse=False):
        _check(op)
        return f"{a}{op}{b}={OPERATIONS[op](a, b)}"


class reversed_with_its_sign:
    """R04. answers that are reversed together with their sign

    -24 becomes "42-". Only the digits are to be turned; where does the sign stay?
    """

    def format_problem(a, b, op, reverse=False):
        _check(op)
        answer = str(OPERATIONS[op](a, b))
        return f"{a}{op}{b}={answer[::-1] if reverse else answer}"


class reversed_loses_zeros:
    """R04. reversed answers that lose the zeros at their front

    60+40=001: as a number, 001 is 1. Digits are turned as text, not as numbers.
    """

    def format_problem(a, b, op, reverse=False):
        _check(op)
        answer = OPERATIONS[op](a, b)
        digits = str(int(str(abs(answer))[::-1])) if reverse else str(abs(answer))
        return f"{a}{op}{b}={'-' * (answer < 0)}{digits}"


class zeros_stripped_before_turning:
    """R04. reversed answers made a number before their digits are turned

    "001" is 100 when it is turned first, and 1 when it becomes a number first.
    """

    def parse_answer(text, reverse=False):
        found = re.fullmatch("-?[0-9]+", text.partition("=")[2])
        if not found:
            return None
        number = int(found[0])
        turned = int(str(abs(number))[::-1])
        return number if not reverse else -turned if number < 0 else turned


class answer_read_by_int:
    """X06. parse_answer that takes what int() takes

    int() takes spaces, underscores, a plus sign and the digits of other scripts. Is " 46" an answer here?
    """

    def parse_answer(text, reverse=False):
        if "=" not in text:
            return None
        body = text.split("=", 1)[1]
        sign = body.startswith("-")
        try:
            number = int(body[sign:][::-1] if reverse else body[sign:])
        except ValueError:
            return None
        return -number if sign else number


class answer_behind_the_last_equals:
    """X06. parse_answer that reads what stands behind the last "="

    "1=2=3" has no answer: behind the first "=" stands "2=3".
    """

    def parse_answer(text, reverse=False):
        head, equals, body = text.rpartition("=")
        found = re.fullmatch("(-?)([0-9]+)", body)
        if not found or not equals:
            return None
        number = int(found[2][::-1] if reverse else found[2])
        return -number if found[1] else number


class answer_zero_is_none:
    """X06. parse_answer that returns None for the answer 0

    0 is a number like others, but false to Python. How is it decided that there is no answer?
    """

    def parse_answer(text, reverse=False):
        found = re.fullmatch("(-?)([0-9]+)", text.partition("=")[2])
        number = int(found[2][::-1] if reverse else found[2]) if found else 0
        return (-number if found[1] else number) if number else None


class operators_by_substring:
    """X07. format_problem that takes "" and "+-" as operators

    A text contains each of its parts, the empty one too. Is `op in "+-*"` what was meant?
    """

    def _check(op):
        if op not in "+-*":
            raise ValueError(op)

    def format_problem(a, b, op, reverse=False):
        _check(op)
        answer = a + b if "+" in op else a * b if "*" in op else a - b
        digits = str(abs(answer))
        return f"{a}{op}{b}={'-' * (answer < 0)}{digits[::-1] if reverse else digits}"


# --- carries, drawing (R09) ----------------------------------------------------------------------------


class carries_not_passed_on:
    """X08. carries that counts the places where two digits make ten, without the carry of the place before

    999+1 has three carries, though only its last digits make ten. What is added in the next place?
    """

    def carries(a, b):
        left, right = str(a)[::-1], str(b)[::-1]
        return sum(int(x) + int(y) > 9 for x, y in zip(left, right))


class carries_end_with_the_shorter:
    """X08. carries that stops where the shorter number ends

    99+1 has two carries. A carry goes on into places where one number has no digit left.
    """

    def carries(a, b):
        count = carry = 0
        for x, y in zip(str(a)[::-1], str(b)[::-1]):
            carry = int(int(x) + int(y) + carry > 9)
            count += carry
        return count


class carries_kept_forever:
    """X08. carries that never puts the carry back to 0

    After a place without a carry there is none to pass on. When does your carry become 0 again?
    """

    def carries(a, b):
        count = carry = 0
        while a or b:
            if a % 10 + b % 10 + carry >= 10:
                count, carry = count + 1, 1
            a, b = a // 10, b // 10
        return count


class differences_never_negative:
    """R09. make_problems that swaps the operands of differences to avoid negative results

    About half of the differences are to be negative. A model that never saw one cannot write one.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        pairs = [(operand(), operand()) for _ in range(count)]
        return [(a, b, op) if op != "-" or a >= b else (b, a, op) for a, b in pairs]


class never_a_carry:
    """R09. make_problems that draws only additions whose last digits make no ten

    Carries are what is hard about adding. Every pair of numbers must be possible.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        found = []
        while len(found) < count:
            a, b = operand(), operand()
            if a % 10 + b % 10 < 10:
                found.append((a, b, op))
        return found


class numbers_up_to_the_longest:
    """X09. make_problems that draws from all numbers up to the longest

    Nine in ten numbers below 10000 have four digits. First the number of digits is drawn, then the number.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)
        top = 10 ** max(digits)
        return [(rng.randrange(top), rng.randrange(top), op) for _ in range(count)]


class same_length_of_both:
    """X09. make_problems in which both operands have the same number of digits

    A short number beside a long one is a problem too. The number of digits is drawn for each operand on its own.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)
        found = []
        for _ in range(count):
            length = rng.choice(digits)
            low, high = 10 ** (length - 1) if length > 1 else 0, 10**length
            found.append((rng.randrange(low, high), rng.randrange(low, high), op))
        return found


class digits_as_a_range:
    """X09. make_problems that takes digits as the smallest and the largest number of digits

    (1, 3) are two numbers of digits, without 2 between them.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand():
            length = rng.randint(min(digits), max(digits))
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        return [(operand(), operand(), op) for _ in range(count)]


class zero_never_drawn:
    """X09. make_problems that never draws 0

    The numbers with one digit are 0 to 9. What is 10 to the power of 0?
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1), 10**length)

        return [(operand(), operand(), op) for _ in range(count)]


class problems_without_repeats:
    """X09. make_problems that never draws a problem twice

    There are 100 problems of one digit, and more may be asked for. The same problem may come several times.
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        return list(dict.fromkeys((operand(), operand(), op) for _ in range(count)))


class lengths_by_turn:
    """X09. make_problems whose numbers of digits follow each other in a fixed order

    Each operand's number of digits is to be drawn. Can one tell from a problem how long the next one is?
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed)

        def operand(turn):
            length = digits[turn % len(digits)]
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        return [(operand(number), operand(number // len(digits)), op) for number in range(count)]


class problems_of_torchs_global_generator:
    """X10. make_problems that seeds the global generator of torch

    The weights and the dropout of a model come from that generator. How does one get a generator of one's own?
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        torch.manual_seed(seed)
        rng = random.Random(int(torch.randint(0, 2**40, ())))

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        return [(operand(), operand(), op) for _ in range(count)]


class seed_zero_is_no_seed:
    """X10. make_problems that takes the seed 0 for no seed

    0 is a seed like others, but false to Python. How do you ask whether a seed was given?
    """

    def make_problems(count, digits=(1, 2), op="+", seed=0):
        _check(op)
        rng = random.Random(seed or None)

        def operand():
            length = rng.choice(digits)
            return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10**length)

        return [(operand(), operand(), op) for _ in range(count)]


# --- splitting (R07) -----------------------------------------------------------------------------------


class split_by_ordered_pairs:
    """R07. a split that takes b+a for another problem than a+b

    3+8 is learned and 8+3 is tested: the test set has been seen. When are two problems the same?
    """

    def _group(problem):
        return problem


class split_by_unordered_differences:
    """R07. a split that takes b-a for the same problem as a-b

    3-8 and 8-3 have different answers. Which operators do not mind the order?
    """

    def _group(problem):
        a, b, op = problem
        return (min(a, b), max(a, b), op)


class split_with_repeats:
    """R07. a split of the list as it is, repeats included

    What stands twice in the list can go to both sides. What has to be done before the list is cut?
    """

    def split_problems(problems, test_share, seed=0):
        shuffled = list(problems)
        random.Random(seed).shuffle(shuffled)
        cut = int(test_share * len(shuffled))
        return shuffled[cut:], shuffled[:cut]


class split_loses_the_swapped:
    """R07. a split that keeps only one of a+b and b+a

    They belong to the same side, but both were given, and both are to be kept.
    """

    def split_problems(problems, test_share, seed=0):
        groups = {}
        for problem in problems:
            groups.setdefault(_group(problem), problem)
        kept = list(groups.values())
        random.Random(seed).shuffle(kept)
        cut = int(test_share * len(kept))
        return kept[cut:], kept[:cut]


class split_in_the_order_of_a_set:
    """X11. a split whose result depends on the order of a set

    Sets of texts have another order in every run of Python, so the seed alone does not decide. What keeps an order?
    """

    def split_problems(problems, test_share, seed=0):
        different = list(set(problems))
        groups = list(set(map(_group, different)))
        random.Random(seed).shuffle(groups)
        tested = set(groups[: int(test_share * len(groups))])
        train = [problem for problem in different if _group(problem) not in tested]
        return train, [problem for problem in different if _group(problem) in tested]


class split_takes_the_first:
    """X11. a split that takes the first problems for the test set

    A list that was made in order then trains on one kind and tests another. What is the seed for?
    """

    def split_problems(problems, test_share, seed=0):
        different = list(dict.fromkeys(problems))
        groups = list(dict.fromkeys(map(_group, different)))
        tested = set(groups[: int(test_share * len(groups))])
        train = [problem for problem in different if _group(problem) not in tested]
        return train, [problem for problem in different if _group(problem) in tested]


class split_by_a_share_of_problems:
    """X11. a split that takes the share of the problems, not of the groups

    a+b and b+a are two problems and one group. Of what is test_share a share?
    """

    def split_problems(problems, test_share, seed=0):
        different = list(dict.fromkeys(problems))
        groups = list(dict.fromkeys(map(_group, different)))
        random.Random(seed).shuffle(groups)
        tested = set(groups[: int(test_share * len(different))])
        train = [problem for problem in different if _group(problem) not in tested]
        return train, [problem for problem in different if _group(problem) in tested]


class split_turned_not_shuffled:
    """X11. a split that takes neighbours, from a place that the seed decides

    What stands side by side in the list goes to the same side. Are all choices of groups possible?
    """

    def split_problems(problems, test_share, seed=0):
        different = list(dict.fromkeys(problems))
        groups = list(dict.fromkeys(map(_group, different)))
        start = seed % max(1, len(groups))
        groups = groups[start:] + groups[:start]
        tested = set(groups[: int(test_share * len(groups))])
        train = [problem for problem in different if _group(problem) not in tested]
        return train, [problem for problem in different if _group(problem) in tested]


# --- batches, labels -----------------------------------------------------------------------------------


class padded_on_the_left:
    """X12. pad_batch that pads on the left

    On which side does the task want the padding?
    """

    def pad_batch(sequences, pad_id):
        longest = max(map(len, sequences), default=0)
        rows = [[pad_id] * (longest - len(s)) + list(s) for s in sequences]
        mask = [[False] * (longest - len(s)) + [True] * len(s) for s in sequences]
        shape = (len(sequences), longest)
        return (
            torch.tensor(rows, dtype=torch.int64).reshape(shape),
            torch.tensor(mask, dtype=torch.bool).reshape(shape),
        )


class mask_by_value:
    """X12. pad_batch whose mask is False wherever the id of the padding stands

    A sequence may hold that id itself. What tells padding from tokens, if not the value?
    """

    def pad_batch(sequences, pad_id):
        longest = max(map(len, sequences), default=0)
        rows = [[*s, *[pad_id] * (longest - len(s))] for s in sequences]
        ids = torch.tensor(rows, dtype=torch.int64).reshape(len(sequences), longest)
        return ids, ids != pad_id


class batches_of_floats:
    """X12. pad_batch whose ids become floats where a sequence is empty

    A tensor of nothing is float32 unless it is told otherwise. Which dtype has the result in each case?
    """

    def pad_batch(sequences, pad_id):
        tensors = [torch.tensor(s) for s in sequences]
        ids = torch.nn.utils.rnn.pad_sequence(tensors, True, pad_id) if tensors else torch.zeros(0, 0)
        lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
        return ids, torch.arange(ids.shape[1]) < lengths[:, None]


class sequences_grow:
    """X12. pad_batch that appends the padding to the sequences that it was given

    The lists belong to the caller. What has changed in them after the call?
    """

    def pad_batch(sequences, pad_id):
        longest = max(map(len, sequences), default=0)
        lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
        for s in sequences:
            s += [pad_id] * (longest - len(s))
        ids = torch.tensor(sequences, dtype=torch.int64).reshape(len(sequences), longest)
        return ids, torch.arange(longest) < lengths[:, None]


class cut_to_a_fixed_length:
    """X12. pad_batch that cuts what is longer than 64 tokens

    Nothing of a sequence may be lost. How long has a batch to be?
    """

    def pad_batch(sequences, pad_id):
        longest = min(64, max(map(len, sequences), default=0))
        rows = [[*s, *[pad_id] * (longest - len(s))][:longest] for s in sequences]
        ids = torch.tensor(rows, dtype=torch.int64).reshape(len(sequences), longest)
        lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
        return ids, torch.arange(longest) < lengths[:, None]


class labels_not_shifted:
    """X13. answer_labels that are not shifted

    The logits at t say what comes at t + 1. With its own token the model learns to repeat what it sees.
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        behind = (ids == equals_id).cumsum(1) - (ids == equals_id).long() > 0
        return torch.where(behind & attention_mask, ids, ignore_index)


class labels_roll_around:
    """X13. answer_labels whose last place holds the first token of the row

    Nothing comes behind the last token. What does roll put there?
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        behind = (ids == equals_id).cumsum(1) > 0
        return torch.where(behind & attention_mask, ids.roll(-1, 1), ignore_index)


class labels_miss_the_first_digit:
    """X13. answer_labels that leave out the first token of the answer

    The logits at "=" say what comes first behind it. That is where the first label stands.
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = torch.full_like(ids, ignore_index)
        is_equals = ids == equals_id
        behind = (is_equals.cumsum(1) - is_equals.long())[:, :-1] > 0
        labels[:, :-1] = torch.where(behind & attention_mask[:, 1:], ids[:, 1:], ignore_index)
        return labels


class labels_miss_the_end:
    """X13. answer_labels that leave out EOS

    Who never learns where to stop writes on. Is EOS a part of what is scored?
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = torch.full_like(ids, ignore_index)
        behind = (ids == equals_id).cumsum(1)[:, :-1] > 0
        scored = behind & attention_mask[:, 1:] & (ids[:, 1:] != 2)
        labels[:, :-1] = torch.where(scored, ids[:, 1:], ignore_index)
        return labels


class labels_with_the_mask_not_shifted:
    """X13. answer_labels that ask the mask at t instead of t + 1

    At the EOS stands a token, but behind it padding, which is then scored. Whose mask counts?
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = torch.full_like(ids, ignore_index)
        behind = (ids == equals_id).cumsum(1)[:, :-1] > 0
        labels[:, :-1] = torch.where(behind & attention_mask[:, :-1], ids[:, 1:], ignore_index)
        return labels


class labels_of_rows_without_equals:
    """X13. answer_labels that score rows without "=" from the start

    argmax gives 0 where nothing is True. What is the answer of a row without "="?
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = torch.full_like(ids, ignore_index)
        if ids.numel():
            first = (ids == equals_id).long().argmax(1, keepdim=True)
            behind = torch.arange(ids.shape[1] - 1, device=ids.device) >= first
            labels[:, :-1] = torch.where(behind & attention_mask[:, 1:], ids[:, 1:], ignore_index)
        return labels


class labels_on_the_cpu:
    """X13. answer_labels that are made on the CPU

    Where is a tensor made that is created without saying where?
    """

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = torch.full(ids.shape, ignore_index)
        behind = (ids == equals_id).cumsum(1)[:, :-1] > 0
        labels[:, :-1] = torch.where(behind & attention_mask[:, 1:], ids[:, 1:], labels[:, :-1])
        return labels


class labels_in_one_buffer:
    """X13. answer_labels that are written into the same tensor each time

    The labels of the batch before change under the hands of the caller. Whose is the tensor that is returned?
    """

    buffers = {}

    def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
        labels = buffers.setdefault((ids.shape, ids.device), torch.empty_like(ids)).fill_(ignore_index)
        behind = (ids == equals_id).cumsum(1)[:, :-1] > 0
        labels[:, :-1] = torch.where(behind & attention_mask[:, 1:], ids[:, 1:], ignore_index)
        return labels


# --- sampling (R13) ------------------------------------------------------------------------------------


class temperature_multiplied:
    """R13. logits multiplied by the temperature

    A high temperature is to make the distribution flatter. What does yours do to it?
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if temperature == 0:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        if top_k is not None:
            smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
            logits = logits.masked_fill(logits < smallest, -math.inf)
        return torch.softmax(logits * temperature, -1)


class temperature_zero_divides:
    """R13. a division by temperature 0

    0 divided by 0 is NaN, and infinity minus infinity too. What does the task want at temperature 0?
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if top_k is not None:
            smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
            logits = logits.masked_fill(logits < smallest, -math.inf)
        return torch.softmax(logits / temperature, -1)


class softmax_overflows:
    """X14. exponentials of logits that are not made smaller first

    The exponential of 1000 is infinite. What may be subtracted from all logits of a row without changing the result?
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if temperature == 0:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        if top_k is not None:
            smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
            logits = logits.masked_fill(logits < smallest, -math.inf)
        weights = (logits / temperature).exp()
        return weights / weights.sum(-1, keepdim=True)


class top_k_not_renormalized:
    """X14. top k applied to the probabilities, which are not brought back to sum 1

    What is left after the cut sums to less than 1. Is the cut before or after the softmax?
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if temperature == 0:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        p = torch.softmax(logits / temperature, -1)
        if top_k is not None:
            smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
            p = p.masked_fill(logits < smallest, 0)
        return p


class top_k_drops_ties:
    """X14. top k that keeps exactly k tokens, also if the next one is equal

    Two equal logits are to be treated alike: all that equal the smallest kept one are kept.
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if temperature == 0:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        if top_k is not None:
            values, places = logits.topk(min(top_k, logits.shape[-1]))
            logits = torch.full_like(logits, -math.inf).scatter(-1, places, values)
        return torch.softmax(logits / temperature, -1)


class top_k_fills_with_a_finite_number:
    """X14. top k that sets the other logits to -10000

    Logits may be as low as that. Which number is below all others?
    """

    def next_token_probabilities(logits, temperature, top_k=None):
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("wrong arguments")
        if temperature == 0:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        if top_k is not None:
            smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
            logits = logits.masked_fill(logits < smallest, -1e4)
        return torch.softmax(logits / temperature, -1)


class argmax_called_sampling:
    """R13. the likeliest token, where one is to be drawn

    5000 draws from (0.3, 0.7) give both tokens. What is random in yours?
    """

    def sample_next(logits, temperature=1.0, top_k=None, generator=None):
        return next_token_probabilities(logits, temperature, top_k).argmax(-1)


class sampling_ignores_the_generator:
    """X15. draws that come from torch's global generator

    The generator that is passed is the one to be used, or nobody can repeat the draw.
    """

    def sample_next(logits, temperature=1.0, top_k=None, generator=None):
        p = next_token_probabilities(logits, temperature, top_k)
        return torch.multinomial(p.reshape(-1, logits.shape[-1]), 1).reshape(logits.shape[:-1])


class one_random_number_for_all_rows:
    """X15. one random number that decides all rows

    Two rows with the same logits then always draw the same token. Each row is drawn on its own.
    """

    def sample_next(logits, temperature=1.0, top_k=None, generator=None):
        ends = next_token_probabilities(logits, temperature, top_k).double().cumsum(-1)
        number = torch.rand(*logits.shape[:-2], *[1] * min(1, logits.dim() - 1), generator=generator).double()
        return (ends <= (number * ends[..., -1]).unsqueeze(-1)).sum(-1)


# --- generating ----------------------------------------------------------------------------------------


class generates_past_eos:
    """X16. generate that goes on behind EOS until max_new_tokens

    What stands behind EOS is no answer, and costs time. When is a row finished, and when a batch?
    """

    @torch.no_grad()
    def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
        for _ in range(max_new_tokens):
            ids = torch.cat([ids, model(ids)[:, -1].argmax(-1)[:, None]], 1)
        return ids


class generation_ends_when_all_end_at_once:
    """X16. generate that ends only where all rows write EOS in the same step

    Rows end at different times. What has to be remembered from step to step?
    """

    @torch.no_grad()
    def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
        for _ in range(max_new_tokens):
            best = model(ids)[:, -1].argmax(-1)
            ids = torch.cat([ids, best[:, None]], 1)
            if (best == eos_id).all():
                break
        return ids


class eos_of_the_prompt_counts:
    """X16. generate that takes an EOS in the prompt for the end

    A prompt may hold an EOS, of an example say. Only one that was generated ends a row.
    """

    @torch.no_grad()
    def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
        for _ in range(max_new_tokens):
            finished = (ids == eos_id).any(1)
            if finished.all():
                break
            best = torch.where(finished, pad_id, model(ids)[:, -1].argmax(-1))
            ids = torch.cat([ids, best[:, None]], 1)
        return ids


class prompt_fed_again_and_again:
    """X16. generate that passes the bare prompt to the model each time

    What was generated is a part of what comes next. What does the model see in the second step?
    """

    @torch.no_grad()
    def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
        finished = torch.zeros(len(ids), dtype=torch.bool)
        prompt = ids
        for _ in range(max_new_tokens):
            best = torch.where(finished, pad_id, model(prompt)[:, -1].argmax(-1))
            ids = torch.cat([ids, best[:, None]], 1)
            finished = finished | (best == eos_id)
            if finished.all():
                break
        return ids


class gradients_switched_off_for_good:
    """X16. generate that switches gradients off and leaves them off

    After the first evaluation nothing is learned any more. How is the old state restored?
    """

    def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
        torch.set_grad_enabled(False)
        finished = torch.zeros(len(ids), dtype=torch.bool)
        for _ in range(max_new_tokens):
            best = torch.where(finished, pad_id, model(ids)[:, -1].argmax(-1))
            ids = torch.cat([ids, best[:, None]], 1)
            finished = finished | (best == eos_id)
            if finished.all():
                break
        return ids


# --- scores (R08, R14) ---------------------------------------------------------------------------------


class beginning_scored:
    """R08. score_generated that overlooks what follows the answer

    123 is not 12. What has to stand right behind the answer?
    """

    def score_generated(ids, prompt_length, answer, tokenizer):
        wanted = tokenizer.encode(answer, bos=False, eos=False)
        generated = ids[prompt_length:]
        return generated[: len(wanted)] == wanted and tokenizer.eos_id in generated


class scored_token_by_token:
    """R08. score_generated that compares token by token as far as both go, as with a teacher at hand

    zip ends with the shorter of the two, so a wrong length is never seen. What about the rest?
    """

    def score_generated(ids, prompt_length, answer, tokenizer):
        wanted = tokenizer.encode(answer, bos=False)
        return all(have == want for have, want in zip(ids[prompt_length:], wanted))


class eos_not_required:
    """R08. score_generated that does not ask for an EOS

    A model that never stops has not answered, even if its first tokens are right.
    """

    def score_generated(ids, prompt_length, answer, tokenizer):
        return tokenizer.decode(ids[prompt_length:]) == answer


class scored_as_text:
    """R08. score_generated that compares decoded texts

    decode drops PAD and BOS, so "4", PAD, "6" reads as 46. What is to be compared?
    """

    def score_generated(ids, prompt_length, answer, tokenizer):
        generated = ids[prompt_length:]
        return tokenizer.eos_id in generated and tokenizer.decode(generated) == answer


class matches_as_numbers:
    """X17. exact_match that compares numbers where it can

    "046" is not the text "46".
    """

    def exact_match(predictions, answers):
        if len(predictions) != len(answers):
            raise ValueError("not as many")
        number = lambda text: int(text) if re.fullmatch("-?[0-9]+", text) else text
        return sum(number(p) == number(a) for p, a in zip(predictions, answers)) / max(1, len(answers))


class pass_at_k_with_replacement:
    """R14. pass_at_k as 1 - (1 - c/n)^k

    That is the chance if the k samples are put back after each draw; of small n it is too low. n=5, c=2, k=3 gives 0.9.
    """

    def pass_at_k(n, c, k):
        if not 0 <= c <= n or not 1 <= k <= n:
            raise ValueError("wrong numbers")
        return 1 - (1 - c / n) ** k


class pass_at_k_overflows:
    """R14. pass_at_k with factorials as floats

    The factorial of 171 is too large for a float. What can Python count with instead?
    """

    def pass_at_k(n, c, k):
        if not 0 <= c <= n or not 1 <= k <= n:
            raise ValueError("wrong numbers")
        if n - c < k:
            return 1.0
        f = lambda m: float(math.factorial(m))
        return 1 - (f(n - c) / f(k) / f(n - c - k)) / (f(n) / f(k) / f(n - k))
