"""Named wrong programs of the attention exercise, each wrong in one respect.

Each class is a namespace: what it defines replaces the definitions of the same name in a right attention.py.
The first line of its docstring completes "this equals ...", the rest is shown to the student.
"""

import math

import torch
from torch import nn

# --- softmax (A11, A13, A15) ---------------------------------------------------------------------------


class softmax_without_maximum:
    """A13. softmax without subtracting the maximum

    exp(1000) is infinite, and infinity divided by infinity is NaN. What may be subtracted from all numbers
    of a row without changing the result?
    """

    def softmax(x, dim=-1):
        exponentials = torch.exp(_wide(x))
        total = exponentials.sum(dim, keepdim=True)
        return (exponentials / total.masked_fill(total == 0, 1.0)).to(x.dtype)


class softmax_one_maximum:
    """A13. softmax that subtracts the maximum of the whole tensor from every row

    A row that lies far below the largest number of another row comes out as zeros. To which numbers does
    a row have to be compared?
    """

    def softmax(x, dim=-1):
        wide = _wide(x)
        exponentials = torch.exp(wide - wide.detach().max().clamp(min=-1e30))
        total = exponentials.sum(dim, keepdim=True)
        return (exponentials / total.masked_fill(total == 0, 1.0)).to(x.dtype)


class softmax_last_axis_only:
    """A15. softmax along the last axis, whatever dim is

    With dim = 0 the columns should sum to 1, and here the rows do. Is every argument used?
    """

    def softmax(x, dim=-1):
        wide = _wide(x)
        top = wide.detach().amax(-1, keepdim=True)
        exponentials = torch.exp(wide - top.masked_fill(top == -math.inf, 0.0))
        total = exponentials.sum(-1, keepdim=True)
        return (exponentials / total.masked_fill(total == 0, 1.0)).to(x.dtype)


class softmax_nan_without_a_number:
    """A11. softmax that is NaN where all numbers are -inf

    The maximum of such a row is -inf, and -inf minus -inf is no number. What does the task say about a
    row in which nothing is allowed?
    """

    def softmax(x, dim=-1):
        wide = _wide(x)
        exponentials = torch.exp(wide - wide.detach().amax(dim, keepdim=True))
        return (exponentials / exponentials.sum(dim, keepdim=True)).to(x.dtype)


class softmax_cleaned_too_late:
    """A11. softmax whose NaN are replaced by zeros at the end

    The results are right, the gradients are NaN: autograd goes back through what had been NaN. Where does
    the first NaN arise?
    """

    def softmax(x, dim=-1):
        wide = _wide(x)
        exponentials = torch.exp(wide - wide.amax(dim, keepdim=True))
        return torch.nan_to_num(exponentials / exponentials.sum(dim, keepdim=True), nan=0.0).to(x.dtype)


class softmax_with_eps:
    """X01. softmax with a small number added to the sum

    The results do not sum to 1. When can the sum be 0, if the largest exponent is 0?
    """

    def softmax(x, dim=-1):
        wide = _wide(x)
        top = wide.detach().amax(dim, keepdim=True)
        exponentials = torch.exp(wide - top.masked_fill(top == -math.inf, 0.0))
        return (exponentials / (exponentials.sum(dim, keepdim=True) + 1e-6)).to(x.dtype)


class softmax_reuses_memory:
    """X02. softmax that writes every result of one shape into the same memory

    The result of the first call changes when there is a second one. To whom does a tensor belong that has
    been returned?
    """

    kept = {}

    def softmax(x, dim=-1):
        wide = _wide(x)
        top = wide.detach().amax(dim, keepdim=True)
        exponentials = torch.exp(wide - top.masked_fill(top == -math.inf, 0.0))
        total = exponentials.sum(dim, keepdim=True)
        result = (exponentials / total.masked_fill(total == 0, 1.0)).to(x.dtype)
        if result.requires_grad:
            return result
        place = kept.setdefault((result.shape, result.dtype, result.device), torch.empty_like(result))
        return place.copy_(result)


class softmax_in_half_precision:
    """X03. softmax of half precision computed in half precision

    The difference of two numbers is rounded before it is an exponent, where an error of 0.1 is an error
    of ten per cent. In which dtype does the task want it?
    """

    def softmax(x, dim=-1):
        top = x.detach().amax(dim, keepdim=True)
        exponentials = torch.exp(x - top.masked_fill(top == -math.inf, 0.0))
        total = exponentials.sum(dim, keepdim=True)
        return exponentials / total.masked_fill(total == 0, 1.0)


# --- masks (A07, A08, A22, A23) ------------------------------------------------------------------------


class causal_top_left:
    """A22. a causal mask aligned at the first key

    With one query and five keys only the first key is seen. The last query stands at the last key: think
    of a model that writes its sixth word.
    """

    def causal_mask(query_len, key_len, device=None):
        return torch.ones(query_len, key_len, dtype=torch.bool, device=device).tril()


class causal_without_self:
    """A08. a causal mask that hides a token from itself

    The first token has nothing to attend to. Is "not later" the same as "earlier"?
    """

    def causal_mask(query_len, key_len, device=None):
        return _distance(query_len, key_len, device) > 0


class causal_with_next:
    """A08. a causal mask that shows one token of the future

    A model that is trained with it can copy the word that it should predict. Change a token and look
    which results before it change.
    """

    def causal_mask(query_len, key_len, device=None):
        return _distance(query_len, key_len, device) >= -1


class causal_inverted:
    """A07. a causal mask in which True means hidden

    Other libraries have it so. What does True mean in this task?
    """

    def causal_mask(query_len, key_len, device=None):
        return _distance(query_len, key_len, device) < 0


class mask_on_cpu:
    """X04. masks that are always made on the CPU

    They cannot meet tensors on another device. What is the argument device for?
    """

    def _distance(query_len, key_len, device):
        positions = torch.arange(query_len) + key_len - query_len
        return positions[:, None] - torch.arange(key_len)


class window_one_more:
    """A23. a sliding window that shows one key too many

    The window counts the query's own key. How many keys does a query see with window = 1?
    """

    def sliding_window_mask(query_len, key_len, window, device=None):
        distance = _distance(query_len, key_len, device)
        return (distance >= 0) & (distance <= window)


class window_one_less:
    """A23. a sliding window that shows one key too few

    With window = 1 a query should see its own key, and here it sees nothing. Count the keys between the
    two bounds.
    """

    def sliding_window_mask(query_len, key_len, window, device=None):
        distance = _distance(query_len, key_len, device)
        return (distance >= 0) & (distance < window - 1)


class window_on_both_sides:
    """A23. a sliding window that reaches into the future too

    It is symmetric around the query. Which keys may a causal model not see?
    """

    def sliding_window_mask(query_len, key_len, window, device=None):
        return _distance(query_len, key_len, device).abs() < window


class window_doubled:
    """A23. a sliding window of twice the size

    How many keys does a query see at most?
    """

    def sliding_window_mask(query_len, key_len, window, device=None):
        distance = _distance(query_len, key_len, device)
        return (distance >= 0) & (distance < 2 * window)


class window_top_left:
    """A22. a sliding window aligned at the first key

    With one query and five keys it lies at the start instead of the end. Where does the last query stand?
    """

    def sliding_window_mask(query_len, key_len, window, device=None):
        distance = torch.arange(query_len, device=device)[:, None] - torch.arange(key_len, device=device)
        return (distance >= 0) & (distance < window)


# --- attention (A01 to A07, A10, A11, A19, A25) ---------------------------------------------------------


class unscaled:
    """A01. attention without the division by the root of head_dim

    The products of long vectors are large, and softmax then picks one key. What stands under the product
    in the formula?
    """

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        scores = _allow(_wide(query) @ _wide(key).mT, query, key, mask, causal, key_mask)
        return (softmax(scores) @ _wide(value)).to(query.dtype)

    def _allow(scores, query, key, mask, causal, key_mask):
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        if causal:
            scores = scores.masked_fill(~causal_mask(query.shape[-2], key.shape[-2], query.device), -math.inf)
        if key_mask is not None:
            shape = (key_mask.shape[0], *[1] * (query.dim() - 2), key_mask.shape[1])
            scores = scores.masked_fill(~key_mask.reshape(shape), -math.inf)
        return scores


class divided_by_dimension:
    """A02. attention whose scores are divided by head_dim itself

    With head_dim = 16 they are four times too small. Of what is the variance of a product of two vectors,
    and how do you bring it back to 1?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        small = _wide(query) / query.shape[-1] ** 0.5
        return right_attention(small, key, value, mask, causal, key_mask).to(query.dtype)


class multiplied_by_root:
    """A02. attention whose scores are multiplied by the root of head_dim

    The scores of long vectors are large already. Should they become larger or smaller?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        large = _wide(query) * query.shape[-1]
        return right_attention(large, key, value, mask, causal, key_mask).to(query.dtype)


class softmax_over_queries:
    """A05. attention whose weights sum to 1 over the queries

    Each query should divide one unit of attention among the keys. Which axis of the scores are the keys?
    """

    def _mix(scores, allowed, value):
        return softmax(scores.masked_fill(~allowed, -math.inf), -2) @ value


class masked_after_softmax:
    """A06. attention in which hidden keys are set to 0 after the softmax

    The weights of the others do not sum to 1, since hidden keys have taken part in the sum. When must a
    key be hidden?
    """

    def _mix(scores, allowed, value):
        return (softmax(scores) * allowed) @ value


class renormalized_after_softmax:
    """A06. attention in which hidden keys are set to 0 after the softmax and the rest is divided by its sum

    If a hidden key has by far the largest score, all others are 0 before anything is divided. When must a
    key be hidden?
    """

    def _mix(scores, allowed, value):
        weights = softmax(scores) * allowed
        total = weights.sum(-1, keepdim=True)
        return weights / total.masked_fill(total == 0, 1.0) @ value


class mask_inverted:
    """A07. attention in which True in mask means hidden

    Every query sees exactly what it should not. What does True mean in this task?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(query, key, value, None if mask is None else ~mask, causal, key_mask)


class key_mask_inverted:
    """A07. attention in which True in key_mask means padding

    Only padding is attended. What does True mean in this task?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(query, key, value, mask, causal, None if key_mask is None else ~key_mask)


class hidden_by_minus_20:
    """A10. attention in which hidden keys have the score -20

    Where all allowed scores are lower, the hidden ones win. Which score loses against every other one?
    """

    def _mix(scores, allowed, value):
        weights = softmax(scores.masked_fill(~allowed, -20.0))
        return weights.masked_fill(~allowed.any(-1, keepdim=True), 0.0) @ value


class hidden_by_minus_10000:
    """A10. attention in which hidden keys have the score -10000

    Where all allowed scores are lower, the hidden ones win. Which score loses against every other one?
    """

    def _mix(scores, allowed, value):
        weights = softmax(scores.masked_fill(~allowed, -1e4))
        return weights.masked_fill(~allowed.any(-1, keepdim=True), 0.0) @ value


class hidden_by_a_finite_number:
    """A10. attention in which hidden keys have a very low, finite score

    A query that may see nothing gets the mean of all values, since all its scores are the same. What does
    the task ask for?
    """

    def _mix(scores, allowed, value):
        return softmax(scores.masked_fill(~allowed, -1e30)) @ value


class zero_times_infinity:
    """A11. attention that adds (1 - mask) times -inf to the scores

    0 times infinity is NaN, so it is the allowed keys that are lost. How else can a number be put in the
    places that a mask names?
    """

    def _mix(scores, allowed, value):
        return softmax(scores + (1 - allowed.to(scores.dtype)) * -math.inf) @ value


class query_and_key_swapped:
    """A19. attention with query and key in each other's place

    There must be one result for each query, and as many weights in it as there are keys. It shows when Tq
    and Tk differ.
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(key, query, value, mask, causal, key_mask)


class keys_for_values:
    """A19. attention that mixes the keys instead of the values

    The result has as many features as a key. What is the third argument for?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(query, key, key, mask, causal, key_mask)


class values_returned:
    """A25. attention that returns the values as they are

    It looks right where every query attends to its own token most. Do results change when queries do?
    """

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return value[..., -query.shape[-2] :, :].clone()


class even_mix:
    """A25. attention that returns the mean of the allowed values

    All allowed keys count the same. Do results change when queries do?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(_wide(query) * 0, key, value, mask, causal, key_mask).to(query.dtype)


class causal_unless_masked:
    """X05. attention that forgets causal when a mask is given

    A key counts if everything that is given allows it. Which branch runs if both are given?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        return right_attention(query, key, value, mask, causal and mask is None, key_mask)


class key_mask_for_three_axes:
    """X06. attention whose key_mask fits queries of three axes only

    With (batch, heads, T, head_dim) the batch of the mask meets the heads. How many axes lie between the
    batch and the keys?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        if key_mask is not None:
            mask = key_mask[:, None, :] if mask is None else mask & key_mask[:, None, :]
        return right_attention(query, key, value, mask, causal)


class padding_gives_zeros:
    """X07. attention that also returns zeros for queries that are padding

    key_mask is about keys. What a padding token itself sees is of no importance, and the task does not
    change it.
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        found = right_attention(query, key, value, mask, causal, key_mask)
        if key_mask is None or query.shape[-2] != key.shape[-2]:
            return found
        return found * key_mask.reshape(key_mask.shape[0], *[1] * (query.dim() - 3), -1, 1)


class mask_changed_in_place:
    """X08. attention that writes the causal mask into the mask that it was given

    Whoever called it has another mask afterwards. Which operations make a new tensor?
    """

    right_attention = attention

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        if mask is not None and causal:
            mask &= causal_mask(query.shape[-2], key.shape[-2], query.device)
        return right_attention(query, key, value, mask, causal, key_mask)


class weights_outside_graph:
    """X09. attention whose weights are outside the graph

    Values get their gradient, queries and keys get none. Which line tells autograd to look away?
    """

    def _mix(scores, allowed, value):
        return softmax(scores.masked_fill(~allowed, -math.inf)).detach() @ value


class scores_in_half_precision:
    """X10. attention whose scores are computed in half precision

    bfloat16 knows 200 and 201, but nothing in between. Where do inputs go to float32?
    """

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        if causal:
            scores = scores.masked_fill(~causal_mask(query.shape[-2], key.shape[-2], query.device), -math.inf)
        if key_mask is not None:
            shape = (key_mask.shape[0], *[1] * (query.dim() - 2), key_mask.shape[1])
            scores = scores.masked_fill(~key_mask.reshape(shape), -math.inf)
        return softmax(scores) @ value


class weights_in_half_precision:
    """X11. attention that rounds its weights to half precision before it mixes the values

    Many libraries do so, to save time. In this task inputs are widened once and the result is rounded once.
    """

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        scores = _wide(query) @ _wide(key).mT / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        if causal:
            scores = scores.masked_fill(~causal_mask(query.shape[-2], key.shape[-2], query.device), -math.inf)
        if key_mask is not None:
            shape = (key_mask.shape[0], *[1] * (query.dim() - 2), key_mask.shape[1])
            scores = scores.masked_fill(~key_mask.reshape(shape), -math.inf)
        return softmax(scores).to(value.dtype) @ value


# --- one head (A03, A19) -------------------------------------------------------------------------------


class head_scaled_by_d_model:
    """A03. a head whose scores are divided by the root of d_model

    It shows when head_dim is another number. Whose product is a score?
    """

    class Head(nn.Module):
        def __init__(self, d_model, head_dim):
            super().__init__()
            self.query = nn.Linear(d_model, head_dim, bias=False)
            self.key = nn.Linear(d_model, head_dim, bias=False)
            self.value = nn.Linear(d_model, head_dim, bias=False)
            self.factor = (head_dim / d_model) ** 0.5

        def forward(self, x, causal=True, key_mask=None):
            return attention(self.query(x) * self.factor, self.key(x), self.value(x), None, causal, key_mask)


class head_values_from_keys:
    """A19. a head whose values come from the key layer

    The layer `value` gets no gradient. Which layer makes what is mixed?
    """

    class Head(Head):
        def forward(self, x, causal=True, key_mask=None):
            keys = self.key(x)
            return attention(self.query(x), keys, keys, None, causal, key_mask)


# --- heads (A16, A18, A03) -----------------------------------------------------------------------------


class split_without_transpose:
    """A16. heads that are split by a reshape alone

    The numbers of one head come from several tokens. In which order do they lie in memory, and which axis
    has to move?
    """

    def split_heads(x, num_heads):
        batch, length, d_model = x.shape
        if d_model % num_heads:
            raise ValueError("d_model is not a multiple of num_heads")
        return x.reshape(batch, num_heads, length, d_model // num_heads)


class joined_without_transpose:
    """A16. heads that are joined by a reshape alone

    The numbers of one token come from several tokens. Which axis has to move back before heads can stand
    side by side?
    """

    def join_heads(x):
        batch, num_heads, length, head_dim = x.shape
        return x.reshape(batch, length, num_heads * head_dim)


class split_and_joined_without_transpose:
    """A16. heads that are split and joined by a reshape alone

    One way undoes the other, so a round trip looks right, but a head has numbers of several tokens. Try
    a tensor whose numbers say where they come from.
    """

    def split_heads(x, num_heads):
        batch, length, d_model = x.shape
        if d_model % num_heads:
            raise ValueError("d_model is not a multiple of num_heads")
        return x.reshape(batch, num_heads, length, d_model // num_heads)

    def join_heads(x):
        batch, num_heads, length, head_dim = x.shape
        return x.reshape(batch, length, num_heads * head_dim)


class groups_take_turns:
    """A18. grouped queries in which the key heads are repeated as a whole

    Query head 1 gets key head 1 instead of 0. Neighbours share: write down the list of key heads, once
    for each query head.
    """

    def grouped_query_attention(query, key, value, causal=False, key_mask=None):
        if query.shape[1] % key.shape[1]:
            raise ValueError("uneven")
        group = query.shape[1] // key.shape[1]
        return attention(query, key.repeat(1, group, 1, 1), value.repeat(1, group, 1, 1), None, causal, key_mask)


class groups_on_the_sequence:
    """A18. grouped queries in which keys are repeated along the sequence

    Each head then has keys of another one. Which axis has too few entries?
    """

    def grouped_query_attention(query, key, value, causal=False, key_mask=None):
        if query.shape[1] % key.shape[1]:
            raise ValueError("uneven")
        group = query.shape[1] // key.shape[1]
        shape = (key.shape[0], query.shape[1], key.shape[2], -1)
        key = key.repeat_interleave(group, 2).reshape(shape)
        value = value.repeat_interleave(group, 2).reshape(shape)
        return attention(query, key, value, None, causal, key_mask)


class heads_scaled_by_d_model:
    """A03. multi-head attention whose scores are divided by the root of d_model

    Each head compares its own, shorter vectors. How long are they?
    """

    class MultiHeadAttention(MultiHeadAttention):
        def forward(self, x, causal=True, key_mask=None):
            query = split_heads(self.query(x), self.num_heads) / self.num_heads**0.5
            key = split_heads(self.key(x), self.num_kv_heads)
            value = split_heads(self.value(x), self.num_kv_heads)
            return self.out(join_heads(grouped_query_attention(query, key, value, causal, key_mask)))


class heads_see_the_future:
    """X12. multi-head attention that is not causal when nothing is said

    What does the task say about the default?
    """

    class MultiHeadAttention(MultiHeadAttention):
        def forward(self, x, causal=False, key_mask=None):
            return super().forward(x, causal, key_mask)


class heads_share_state:
    """X13. multi-head attention whose number of heads belongs to the class

    A second layer with other heads changes the first one. Where is a number kept that belongs to one
    object?
    """

    class MultiHeadAttention(MultiHeadAttention):
        def __init__(self, d_model, num_heads, num_kv_heads=None):
            super().__init__(d_model, num_heads, num_kv_heads)
            type(self).shared = (self.num_heads, self.num_kv_heads)

        def forward(self, x, causal=True, key_mask=None):
            num_heads, num_kv_heads = self.shared
            query = split_heads(self.query(x), num_heads)
            key = split_heads(self.key(x), num_kv_heads)
            value = split_heads(self.value(x), num_kv_heads)
            return self.out(join_heads(grouped_query_attention(query, key, value, causal, key_mask)))


class heads_all_have_keys:
    """X14. multi-head attention whose key and value layers are as wide as the query layer

    With fewer key heads their layers are narrower: that is what saves memory. How wide are num_kv_heads
    heads?
    """

    class MultiHeadAttention(MultiHeadAttention):
        def __init__(self, d_model, num_heads, num_kv_heads=None):
            super().__init__(d_model, num_heads)


# --- dropout (A24) -------------------------------------------------------------------------------------


class dropout_unscaled:
    """A24. dropout that leaves what it keeps as it is

    On average a result is smaller in training than in evaluation. By what must be divided?
    """

    def attention_dropout(weights, p, training):
        if not training:
            return weights
        return weights * (torch.rand(weights.shape, device=weights.device) >= p)


class dropout_in_evaluation:
    """A24. dropout that drops in evaluation too

    The same text gives another result each time. Is every argument used?
    """

    def attention_dropout(weights, p, training):
        if p == 1:
            return weights * 0
        return weights * (torch.rand(weights.shape, device=weights.device) >= p) / (1 - p)


class dropout_before_softmax:
    """A24. dropout whose remaining weights are a softmax again

    What is dropped before the softmax is only distributed among the others: every row still sums to 1.
    Is that what dropping should do?
    """

    def attention_dropout(weights, p, training):
        if not training or p == 0:
            return weights
        drop = torch.rand(weights.shape, device=weights.device) < p
        kept = weights.masked_fill(drop, 0.0)
        total = kept.sum(-1, keepdim=True)
        return kept / total.masked_fill(total == 0, 1.0)


# --- positions (A26, A27, A28) -------------------------------------------------------------------------


class rope_does_nothing:
    """A26. rope that returns x as it is

    Position 0 shows nothing: its angles are 0. Look at position 1.
    """

    def rope(x, positions, base=10000.0):
        if x.shape[-1] % 2:
            raise ValueError("odd")
        return x * 1


class rope_counts_by_itself:
    """A26. rope that counts positions from 0, whatever is given

    A model that writes word by word gives one token and its position. Is every argument used?
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        return right_rope(x, torch.arange(x.shape[-2], device=x.device), base)


class rope_starts_at_one:
    """A26. rope in which positions are one too large

    Scores depend on the difference of positions and do not show it, results do: position 0 is not
    rotated at all.
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        return right_rope(x, positions + 1, base)


class rope_pairs_halves:
    """A27. rope that pairs feature i with feature i + head_dim / 2

    That is the convention of GPT-NeoX and of Llama in many libraries. The paper and this task pair
    neighbours.
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        half = x.shape[-1] // 2
        if x.shape[-1] % 2:
            raise ValueError("odd")
        paired = torch.stack([x[..., :half], x[..., half:]], dim=-1).flatten(-2)
        return right_rope(paired, positions, base).unflatten(-1, (half, 2)).mT.flatten(-2)


class rope_mixes_conventions:
    """A27. rope that rotates halves with the angles of neighbours

    The two features of a pair are turned by different angles, so scores depend on more than the
    difference of positions. Which features share an angle?
    """

    def rope(x, positions, base=10000.0):
        if x.shape[-1] % 2:
            raise ValueError("odd")
        wide, half = _wide(x), x.shape[-1] // 2
        exponents = torch.arange(0, x.shape[-1], 2, device=x.device, dtype=wide.dtype) / x.shape[-1]
        angles = (positions[..., None] * base**-exponents).repeat_interleave(2, -1)
        turned = torch.cat([-wide[..., half:], wide[..., :half]], -1)
        return (wide * angles.cos() + turned * angles.sin()).to(x.dtype)


class rope_result_in_halves:
    """A27. rope that rotates neighbours and puts the rotated pairs into two halves

    The values are right, their places are not: first all even features, then all odd ones. Where did
    they come from?
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        found = right_rope(x, positions, base)
        return torch.cat([found[..., 0::2], found[..., 1::2]], -1)


class rope_turns_back:
    """X15. rope that turns the other way

    Scores do not show it, since only the difference of two angles counts, but results do. Which of the
    two sines has the minus sign?
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        return right_rope(x, -positions, base)


class rope_angles_in_half_precision:
    """X16. rope whose angles have the dtype of x

    bfloat16 does not know position 1001, nor most angles. In which dtype does the task want them?
    """

    def rope(x, positions, base=10000.0):
        if x.shape[-1] % 2:
            raise ValueError("odd")
        exponents = torch.arange(0, x.shape[-1], 2, device=x.device, dtype=x.dtype) / x.shape[-1]
        angles = positions[..., None].to(x.dtype) * base**-exponents
        even, odd = x[..., 0::2], x[..., 1::2]
        rotated = [even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()]
        return torch.stack(rotated, -1).flatten(-2)


class rope_tables_in_half_precision:
    """X17. rope whose sines and cosines are rounded to half precision

    Where one product takes away the other, little is left but the rounding. What is rounded, and when?
    """

    def rope(x, positions, base=10000.0):
        if x.shape[-1] % 2:
            raise ValueError("odd")
        wide = _wide(x)
        exponents = torch.arange(0, x.shape[-1], 2, device=x.device, dtype=wide.dtype) / x.shape[-1]
        angles = positions[..., None] * base**-exponents
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        even, odd = wide[..., 0::2], wide[..., 1::2]
        return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2).to(x.dtype)


class rope_one_row_of_positions:
    """X18. rope for one row of positions only

    Texts that are padded on the left have positions of their own. On which axis of `positions` must the
    new one be put?
    """

    right_rope = rope

    def rope(x, positions, base=10000.0):
        if positions.dim() > 1:
            positions = positions[0].flatten()
        return right_rope(x, positions, base)


class sinusoids_fall_twice_as_fast:
    """A28. sinusoids with exponent 2i where i is an even feature already

    The angles fall off twice as fast as they should. Is i the number of a feature or of a pair?
    """

    right_sinusoidal_positions = sinusoidal_positions

    def sinusoidal_positions(length, d_model, base=10000.0):
        return right_sinusoidal_positions(length, d_model, base**2)


class sinusoids_own_angle_for_cosines:
    """A28. sinusoids whose cosines have the exponent of their own feature

    Sine and cosine of a pair share an angle, so that a shift of positions is a rotation. What is i at
    feature 3?
    """

    def sinusoidal_positions(length, d_model, base=10000.0):
        angles = torch.arange(length)[:, None] / base ** (torch.arange(d_model) / d_model)
        return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos())


class sinusoids_base_1000:
    """A28. sinusoids with base 1000

    Count the zeros of the default in the task.
    """

    right_sinusoidal_positions = sinusoidal_positions

    def sinusoidal_positions(length, d_model, base=1000.0):
        return right_sinusoidal_positions(length, d_model, base)


class sinusoids_even_only:
    """A28. sinusoids that fail when d_model is odd

    There is one cosine less than there are sines. How many features with an odd number are there?
    """

    def sinusoidal_positions(length, d_model, base=10000.0):
        angles = torch.arange(length)[:, None] / base ** (torch.arange(0, d_model, 2) / d_model)
        table = torch.empty(length, d_model)
        table[:, 0::2] = angles.sin()
        table[:, 1::2] = angles.cos()
        return table


class sinusoids_in_halves:
    """X19. sinusoids with all sines first and all cosines after them

    Some libraries do that. In the paper and in this task a sine and its cosine stand side by side.
    """

    right_sinusoidal_positions = sinusoidal_positions

    def sinusoidal_positions(length, d_model, base=10000.0):
        table = right_sinusoidal_positions(length, d_model, base)
        return torch.cat([table[:, 0::2], table[:, 1::2]], 1)


# --- online attention ----------------------------------------------------------------------------------


class online_whole_matrix:
    """X20. online attention that computes all scores at once

    Results are right, but the memory grows with the square of the length. Which tensor has a row for each
    query and a column for each key?
    """

    def online_attention(query, key, value, block_size, causal=False):
        return attention(query, key, value, causal=causal)


class online_whole_mask:
    """X21. online attention that makes the whole causal mask

    Scores come in blocks, but the mask does not: it has a number for each query and key too. Which part
    of it does a block need?
    """

    def _block_mask(query, key, start, block_size):
        return causal_mask(query.shape[-2], key.shape[-2], query.device)[:, start : start + block_size]


class online_without_maximum:
    """A13. online attention without a maximum

    exp of a large score is infinite, here as in softmax. What has to be carried from block to block?
    """

    def online_attention(query, key, value, block_size, causal=False):
        scaled = _wide(query) / math.sqrt(query.shape[-1])
        top = scaled.new_full((*query.shape[:-1], 1), -math.inf)
        total = torch.zeros_like(top)
        mixed = scaled.new_zeros((*query.shape[:-1], value.shape[-1]))
        for start in range(0, key.shape[-2], block_size):
            block = slice(start, start + block_size)
            scores = scaled @ _wide(key[..., block, :]).mT
            if causal:
                scores = scores.masked_fill(~_block_mask(query, key, start, block_size), -math.inf)
            block_top = scores.detach().amax(-1, keepdim=True)
            higher, finite, shrink = top, torch.zeros_like(top), torch.ones_like(top)
            weights = torch.exp(scores - finite)
            total = total * shrink + weights.sum(-1, keepdim=True)
            mixed = mixed * shrink + weights @ _wide(value[..., block, :])
            top = higher
        return (mixed / total.masked_fill(total == 0, 1.0)).to(query.dtype)


class online_maximum_not_corrected:
    """X22. online attention that does not correct its sums when the maximum grows

    Older blocks were computed with a smaller maximum and count too much. By which factor?
    """

    def online_attention(query, key, value, block_size, causal=False):
        scaled = _wide(query) / math.sqrt(query.shape[-1])
        top = scaled.new_full((*query.shape[:-1], 1), -math.inf)
        total = torch.zeros_like(top)
        mixed = scaled.new_zeros((*query.shape[:-1], value.shape[-1]))
        for start in range(0, key.shape[-2], block_size):
            block = slice(start, start + block_size)
            scores = scaled @ _wide(key[..., block, :]).mT
            if causal:
                scores = scores.masked_fill(~_block_mask(query, key, start, block_size), -math.inf)
            block_top = scores.detach().amax(-1, keepdim=True)
            higher = torch.maximum(top, block_top)
            finite = higher.masked_fill(higher == -math.inf, 0.0)
            shrink = torch.ones_like(top)
            weights = torch.exp(scores - finite)
            total = total * shrink + weights.sum(-1, keepdim=True)
            mixed = mixed * shrink + weights @ _wide(value[..., block, :])
            top = higher
        return (mixed / total.masked_fill(total == 0, 1.0)).to(query.dtype)


class online_drops_the_rest:
    """X23. online attention that leaves out the last block if it is not full

    block_size need not divide the number of keys. How many blocks are there?
    """

    def online_attention(query, key, value, block_size, causal=False):
        whole = max(1, key.shape[-2] // block_size) * block_size
        rest = key.shape[-2] - min(whole, key.shape[-2])
        allowed = torch.arange(key.shape[-2], device=key.device) < key.shape[-2] - rest
        return attention(query, key, value, allowed, causal)


class online_nan_before_the_first_key:
    """A11. online attention that is NaN for a query whose first block is hidden

    Its maximum is -inf, and so is that of the block: -inf minus -inf is no number. What may be subtracted
    as long as nothing has been seen?
    """

    def online_attention(query, key, value, block_size, causal=False):
        scaled = _wide(query) / math.sqrt(query.shape[-1])
        top = scaled.new_full((*query.shape[:-1], 1), -math.inf)
        total = torch.zeros_like(top)
        mixed = scaled.new_zeros((*query.shape[:-1], value.shape[-1]))
        for start in range(0, key.shape[-2], block_size):
            block = slice(start, start + block_size)
            scores = scaled @ _wide(key[..., block, :]).mT
            if causal:
                scores = scores.masked_fill(~_block_mask(query, key, start, block_size), -math.inf)
            block_top = scores.detach().amax(-1, keepdim=True)
            higher = torch.maximum(top, block_top)
            finite = higher
            shrink = torch.exp(top - finite)
            weights = torch.exp(scores - finite)
            total = total * shrink + weights.sum(-1, keepdim=True)
            mixed = mixed * shrink + weights @ _wide(value[..., block, :])
            top = higher
        return (mixed / total.masked_fill(total == 0, 1.0)).to(query.dtype)


class online_top_left:
    """A22. online attention with a causal mask aligned at the first key

    The last query stands at the last key, here as everywhere. What is added to the number of a query?
    """

    def _block_mask(query, key, start, block_size):
        keys = torch.arange(start, min(start + block_size, key.shape[-2]), device=query.device)
        return keys <= torch.arange(query.shape[-2], device=query.device)[:, None]


class online_unscaled:
    """A01. online attention without the division by the root of head_dim

    It has to give what attention gives. What stands under the product in the formula?
    """

    right_online_attention = online_attention

    def online_attention(query, key, value, block_size, causal=False):
        return right_online_attention(_wide(query) * query.shape[-1] ** 0.5, key, value, block_size, causal).to(
            query.dtype
        )


class online_sums_in_half_precision:
    """X24. online attention whose running numbers are in half precision

    Each block adds a rounding error, and float16 overflows early. Which dtype should carry a sum?
    """

    right_attention = attention

    def _wide(x):
        return x

    def softmax(x, dim=-1):
        x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        top = x.detach().amax(dim, keepdim=True)
        exponentials = torch.exp(x - top.masked_fill(top == -math.inf, 0.0))
        total = exponentials.sum(dim, keepdim=True)
        return exponentials / total.masked_fill(total == 0, 1.0)

    def attention(query, key, value, mask=None, causal=False, key_mask=None):
        wide = [one.float() if one.dtype in (torch.float16, torch.bfloat16) else one for one in (query, key, value)]
        return right_attention(*wide, mask, causal, key_mask).to(query.dtype)


class online_without_graph:
    """X25. online attention without gradients

    Results are right, but nothing can be trained through them. Which line tells autograd to look away?
    """

    right_online_attention = online_attention

    @torch.no_grad()
    def online_attention(query, key, value, block_size, causal=False):
        return right_online_attention(query, key, value, block_size, causal)
