"""A count of steps depends on the program and its input, on nothing else."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cost import operations, tensors

ROOT = Path(__file__).parent.parent


def loop(items):
    total = 0
    for item in items:
        total += item
    return total


def pairs(items):
    total = 0
    for one in items:
        for other in items:
            total += one * other
    return total


def read_once(text):
    return text.replace("x", "y")


def read_for_each(text):
    return [text.find("y") for _ in text]


def build(items):
    result = []
    for item in items:
        result.append(item)
    while result:
        result.pop()


def insert_in_front(items):
    result = []
    for item in items:
        result.insert(0, item)


def recurse(items):
    return items[0] + recurse(items[1:]) if items else 0


class Countdown:
    def __init__(self, items):
        self.left = len(items)

    def __iter__(self):
        while self.left:
            self.left -= 1
            yield self.left


def generate(items):
    return sum(Countdown(items))


def fail(items):
    loop(items)
    raise KeyError("on purpose")


LINEAR = [loop, build, recurse, generate]
ALL = [*LINEAR, pairs, insert_in_front]


def growth(function, make, size=50):
    nothing = operations(function, make(0))
    return (operations(function, make(2 * size)) - nothing) / (operations(function, make(size)) - nothing)


def numbers(size):
    return list(range(size))


# --- counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ALL)
def test_the_same_call_has_the_same_count(function):
    assert len({operations(function, numbers(20)) for _ in range(60)}) == 1


def test_another_process_has_the_same_count():
    program = "from tests.test_cost import *\nprint([operations(f, numbers(20)) for f in ALL])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{[operations(function, numbers(20)) for function in ALL]}\n"


@pytest.mark.parametrize("function", LINEAR)
def test_linear_work_grows_linearly(function):
    assert growth(function, numbers) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("function", [pairs, insert_in_front])
def test_quadratic_work_grows_quadratically(function):
    assert growth(function, numbers, 200) == pytest.approx(4.0, rel=0.1)


def test_reading_a_text_once_is_linear():
    assert growth(read_once, lambda size: "x" * size) == pytest.approx(2.0, rel=0.02)


def test_reading_a_text_for_each_character_is_quadratic():
    assert growth(read_for_each, lambda size: "x" * size, 500) == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("method", ["replace", "find", "split", "count", "encode"])
def test_a_method_that_reads_its_text_counts_its_length(method):
    argument = {"replace": ("x", "y"), "encode": ()}.get(method, ("y",))

    def function(text):
        return getattr(text, method)(*argument)

    assert operations(function, "x" * 1000) - operations(function, "") == 1000


def test_bytes_and_lists_count_too():
    assert operations(lambda data: data.decode(), b"x" * 1000) - operations(lambda data: data.decode(), b"") == 1000
    assert operations(lambda items: items.index(-1), [0] * 999 + [-1]) >= 1000


def test_appending_to_a_long_list_is_one_step():
    long, short = [0] * 10**5, [0]
    assert operations(lambda items: items.append(1), long) == operations(lambda items: items.append(1), short)


def test_lines_in_functions_that_are_called_count():
    assert operations(lambda: loop(numbers(100))) > 200


def test_a_function_that_does_nothing_takes_next_to_nothing():
    assert 0 <= operations(lambda: None) <= 2


def test_arguments_are_handed_on():
    seen = []
    operations(lambda *args: seen.append(args), 1, "a", None)
    assert seen == [(1, "a", None)]


# --- what was traced before is traced again -------------------------------------------------------


def my_trace(frame, event, arg):
    return None


def my_profile(frame, event, arg):
    return None


def hooks_after(function, *args):
    """Call operations under our own trace and profile functions; return the hooks that are there afterwards."""
    old = sys.gettrace(), sys.getprofile()
    sys.settrace(my_trace)
    sys.setprofile(my_profile)
    try:
        operations(function, *args)
    except KeyError:
        pass
    finally:
        found = sys.gettrace(), sys.getprofile()
        sys.settrace(old[0])
        sys.setprofile(old[1])
    return found


def steal():
    sys.settrace(None)
    sys.setprofile(None)


@pytest.mark.parametrize("function", [loop, fail, lambda _: steal(), lambda items: operations(loop, items)])
def test_the_hooks_are_put_back(function):
    assert hooks_after(function, [1, 2]) == (my_trace, my_profile)


@pytest.mark.parametrize("function", [loop, fail])
def test_no_hook_is_left_where_none_was(function):
    old = sys.gettrace(), sys.getprofile()
    steal()
    try:
        operations(function, [1])
    except KeyError:
        pass
    finally:
        found = sys.gettrace(), sys.getprofile()
        sys.settrace(old[0])
        sys.setprofile(old[1])
    assert found == (None, None)


def test_an_exception_comes_through():
    with pytest.raises(KeyError, match="on purpose"):
        operations(fail, [1])


@pytest.mark.parametrize("function", [loop, fail])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(function, enabled):
    old = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        operations(function, [1])
    except KeyError:
        pass
    finally:
        found = gc.isenabled()
        (gc.enable if old else gc.disable)()
    assert found is enabled


def test_a_count_inside_a_count_is_what_it_is_alone():
    inner = []
    operations(lambda: inner.append(operations(loop, [1, 2])))
    assert inner == [operations(loop, [1, 2])]


# --- tensors ----------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_a_matrix_product_costs_two_flops_for_each_product(torch):
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    found = tensors(lambda: a @ b)
    assert found == {"flops": 2 * 3 * 5 * 7, "peak": 4 * 3 * 7, "largest": 4 * 3 * 7}
    assert tensors(lambda: torch.nn.functional.linear(a, b.T)) == found
    assert tensors(torch.einsum, "ij,jk->ik", a, b)["flops"] == found["flops"]


def test_other_operations_cost_one_flop_for_each_number_they_write(torch):
    a = torch.ones(3, 5)
    assert tensors(lambda: a + 1)["flops"] == 15
    assert tensors(lambda: a.add_(1)) == {"flops": 15, "peak": 0, "largest": 0}
    assert tensors(lambda: a[1].fill_(0))["flops"] == 5


def test_a_product_spelled_as_a_sum_of_products_is_not_free(torch):
    a, b = torch.ones(4, 6), torch.ones(6, 8)
    spelled = tensors(lambda: (a[:, :, None] * b).sum(1))
    assert spelled["flops"] >= 4 * 6 * 8
    assert spelled["largest"] == 4 * 4 * 6 * 8


def test_a_view_costs_nothing(torch):
    a = torch.ones(3, 5)
    assert tensors(lambda: a.T[1:].unsqueeze(0).expand(9, -1, -1)) == {"flops": 0, "peak": 0, "largest": 0}


def test_the_peak_is_what_was_alive_at_one_time(torch):
    def one_after_the_other():
        for _ in range(10):
            torch.ones(100)

    def all_at_once():
        return [torch.ones(100) for _ in range(10)]

    assert tensors(one_after_the_other)["peak"] == 400
    assert tensors(all_at_once)["peak"] == 4000
    assert tensors(all_at_once)["largest"] == 400


def test_a_view_keeps_its_memory_alive(torch):
    kept = []
    assert tensors(lambda: [kept.append(torch.ones(100)[:1]) for _ in range(3)])["peak"] == 1200


def test_the_way_back_is_counted(torch):
    a, b = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7)
    forward = tensors(lambda: a @ b)["flops"]
    assert tensors(lambda: (a @ b).sum().backward())["flops"] > 1.9 * forward


def test_counts_are_the_same_each_time(torch):
    layer, x = torch.nn.Linear(4, 6), torch.ones(3, 4)
    assert len({tuple(tensors(layer, x).items()) for _ in range(5)}) == 1
