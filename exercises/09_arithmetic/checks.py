"""What is asked of arithmetic.py: the cases, what is run on them, and how the answers are compared.

No import of torch here: this file is read by a process that only compares, and needs none.

Random functions are compared by what they do on average: a probe counts, and shares may differ from those of
the reference by at least five standard deviations of the difference.
"""

import math
import random
from itertools import pairwise

from grader import draw
from grader.check import check
from grader.compare import Close, Derived, Exact

DIGITS = "0123456789"
CHARACTERS = "0123456789+-*= "
PAD, BOS, EOS, EQUALS = 0, 1, 2, 16


def _or_error(function, *args, **given):
    """Return what a call gives, the name of its error if it is a ValueError."""
    try:
        return function(*args, **given)
    except ValueError:
        return "ValueError"


def _ids(text):
    """Return the ids of a text, for inputs that must not depend on the student's tokenizer."""
    return [3 + CHARACTERS.index(character) for character in text]


# --- tokenizer --------------------------------------------------------------------------------


def texts():
    parts = draw.choice("1", "20", "345", "6789", "+", "-", "*", "=", " ", "007", "a", "é", "٣")
    return draw.build(_text, parts=draw.lists(parts, 0, 6), bos=draw.choice(True, False), eos=draw.choice(True, False))


def _text(parts, bos=True, eos=True):
    return {"text": "".join(parts), "bos": bos, "eos": eos}


def hard_texts():
    found = ["", "7", "12+34=46", "3-10=-7", "60*40=2400", "0123456789", " 1  2 ", "1+2=3 " * 40]
    # one character that is no token: at the start, at the end, twice, among tokens, in disguise
    found += ["a", "1a2", "12+34=46?", "1?2!", "1\n", "\t1", "٣+1", "2²", "3−1", "1\u00a02"]
    # the names of the special tokens are no tokens of a text
    found += ["<pad>", "1<eos>2", "1_0", "１"]
    cases = [_text([text], bos, eos) for text in ("", "3-10=-7", "1a2") for bos, eos in ((True, False), (False, True))]
    return cases + [_text([text]) for text in found] + [_text([text], False, False) for text in ("", "7", "1a2")]


def _refusal(tokenizer, text, bos, eos):
    """Return the ids of a text, or what the refusal of it says."""
    import re

    try:
        return tokenizer.encode(text, bos, eos)
    except ValueError as error:
        wrong = [place for place, character in enumerate(text) if character not in "0123456789+-*= "]
        place = wrong[0] if wrong else -1
        message = str(error)
        named = text[place] in message or repr(text[place])[1:-1] in message
        return {"ValueError names the character": named, "the place": str(place) in re.findall("[0-9]+", message)}


@check(points=2, cases=texts, examples=hard_texts, draws=4, compare=Exact())
def encoding_has_fixed_ids_and_refuses_the_unknown(module, text, bos, eos):
    """ArithmeticTokenizer, encode: fixed ids, BOS and EOS where wanted, unknown characters refused"""
    tokenizer = module.ArithmeticTokenizer()
    found = {
        "vocab": dict(tokenizer.vocab),
        "special": [tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id],
        "vocab_size": tokenizer.vocab_size,
        "ids": _refusal(tokenizer, text, bos, eos),
    }
    if bos and eos:
        found["by default"] = _or_error(tokenizer.encode, text)
    # what becomes of one tokenizer, or of a list that it returned, must not change another one
    found["with spaces"] = list(tokenizer.encode("1 + 2"))
    tokenizer.encode("1 + 2").append(99)
    tokenizer.vocab["?"] = 99
    found["again"] = module.ArithmeticTokenizer().encode("1 + 2")
    found["another"] = dict(module.ArithmeticTokenizer().vocab)
    return found


def id_lists():
    return draw.build(_id_list, ids=draw.lists(draw.integers(0, 17), 0, 9))


def _id_list(ids):
    return {"ids": ids}


def hard_id_lists():
    lists = [[], [EOS], [BOS], [PAD], [BOS, EOS], [3], [4, 5], [BOS, 4, 5, 13, 6, 7, 16, 7, 9, EOS]]
    lists += [[BOS, 4, EOS, 5, 6], [4, PAD, 5], [4, BOS, 5, EOS], [4, EOS, PAD, PAD], [EOS, 4, EOS, 5], [PAD, 4]]
    lists += [list(range(3, 18)), [17, 4, 17, 17, 5, 17], [BOS, 6, 14, 4, 3, 16, 14, 10, EOS, PAD]]
    lists += [[18], [-1], [4, -15], [4, 18, 5], [EOS, 18], [4, EOS, -1], [BOS, 10**12], [-18], [4, PAD, -2], [16, 17]]
    return [_id_list(ids) for ids in lists]


@check(points=2, cases=id_lists, examples=hard_id_lists, draws=4, compare=Exact())
def decoding_stops_at_the_first_end(module, ids):
    """decode: the text up to the first EOS, without PAD and BOS; ids out of range refused"""
    tokenizer = module.ArithmeticTokenizer()
    return {"text": _or_error(tokenizer.decode, ids), "all tokens": tokenizer.decode(list(range(3, 18)))}


# --- problems ---------------------------------------------------------------------------------


def problems():
    number = draw.choice(0, 1, 9, 10, 25, 40, 99, 100, 347, 5000, 10**20 - 1)
    return draw.build(_problem, a=number, b=number, op=draw.choice("+", "-", "*"), reverse=draw.choice(False, True))


def _problem(a, b, op, reverse):
    return {"a": a, "b": b, "op": op, "reverse": reverse}


def hard_problems():
    found = [(12, 34, "+"), (3, 10, "-"), (1, 25, "-"), (60, 40, "+"), (12, 34, "*"), (0, 0, "+"), (0, 0, "-")]
    found += [(30, 100, "-"), (0, 10, "-"), (250, 4, "*"), (10**25, 1, "-")]
    cases = [_problem(a, b, op, reverse) for a, b, op in found for reverse in (False, True)]
    return cases + [_problem(7, 2, op, False) for op in ("/", "", "+-", "**")]


@check(points=1, cases=problems, examples=hard_problems, draws=4, compare=Exact())
def problems_are_written_with_their_answer(module, a, b, op, reverse):
    """format_problem: problem and answer as text, the digits of the answer reversed where wanted"""
    found = {"text": _or_error(module.format_problem, a, b, op, reverse)}
    if not reverse:
        found["by default"] = _or_error(module.format_problem, a, b, op)
    return found


def written():
    parts = draw.choice("1", "20", "-", "0", "+", "=", " ", "7", "300")
    return draw.build(_written, before=draw.choice("12+34=", "3-10=", "60*5="), parts=draw.lists(parts, 0, 4))


def _written(before, parts):
    return {"text": before + "".join(parts)}


def hard_written():
    behind = ["46", "-7", "0", "001", "100", "-42", "-100", "-001", "007", "-0", "123456789012345678901", "-020"]
    behind += ["", "-", "--7", "+46", " 46", "46 ", "4_6", "7-", "46=46", "46+1", "4.6", "1e3", "٣", "²", "46\n", "- 7"]
    cases = [_written("12+34=", [text]) for text in behind]
    return [*cases, *(_written("", [text]) for text in ("", "46", "=46", "12+34 = 46", "1=2=3"))]


@check(points=2, cases=written, examples=hard_written, draws=4, compare=Exact())
def answers_are_read_back(module, text):
    """parse_answer: the number behind the first "=", None where there is none"""
    return {
        "by default": module.parse_answer(text),
        "reversed": module.parse_answer(text, True),
        "named": [module.parse_answer(text, reverse=False), module.parse_answer(text, reverse=True)],
    }


def additions():
    number = draw.choice(0, 1, 5, 9, 10, 45, 55, 99, 101, 909, 999, 1000, 4567, 95_959, 10**9 - 1)
    return draw.build(_addition, a=number, b=number)


def _addition(a, b):
    return {"a": a, "b": b}


def hard_additions():
    found = [(57, 68), (0, 0), (5, 5), (4, 5), (99, 1), (1, 99), (999, 1), (50, 50), (95, 5), (123, 456), (909, 91)]
    # a carry that was passed on once must not come back: 905 + 5
    found += [(5, 995), (5555, 5555), (105, 905), (905, 5), (3, 3907), (45, 54), (10**30 - 1, 1), (2**64, 2**64)]
    return [_addition(a, b) for a, b in found]


@check(points=1, cases=additions, examples=hard_additions, draws=6, compare=Exact())
def carries_are_counted(module, a, b):
    """carries: how many an addition has, those that a carry causes included"""
    return module.carries(a, b)


# --- drawing and splitting --------------------------------------------------------------------


def _unmoved(function):
    """Return whether a call leaves the global random generators as they are."""
    import numpy as np
    import torch

    def states():
        numbers = np.random.get_state()
        return [random.getstate(), numbers[1].tolist(), numbers[2], torch.get_rng_state().tolist()]

    # seeds that no call has: one that starts a generator anew and draws as often as before is seen too
    random.seed(12_345)
    np.random.seed(12_345)
    torch.manual_seed(12_345)
    before = states()
    function()
    return states() == before


class Salted(int):
    """A number that has another hash than its like, as texts have from one run of Python to the next."""

    def __hash__(self):
        return int(self) * 2_654_435_761 % 1_000_003


def _shares(values):
    """Return how often each value is among the values, as a share."""
    found = list(values)
    return {value: found.count(value) / len(found) for value in sorted(set(found))}


def drawings():
    return draw.build(
        _drawing,
        digits=draw.choice((1, 2), (1,), (2,), (1, 3), (3, 1), (2, 4)),
        op=draw.choice("+", "-", "*"),
        seed=draw.integers(0, 999),
    )


def _drawing(digits, op, seed):
    return {"digits": digits, "op": op, "seed": seed}


def hard_drawings():
    return [
        _drawing((1,), "-", 0),
        _drawing((2,), "+", 3),
        _drawing((1, 4), "+", 1),
        _drawing((3, 1), "-", 0),
        _drawing((1, 1, 3), "*", 5),
        _drawing((25,), "+", 2),
    ]


@check(points=3, cases=drawings, examples=hard_drawings, draws=1, compare=Close(atol=0.07))
def problems_have_the_chosen_digits(module, digits, op, seed):
    """make_problems: chosen numbers of digits, every pair possible, the seed alone decides"""
    count = 3000
    made = module.make_problems(count, digits, op, seed)
    some = module.make_problems(50, digits, op, seed)
    other = module.make_problems(50, digits, op, seed + 1)
    random.seed(1)
    again = module.make_problems(count, digits, op, seed)
    left, right = [a for a, _, _ in made], [b for _, b, _ in made]
    lengths = [(len(str(a)), len(str(b))) for a, b in zip(left, right, strict=True)]
    single = [number for number in left + right if number < 10]
    double = [number for number in left + right if 10 <= number < 100]
    return {
        "count": len(made),
        "op": sorted({problem[2] for problem in made}),
        "types": sorted({type(number).__name__ for number in left + right}),
        "lengths": _shares(f"{a} and {b} digits" for a, b in lengths),
        "one digit": sorted(set(single)),
        "two digits": sorted(set(double)),
        # all 100 where there is nothing else; no fewer than 80, up to chance, where these are a quarter
        "pairs of one digit": min(80, len({(a, b) for a, b, _ in made if a < 10 and b < 10})),
        "first digits": [_shares(str(number)[0] for number in side) for side in (left, right)],
        "last digits": [_shares(str(number)[-1] for number in side) for side in (left, right)],
        "negative": sum(a < b for a, b in zip(left, right, strict=True)) / count,
        "equal": sum(a == b for a, b in zip(left, right, strict=True)) / count,
        "with a carry": sum(a % 10 + b % 10 > 9 for a, b in zip(left, right, strict=True)) / count,
        # how many digits a problem has does not follow from those of the problems before it
        "digits as before": [
            sum(one == other for one, other in zip(lengths[lag:], lengths[:-lag], strict=True)) / (count - lag)
            for lag in (1, 2, 3, 4, 6, 9)
        ],
        "as its neighbour": sum(a == b for a, b in zip(left[1:], left[:-1], strict=True)) / count,
        "same seed, same problems": made == again,
        "other seed, other problems": some != other,
        "global generators unmoved": _unmoved(lambda: module.make_problems(9, digits, op, seed)),
        "none": module.make_problems(0, digits, op, seed),
        "one": len(module.make_problems(1, digits, op, seed)),
        "by default": module.make_problems(40) == module.make_problems(40, (1, 2), "+", 0),
        "not an operator": [_or_error(module.make_problems, 3, (1, 2), wrong) for wrong in ("/", "", "+-")],
    }


def splits():
    number = draw.integers(0, 5)
    op = draw.choice("+", "-", "*")
    parts = draw.lists(draw.build(_operands, a=number, b=number, op=op), 0, 14)
    return draw.build(_split, problems=parts, share=draw.choice(0.25, 0.5, 0.0, 1.0, 0.375), seed=draw.integers(0, 99))


def _operands(a, b, op):
    return (a, b, op)


def _split(problems, share, seed):
    return {"problems": [tuple(problem) for problem in problems], "share": share, "seed": seed}


def hard_splits():
    pairs = [(1, 2), (2, 1), (3, 3), (4, 7), (7, 4), (0, 9), (9, 0), (12, 5)]
    every = [(a, b, op) for op in "+-*" for a, b in pairs]
    table = [(a, b, "+") for a in range(5) for b in range(5)]
    return [
        _split([], 0.5, 1),
        _split([(1, 2, "+")], 1.0, 1),
        _split([(1, 2, "+"), (2, 1, "+")], 0.5, 0),
        _split([(1, 2, "+"), (2, 1, "+")], 1.0, 0),
        _split([(1, 2, "-"), (2, 1, "-")], 0.5, 0),
        _split([(1, 2, "*"), (2, 1, "*"), (1, 2, "*"), (3, 4, "*")], 0.5, 3),
        _split([(1, 2, "+"), (2, 1, "*"), (1, 2, "-")], 0.5, 4),
        _split([(1, 2, "+")] * 4 + [(3, 3, "+")] * 4, 0.5, 4),
        _split([(12, 3, "+"), (1, 23, "+"), (3, 12, "+"), (23, 1, "+")], 0.5, 6),
        _split([(1, 4, "+"), (2, 3, "+"), (2, 6, "*"), (3, 4, "*"), (0, 5, "+"), (12, 1, "*")], 0.5, 6),
        _split(every, 0.25, 2),
        _split(every + every[::-1], 0.75, 5),
        _split(table, 0.5, 0),
        _split(table[:9], 0.0, 8),
        _split(table[:9], 1.0, 8),
    ]


def _group(problem):
    """Return the name of the group of a problem: a text, to be sorted and sent."""
    a, b, op = problem
    return f"{min(a, b)} {op} {max(a, b)}" if op in "+*" else f"{a} {op} {b}"


@check(points=3, cases=splits, examples=hard_splits, draws=3, compare=Close(atol=0.3))
def train_and_test_have_nothing_in_common(module, problems, share, seed):
    """split_problems: no problem on both sides, b + a included; each kept once; random by the seed"""
    train, test = module.split_problems(problems, share, seed)
    sides = [list(map(tuple, train)), list(map(tuple, test))]
    groups = [{_group(problem) for problem in side} for side in sides]
    again = module.split_problems(problems, share, seed)
    salted = module.split_problems([(Salted(a), Salted(b), op) for a, b, op in problems], share, seed)
    drawn = [module.split_problems(problems, share, number)[1] for number in range(150)]
    tests = [{_group(problem) for problem in side} for side in drawn]
    order = list(dict.fromkeys(map(_group, problems)))
    pairs = [(one in names) == (other in names) for names in tests for one, other in pairwise(order)]
    return {
        "problems of both": sorted(sides[0] + sides[1]),
        "groups of train and test": [len(names) for names in groups],
        "in both": sorted(groups[0] & groups[1]),
        "same seed, same split": [list(map(tuple, side)) for side in again] == sides,
        "same split whatever the hashes are": [list(map(tuple, side)) for side in salted] == sides,
        "splits of 150 seeds differ": len({frozenset(names) for names in tests}) > 1,
        "how often in the test set": {
            name: sum(name in names for names in tests) / 150 for name in sorted(groups[0] | groups[1])
        },
        "neighbours together": sum(pairs) / max(1, len(pairs)),
        "by default": module.split_problems(problems, share) == module.split_problems(problems, share, 0),
        "global generators unmoved": _unmoved(lambda: module.split_problems(problems, share, seed)),
    }


# --- batches ----------------------------------------------------------------------------------


def batches():
    lengths = draw.lists(draw.integers(0, 6), 0, 5)
    return draw.build(_batch, lengths=lengths, pad_id=draw.choice(0, 2, 7), seed=draw.integers(0, 999))


def _batch(lengths, pad_id, seed):
    rng = random.Random(seed)  # noqa: S311  inputs, no secrets
    return {"sequences": [[rng.randrange(18) for _ in range(length)] for length in lengths], "pad_id": pad_id}


def hard_batches():
    return [
        {"sequences": sequences, "pad_id": pad_id}
        for sequences, pad_id in (
            ([[4, 5], [6]], 0),
            ([[6], [4, 5, 7], [8, 9]], 0),
            ([[4, 5, 6]], 0),
            ([[4, 5], [6, 7], [8, 9]], 0),
            ([[0, 4], [5, 0, 0]], 0),
            ([[7, 7], [7], [4, 5, 7]], 7),
            ([[], [4, 5]], 0),
            ([[], []], 0),
            ([[]], 3),
            ([], 0),
            ([[1, 4, 5, 13, 6, 7, 16, 7, 9, 2], [1, 6, 14, 4, 3, 16, 14, 10, 2]], 0),
            ([[17] * 9, [3]], -1),
            ([[5, 6], [3 + n % 10 for n in range(150)]], 0),
            ([[50_000, 2**40], [3]], 1),
        )
    ]


@check(points=2, cases=batches, examples=hard_batches, draws=4, compare=Exact())
def batches_are_padded_on_the_right(module, sequences, pad_id):
    """pad_batch: ids and mask of sequences of different lengths, empty ones too"""
    ids, mask = module.pad_batch(sequences, pad_id)
    kept = ids.clone(), mask.clone()
    module.pad_batch([[5, 5, 5, 5], [6]], 9)  # another batch must not change this one
    return {
        "ids": ids,
        "attention_mask": mask,
        "unchanged": [bool((ids == kept[0]).all()), bool((mask == kept[1]).all())],
    }


def labelled():
    rows = draw.lists(draw.choice("1+2=3", "12-34=-22", "7*8=56", "99", "1=2=3", "=", ""), 1, 4)
    return draw.build(_labelled, texts=rows, pad=draw.choice(PAD, EQUALS, 4, EOS), ignore=draw.choice(None, -1, 3))


def _labelled(texts, pad=PAD, ignore=None, end=(EOS,), equals=EQUALS):
    rows = [[BOS, *_ids(text), *end] for text in texts]
    if equals != EQUALS:
        rows = [[equals if number == EQUALS else number for number in row] for row in rows]
    length = max(map(len, rows), default=0)
    return {
        "ids": draw.as_array([row + [pad] * (length - len(row)) for row in rows], "int64"),
        "mask": draw.as_array([[True] * len(row) + [False] * (length - len(row)) for row in rows], "bool"),
        "equals_id": equals,
        "ignore": ignore,
    }


def hard_labelled():
    return [
        _labelled(["1=2"]),
        _labelled(["12+34=46", "3-10=-7"]),
        _labelled(["12+34=46", "3-10=-7"], ignore=-1),
        _labelled(["3-10=-7", "1+1=2", "7*8=56", "100-1=99"]),
        _labelled(["0+0=0", "12*10=120"]),
        _labelled(["12", "1=", "=", "=7", ""]),
        _labelled(["1=2=3", "==", "1+1=2"]),
        _labelled(["1+1=2", "12+34=46"], pad=EQUALS),
        _labelled(["12", "12+34=46"], pad=EQUALS),
        _labelled(["1+1=2", "12+34=46"], pad=EOS),
        _labelled(["1+1=2", "12+34=46"], pad=4),
        _labelled(["1+1=2", "12+34=46", "9"], end=()),
        _labelled(["1+1=2", "12+34=46"], end=(EOS, EOS)),
        _labelled(["10+10=20"], ignore=0),
        _labelled(["1+1=2", "12+34=46"], equals=5),
        _labelled(["1+1=2", "11" * 30 + "*1=" + "11" * 30]),
        _labelled(["=12"], end=()),
        {
            **_labelled(["1=2"]),
            "ids": draw.as_array([[EQUALS, 4, 5, EOS], [4, EQUALS, 6, 7]], "int64"),
            "mask": draw.as_array([[True] * 4] * 2, "bool"),
        },
        _labelled([""], end=()),
        {
            **_labelled(["1=2"]),
            "ids": draw.as_array([[BOS, 4, EQUALS]], "int64"),
            "mask": draw.as_array([[True] * 3], "bool"),
        },
    ]


@check(points=3, cases=labelled, examples=hard_labelled, draws=6, compare=Exact())
def labels_score_only_the_answer(module, ids, mask, equals_id, ignore):
    """answer_labels: the next token, behind the first "=" only, padding left out"""
    given = {} if ignore is None else {"ignore_index": ignore}
    labels = module.answer_labels(ids, mask, equals_id, **given)
    strided = module.answer_labels(ids.mT.contiguous().mT, mask.mT.contiguous().mT, equals_id, **given)
    module.answer_labels(ids, mask, equals_id, -7)  # another call must not change the first
    own = bool((labels.clone().fill_(0) == 0).all()) and labels.data_ptr() != ids.data_ptr()
    return {"labels": labels, "strided": strided, "own memory": own or labels.numel() == 0}


# --- sampling ---------------------------------------------------------------------------------


def logit_rows():
    return draw.build(
        _logit_rows,
        shape=draw.sizes(2, 2, 9),
        dtype=draw.choice("float32", "float64"),
        temperature=draw.choice(1.0, 0.75, 2.0, 10.0),
        top_k=draw.choice(None, 1, 2, 3, 50),
        seed=draw.integers(0, 10**6),
    )


def _logit_rows(shape, dtype, temperature, top_k, shift=0.0, seed=1):
    # of numbers around 5 the last place counts for more than the roundings of a right program
    return {
        "logits": draw.values(seed, tuple(shape), dtype, "shifted", shift),
        "temperature": temperature,
        "top_k": top_k,
    }


def some_logit_rows():
    near = draw.as_array([2.0, 1.0, 0.0], "float32")
    masked = draw.as_array([[1.5, -math.inf, 0.25, -2.0, -math.inf], [-math.inf, 1.0, -1.0, -0.5, 0.125]], "float64")
    return [
        {"logits": near, "temperature": 0.5, "top_k": None},
        {"logits": near, "temperature": 0.5, "top_k": 2},
        {"logits": near, "temperature": 2, "top_k": 1},
        _logit_rows((4, 5), "float32", 1.0, None),
        _logit_rows((2, 3, 7), "float64", 0.5, 3),
        _logit_rows((3, 2, 4, 6), "float32", 2.0, 2),
        _logit_rows((5, 4), "float64", 1.0, 4),
        _logit_rows((5, 4), "float64", 3.0, 9),
        # so high a temperature that no token has all the probability: that one would have no rounding errors
        _logit_rows((3, 6), "float32", 2.0, 4, shift=10_000.0),
        _logit_rows((3, 6), "float64", 3.0, None, shift=10_000.0),
        _logit_rows((3, 6), "float64", 2.5, 4, shift=-10_000.0),
        _logit_rows((6, 1), "float32", 1.5, 1),
        {"logits": draw.values(4, (3, 5), "float32", "tiny"), "temperature": 1e-4, "top_k": None},
        {"logits": masked, "temperature": 0.5, "top_k": None},
        {"logits": masked, "temperature": 2.0, "top_k": 2},
    ]


@check(points=2, cases=logit_rows, examples=some_logit_rows, draws=6, compare=Derived())
def probabilities_follow_the_temperature(module, logits, temperature, top_k):
    """next_token_probabilities: softmax at a temperature, of the k largest logits"""
    rows = logits.mT.contiguous().mT if logits.dim() > 1 else logits
    given = (rows, temperature) if top_k is None else (rows, temperature, top_k)
    found = module.next_token_probabilities(*given)
    module.next_token_probabilities(logits + 1, 3.0, 1)  # another call must not change the first
    return found


def tied_rows():
    return draw.build(
        _tied_rows,
        shape=draw.sizes(2, 2, 7),
        temperature=draw.choice(0.0, 1.0, 0.25, 0),
        top_k=draw.choice(None, 1, 2, 3, 40),
        seed=draw.integers(0, 10**6),
    )


def _tied_rows(shape, temperature, top_k, seed):
    return {
        "logits": draw.values(seed, tuple(shape), "float32", "integers"),
        "temperature": temperature,
        "top_k": top_k,
    }


def some_tied_rows():
    rows = [[3.0, 1.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0], [-5.0, -1.0, -2.0, -1.0, -9.0]]
    found = [
        {"logits": draw.as_array(rows, dtype), "temperature": temperature, "top_k": top_k}
        for dtype, temperature, places in (
            ("float32", 0, (None, 2)),
            ("float64", 0.0, (1,)),
            ("float32", 1.0, range(1, 7)),
        )
        for top_k in places
    ]
    masked = [[-math.inf, 2.0, 2.0, -math.inf, 1.0], [0.5, -math.inf, -math.inf, -math.inf, -math.inf]]
    found += [
        {"logits": draw.as_array(masked, "float32"), "temperature": temperature, "top_k": top_k}
        for temperature, top_k in ((0.0, None), (1.0, 2), (1.0, None), (0.5, 4))
    ]
    single = draw.as_array([1.0, 4.0, 4.0], "float64")
    wrong = ((-1.0, None), (-0.001, 2), (1.0, 0), (0.0, 0), (1.0, -3), (0, 2))
    return found + [{"logits": single, "temperature": temperature, "top_k": top_k} for temperature, top_k in wrong]


@check(points=1, cases=tied_rows, examples=some_tied_rows, draws=4, compare=Exact())
def equal_logits_are_treated_alike(module, logits, temperature, top_k):
    """next_token_probabilities: which tokens are kept, ties and temperature 0 included; wrong arguments refused"""
    found = _or_error(module.next_token_probabilities, logits, temperature, top_k)
    if isinstance(found, str):
        return found
    # at temperature 0 the probabilities are exactly 0 and 1, else it is only asked which are there
    return {"kept": found > 0, "certain": found if temperature == 0 else None, "dtype": str(found.dtype)}


def samples():
    return draw.build(
        _sample,
        rows=draw.integers(1, 3),
        size=draw.integers(2, 5),
        temperature=draw.choice(1.0, 2.0, 0.7),
        top_k=draw.choice(None, 2, 3),
        seed=draw.integers(0, 999),
    )


def _sample(rows, size, temperature, top_k, seed):
    # logits at most 2.1 apart: every token that is kept comes up in 5000 draws
    rng = random.Random(seed)  # noqa: S311  inputs, no secrets
    logits = [[0.3 * place for place in rng.sample(range(8), size)] for _ in range(rows)]
    return {"logits": draw.as_array(logits, "float32"), "temperature": temperature, "top_k": top_k, "seed": seed}


def some_samples():
    def sample(logits, temperature, top_k, seed=3, dtype="float32"):
        return {"logits": draw.as_array(logits, dtype), "temperature": temperature, "top_k": top_k, "seed": seed}

    infinite = -math.inf
    return [
        sample([[0.0, 1.0]], 1.0, None),
        sample([[0.0, 1.0, 2.0]], 2.0, None),
        sample([[1.0, 0.0, 0.5, 1.5]], 0.5, 2),
        sample([[0.5, 1.0, 0.0], [0.5, 1.0, 0.0]], 1.0, None),
        sample([[0.5, 1.0, 0.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0]], 1.0, None, dtype="float64"),
        sample([[0.5, 1.0, infinite, 0.0], [infinite, 0.0, 0.25, infinite]], 1.0, None),
        sample([[1.0, 3.0, 2.0], [2.0, 0.0, 2.0]], 0.0, None),
        sample([[1.0, 2.0, 2.0, 0.0]], 1.0, 1),
        sample([[5000.0, 5001.0, 4999.0]], 1.0, None),
    ]


@check(points=2, cases=samples, examples=some_samples, draws=1, compare=Close(atol=0.06))
def draws_come_as_often_as_they_should(module, logits, temperature, top_k, seed):
    """sample_next: as often as the probabilities say; the generator alone decides"""
    import torch

    rows, size = logits.shape
    many, few = logits.expand(5000, rows, size), logits.expand(60, rows, size)

    def state():
        return torch.get_rng_state() if logits.is_cpu else torch.cuda.get_rng_state()

    def new():
        return torch.Generator(logits.device).manual_seed(seed)

    first = module.sample_next(many, temperature, top_k, generator=new())
    default = module.sample_next(many, generator=new())
    generator = new()
    torch.manual_seed(seed + 1)
    before = state()
    repeated = [module.sample_next(few, temperature, top_k, generator=each) for each in (generator, new(), generator)]
    unmoved = torch.equal(state(), before)
    by_global = [module.sample_next(few, temperature, top_k), module.sample_next(few, temperature, top_k)]
    torch.manual_seed(seed + 1)
    by_global.append(module.sample_next(few, temperature, top_k))
    one = module.sample_next(logits[0], temperature, top_k, generator=generator)
    return {
        "dtype": str(first.dtype),
        "shapes": [list(first.shape), list(one.shape), list(module.sample_next(logits, temperature).shape)],
        "shares": [[(first[:, row] == token).double().mean().item() for token in range(size)] for row in range(rows)],
        "drawn": [sorted(set(first[:, row].tolist())) for row in range(rows)],
        "rows agree": (first[:, 0] == first[:, -1]).double().mean().item(),
        "one draw like the next": (first[1:, 0] == first[:-1, 0]).double().mean().item(),
        "same state, same draws": torch.equal(repeated[0], repeated[1]),
        "state moves on": not torch.equal(repeated[0], repeated[2]),
        "the global generator stays": unmoved,
        "without a generator": [torch.equal(by_global[0], by_global[2]), not torch.equal(by_global[0], by_global[1])],
        "by default": [(default[:, 0] == token).double().mean().item() for token in range(size)],
    }


# --- generating -------------------------------------------------------------------------------


def generations():
    return draw.build(
        _generation,
        sizes=draw.sizes(3, 1, 6),
        max_new_tokens=draw.integers(0, 9),
        pad_id=draw.choice(None, 0, 1, 3),
        scale=draw.choice("unit", "integers"),
        seed=draw.integers(0, 10**6),
    )


def _generation(sizes, max_new_tokens, pad_id, scale, seed, eos_id=2):
    batch, length, more = sizes
    vocabulary = more + 4
    rng = random.Random(seed)  # noqa: S311  inputs, no secrets
    return {
        "ids": draw.as_array([[rng.randrange(vocabulary) for _ in range(length)] for _ in range(batch)], "int64"),
        "weights": draw.values(seed, (vocabulary + 3, vocabulary), "float32", scale),
        "max_new_tokens": max_new_tokens,
        "eos_id": eos_id,
        "pad_id": pad_id,
    }


def _chain(follows, prompts, max_new_tokens, pad_id, eos_id=2):
    """Return a case in which the sum of a row, modulo the length of `follows`, decides what follows."""
    size = max(7, *follows) + 1
    weights = [[3.0 if token == follow else token / 10 for token in range(size)] for follow in follows]
    return {
        "ids": draw.as_array(prompts, "int64"),
        "weights": draw.as_array(weights, "float32"),
        "max_new_tokens": max_new_tokens,
        "eos_id": eos_id,
        "pad_id": pad_id,
    }


def some_generations():
    to_the_end = [4, 2, 1, 2, 3, 4, 2]
    return [
        _chain(to_the_end, [[1]], 3, None),
        _chain(to_the_end, [[4]], 9, 0),
        _chain(to_the_end, [[4, 3]], 0, 0),
        _chain(to_the_end, [[4, 3, 1], [1, 2, 2]], 1, 0),
        _chain(to_the_end, [[0, 4], [1, 0], [2, 6], [3, 3]], 9, 0),
        _chain(to_the_end, [[0, 4], [1, 0], [2, 6], [3, 3]], 9, 5),
        _chain(to_the_end, [[2, 2], [1, 2]], 6, 0),
        _chain(to_the_end, [[0, 4], [5, 3]], 8, 1, eos_id=4),
        _chain(to_the_end, [[0, 4], [5, 3], [1, 1]], 8, 2),
        _chain([1, 1, 1, 1], [[3, 0, 1], [0, 0, 2]], 5, 0),
        _chain([1, 2, 1, 1], [[3, 0, 1], [0, 0, 2]], 5, None, eos_id=0),
        _generation([3, 2, 5], 9, 0, "integers", 4),
        _chain([1, 1, 3, 1], [[3, 0], [0, 1], [5, 5]], 40, 0),
        _generation([4, 1, 3], 7, 1, "integers", 5),
    ]


@check(points=2, cases=generations, examples=some_generations, draws=5, compare=Exact())
def prompts_are_continued_to_their_end(module, ids, weights, max_new_tokens, eos_id, pad_id):
    """generate: greedy, each row up to its EOS, no longer than asked, no call of the model too many"""
    import torch

    calls, recorded = [], []
    weights = weights.clone().requires_grad_()

    def model(rows):
        calls.append(list(rows.shape))
        recorded.append(torch.is_grad_enabled())
        return weights[rows.cumsum(1) % len(weights)]  # what follows depends on everything before

    given = {} if pad_id is None else {"pad_id": pad_id}
    found = module.generate(model, ids, max_new_tokens, eos_id, **given)
    return {
        "ids": found,
        "calls of the model": calls,
        "gradients recorded in them": any(recorded),
        "gradients recorded afterwards": torch.is_grad_enabled(),
    }


# --- scores -----------------------------------------------------------------------------------


def scores():
    parts = draw.lists(draw.choice("1", "2", "12", "-", "0"), 1, 3)
    tail = draw.lists(draw.choice(EOS, PAD, 4, EOS), 0, 3)
    return draw.build(_score, answer=draw.choice("12", "1", "-12", "120"), written=parts, tail=tail, more=parts)


def _score(answer, written, tail, more=(), prompt="1+11="):
    start = [BOS, *_ids(prompt)]
    return {
        "ids": start + _ids("".join(written)) + list(tail),
        "prompt_length": len(start),
        "answer": answer,
        "predictions": ["".join(written), "".join(more), answer],
        "answers": [answer, answer, answer],
    }


def hard_scores():
    found = [
        ("46", "46", [EOS]),
        ("46", "46", []),
        ("46", "46", [PAD, EOS]),
        ("46", "46", [EOS, PAD, PAD]),
        ("46", "46", [EOS, 4, 5]),
        ("123", "12", [EOS]),
        ("12", "123", [EOS]),
        ("46", "046", [EOS]),
        ("-7", "7", [EOS]),
        ("-7", "-7", [EOS]),
        ("0", "-0", [EOS]),
        ("46", "", []),
        ("46", "", [EOS, 7, 9, EOS]),
        ("46", "64", [EOS]),
        ("46", "=46", [EOS]),
        ("7", "7=7", [EOS]),
        ("1", "1", [4, EOS]),
    ]
    cases = [_score(answer, [written], tail, ["46"]) for answer, written, tail in found]
    cases += [_score("46", ["46"], [EOS], prompt="46="), _score("46", ["45"], [EOS], prompt="46+0=46 ")]
    cases.append(_score("46", ["46"], [EOS], prompt=""))
    inside = _score("46", [], [7, PAD, 9, EOS])  # padding inside the answer
    cases += [inside, _score("46", [], [PAD, 7, 9, EOS]), _score("46", [], [BOS, 7, 9, EOS])]
    behind = {**_score("46", ["46"], [EOS]), "ids": [BOS, 4, EOS, 7, 9], "prompt_length": 3}  # an EOS in the prompt
    cases += [behind, {**behind, "ids": [BOS, 4, EOS, 7, 9, EOS]}]
    for predictions, answers in (
        ([], []),
        (["1"], []),
        (["1", "2"], ["1"]),
        (["1"], ["1", "2"]),
        (["2"] * 3, ["2"] * 3),
    ):
        cases.append({**_score("46", ["46"], [EOS]), "predictions": predictions, "answers": answers})
    texts = ["046", "46 ", "46", "", "-46", "4", "46.0", "+46", "46"]
    cases.append({**_score("46", ["46"], [EOS]), "predictions": texts, "answers": ["46"] * len(texts)})
    swapped = {"predictions": ["1", "2", "3"], "answers": ["3", "2", "1"]}
    return [*cases, {**_score("46", ["46"], [EOS]), **swapped}]


@check(points=2, cases=scores, examples=hard_scores, draws=4, compare=Close(rtol=1e-12))
def only_whole_answers_count(module, ids, prompt_length, answer, predictions, answers):
    """score_generated, exact_match: whole answers with their EOS, nothing more and nothing less"""
    tokenizer = module.ArithmeticTokenizer()
    return {
        "score": module.score_generated(ids, prompt_length, answer, tokenizer),
        "share": _or_error(module.exact_match, predictions, answers),
    }


def attempts():
    return draw.build(_attempt, n=draw.integers(1, 40), c=draw.integers(0, 40), k=draw.integers(1, 40))


def _attempt(n, c, k):
    return {"n": n, "c": min(c, n), "k": min(k, n)}


def hard_attempts():
    found = [(5, 2, 3), (5, 0, 3), (5, 5, 1), (5, 2, 1), (5, 1, 5), (5, 2, 4), (1, 0, 1)]
    found += [(10, 3, 7), (10, 3, 8), (200, 1, 100), (1000, 10, 100), (3000, 2, 1500), (3000, 1500, 1), (4000, 1, 2)]
    found += [(5, 6, 1), (5, -1, 1), (5, 2, 0), (5, 2, 6), (5, 5, 6), (0, 0, 0), (0, 0, 1)]
    return [{"n": n, "c": c, "k": k} for n, c, k in found]


@check(points=1, cases=attempts, examples=hard_attempts, draws=4, compare=Close(rtol=1e-9, atol=1e-9))
def pass_at_k_is_unbiased(module, n, c, k):
    """pass_at_k: the unbiased estimate, of large numbers too; impossible numbers refused"""
    return _or_error(module.pass_at_k, n, c, k)


# --- devices ----------------------------------------------------------------------------------


def portable_batches():
    """Return cases of one function each: one that looks at values cannot be followed, the others still can."""
    batch = _labelled(["1+1=2", "12+34=46", "3-10=-7"])
    cases = [
        {"function": function, "logits": _logit_rows(shape, dtype, 1.0, None)["logits"]}
        for function in ("softmax", "top k", "temperature 0")
        for shape, dtype in (((4, 6), "float32"), ((2, 3, 5), "float64"), ((7,), "float32"))
    ]
    return [{"function": "labels", "ids": batch["ids"], "mask": batch["mask"]}, *cases]


@check(points=1, examples=portable_batches, compare=Derived(), device="portable")
def everything_stays_on_its_device(module, function, ids=None, mask=None, logits=None):
    """answer_labels, next_token_probabilities: nothing is made on the wrong device"""
    if function == "labels":
        return module.answer_labels(ids, mask, 16)
    if function == "softmax":
        return module.next_token_probabilities(logits, 0.5)
    if function == "top k":
        return module.next_token_probabilities(logits, 2.0, 2)
    return module.next_token_probabilities(logits, 0.0)
