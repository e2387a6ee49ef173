"""Named wrong programs of the kv_cache exercise.

Each class is a namespace: what it defines replaces the definitions of the same name in a right kv_cache.py.
A class that derives from one of its own name changes only what it defines. The first line of the docstring
completes "this equals ...", the rest is shown to the student.
"""

import torch
from torch import nn

# --- state that outlives its sequence (K01, K11) ------------------------------------------------------


class generate_keeps_the_cache:
    """K01. generation that keeps its cache for the next prompt

    The first prompt is continued as it should be, the second one as if it followed the first. How long does
    the cache live that your function asks the model for?
    """

    def generate(model, prompt, steps):
        if not hasattr(model, "kept"):
            model.kept = model.new_cache(prompt.shape[0], 1000)
        tokens, newest = prompt.clone(), prompt
        for _ in range(steps):
            newest = model(newest, model.kept)[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class reset_does_nothing:
    """K01. a KVCache whose reset clears the numbers but not the length

    Zeros in the buffers are keys like any others. What tells the next append where to begin?
    """

    class KVCache(KVCache):
        def reset(self):
            self.keys.zero_()
            self.values.zero_()


class window_reset_keeps_length:
    """K01. a WindowCache whose reset does not forget how many tokens there were

    After a reset the first chunk gets to see tokens of the sequence before. Which attribute says what is
    valid?
    """

    class WindowCache(WindowCache):
        def reset(self):
            self.keys.zero_()
            self.values.zero_()


class shared_buffers:
    """K11. caches of the same size that share one buffer

    Two caches that should know nothing of each other overwrite each other's tokens. Which of your tensors
    belongs to the class, and which to the instance?
    """

    class KVCache(KVCache):
        pool = {}

        def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
            super().__init__(batch, num_kv_heads, head_dim, max_len, dtype, device)
            key = (batch, num_kv_heads, head_dim, max_len, dtype)
            self.keys, self.values = self.pool.setdefault(key, (self.keys, self.values))


class one_cache_a_layer:
    """K11. a layer that hands out the same cache each time

    The second sequence continues the first. What does "new" mean in the name of the method?
    """

    class CachedAttention(CachedAttention):
        def new_cache(self, batch, max_len):
            if not hasattr(self, "made"):
                self.made = super().new_cache(batch, 100)
            return self.made


class shared_tables:
    """K11. a PagedCache whose tables are a mutable default argument

    Two caches hand out blocks to the same sequences. How often is a default value made?
    """

    class PagedCache(PagedCache):
        def __init__(
            self,
            num_blocks,
            block_size,
            num_kv_heads,
            head_dim,
            dtype=torch.float32,
            device=None,
            tables={},
            lengths={},
        ):
            super().__init__(num_blocks, block_size, num_kv_heads, head_dim, dtype, device)
            self.tables = tables
            self.lengths = lengths


# --- positions (K02, K12) -----------------------------------------------------------------------------


class positions_restart:
    """K02. a layer that counts positions from 0 in every call

    The prompt comes out right and every later token is wrong: it is rotated as if it stood at the beginning.
    Who knows how many tokens came before?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class ragged_positions_restart:
    """K02. ragged rows whose positions begin at 0 in every call

    The padded prompts come out right, the first decoded token does not. What does each row know of its own
    past?
    """

    class CachedAttention(CachedAttention):
        def forward_ragged(self, x, cache, counts):
            starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
            positions = starts + torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, torch.arange(x.shape[1], device=x.device))
            keys, values = cache.append(key, value, counts)
            mask = torch.arange(keys.shape[2], device=x.device) <= positions.unsqueeze(-1)
            return self._join(attention(query, keys, values, mask))


class ragged_positions_of_longest:
    """K02. ragged rows that all take the positions of the longest row

    The longest row is right, the shorter ones have a gap between their prompt and what follows. Where does
    the next token of a short row stand?
    """

    class CachedAttention(CachedAttention):
        def forward_ragged(self, x, cache, counts):
            starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
            positions = starts + torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, max(cache.lengths) + torch.arange(x.shape[1], device=x.device))
            keys, values = cache.append(key, value, counts)
            mask = torch.arange(keys.shape[2], device=x.device) <= positions.unsqueeze(-1)
            return self._join(attention(query, keys, values, mask))


class keys_rotated_twice:
    """K12. a layer that rotates cached keys once more when it reads them

    The keys went into the cache rotated. What does a second rotation by the same angle do to the distance
    between two tokens?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            first = cache.length - keys.shape[2]
            keys = rope(keys, torch.arange(first, cache.length, device=x.device))
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class keys_rotated_with_new_position:
    """K12. a layer that rotates all cached keys with the position of the newest token

    All keys look as if they stood at the same place. To which token does a position belong, and does it ever
    change?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, _, value = self._project(x, positions)
            key = self.key(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            keys, values = cache.append(key, value)
            keys = rope(keys, positions[-1:].expand(keys.shape[2]))
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class keys_cached_unrotated:
    """K12. a layer that caches plain keys and rotates all of them at every step

    The results are right, but the cache does not hold what the task says, and every old key is rotated
    again for every new token. How often does the position of a token change?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, _, value = self._project(x, positions)
            key = self.key(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            keys, values = cache.append(key, value)
            first = cache.length - keys.shape[2]
            keys = rope(keys, torch.arange(first, cache.length, device=x.device))
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


# --- masks (K03, K04) ---------------------------------------------------------------------------------


class mask_from_the_top:
    """K03. a causal mask that is aligned at the first key

    With a history the first new token sees only the first key. Which key is the newest query's own: number
    query_len - 1 or number key_len - 1?
    """

    def causal_mask(query_len, key_len, window=None, device=None):
        own = torch.arange(query_len, device=device).unsqueeze(1)
        keys = torch.arange(key_len, device=device)
        mask = keys <= own
        return mask if window is None else mask & (keys > own - window)


class ragged_masks_from_the_top:
    """K03. ragged rows whose mask forgets where each row begins

    The prompts are right; a later token sees only the first keys of its row. Which key is its own?
    """

    class CachedAttention(CachedAttention):
        def forward_ragged(self, x, cache, counts):
            starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
            positions = starts + torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value, counts)
            mask = torch.arange(keys.shape[2], device=x.device) <= torch.arange(x.shape[1], device=x.device)[:, None]
            return self._join(attention(query, keys, values, mask))


class no_mask_in_chunks:
    """K04. a layer without a mask once there is a history

    For one token no mask is needed. In a chunk of two the first must not see the second, whatever came
    before.
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            later = cache.length > 0
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            if later and self.window is None:
                mask = torch.ones_like(mask)
            return self._join(attention(query, keys, values, mask))


class ragged_without_causality:
    """K04. ragged rows that see all real tokens of their row

    The padding is hidden, the future is not. Two things have to be masked in a padded prompt: which is the
    second?
    """

    class CachedAttention(CachedAttention):
        def forward_ragged(self, x, cache, counts):
            starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
            positions = starts + torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value, counts)
            ends = torch.tensor(cache.lengths, device=x.device)[:, None, None]
            mask = (torch.arange(keys.shape[2], device=x.device) < ends).expand(-1, x.shape[1], -1)
            return self._join(attention(query, keys, values, mask))


class ragged_sees_other_rows_lengths:
    """K04. ragged rows masked as if all were as long as the longest

    A short row attends to the zeros behind its end: a key of zeros has a weight too. How far does each row
    reach?
    """

    class CachedAttention(CachedAttention):
        def forward_ragged(self, x, cache, counts):
            starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
            positions = starts + torch.arange(x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value, counts)
            mask = causal_mask(x.shape[1], keys.shape[2], None, x.device)
            return self._join(attention(query, keys, values, mask))


class window_mask_one_too_many:
    """X01. a window mask that lets a query see one key too many

    With a window of 1 a token sees only itself. Is the query's own key counted among the window?
    """

    def causal_mask(query_len, key_len, window=None, device=None):
        own = torch.arange(key_len - query_len, key_len, device=device).unsqueeze(1)
        keys = torch.arange(key_len, device=device)
        mask = keys <= own
        return mask if window is None else mask & (keys >= own - window)


class mask_on_cpu:
    """X02. a mask that is always made on the CPU

    It works until the model moves to a GPU. Which argument says where the mask is wanted?
    """

    def causal_mask(query_len, key_len, window=None, device=None):
        own = torch.arange(key_len - query_len, key_len).unsqueeze(1)
        keys = torch.arange(key_len)
        mask = keys <= own
        return mask if window is None else mask & (keys > own - window)


class window_ignored_in_prompts:
    """X03. a layer whose window is what its cache keeps, without a mask for it

    One token at a time is right. In a prompt longer than the window the later tokens see everything: the two
    ways must agree.
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], None, x.device)
            return self._join(attention(query, keys, values, mask))


# --- what is fed, what is sampled (K06, K07, K15) -----------------------------------------------------


class prompt_fed_again:
    """K06. generation that feeds the whole text at every step into the same cache

    The cache then holds the prompt twice, three times, ... What is new since the last call?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], (prompt.shape[1] + steps) * (steps + 1))
        tokens = prompt.clone()
        for _ in range(steps):
            newest = model(tokens, cache)[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class prompt_fed_with_new_cache:
    """K06. generation that makes a new cache at every step and feeds the whole text

    The tokens are right and nothing is gained: each step computes everything again. What is a cache for?
    """

    def generate(model, prompt, steps):
        tokens = prompt.clone()
        for _ in range(steps):
            cache = model.new_cache(tokens.shape[0], tokens.shape[1] + steps)
            newest = model(tokens, cache)[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class prompt_fed_token_by_token:
    """K06. generation that feeds the prompt one token at a time

    The tokens are right, but the prompt takes as many calls as it has tokens, one after the other. What can
    be done at once, since all of it is known?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
        tokens = prompt.clone()
        for token in prompt[:, :-1].split(1, dim=1):
            model(token, cache)
        newest = prompt[:, -1:]
        for _ in range(steps):
            newest = model(newest, cache)[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class last_token_fed_too:
    """X04. generation that feeds the last new token although nobody asks what comes next

    The tokens are right, one call is too many. How many predictions are needed for `steps` tokens?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
        tokens = prompt.clone()
        logits = model(prompt, cache)
        for _ in range(steps):
            newest = logits[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
            logits = model(newest, cache)
        return tokens


class appended_after_attention:
    """K07. a layer that appends the current tokens after attention

    While decoding, the newest token does not see itself. When do its key and value have to be in the cache?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            if cache.length == 0 or x.shape[1] > 1:
                keys, values = cache.append(key, value)
                mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
                return self._join(attention(query, keys, values, mask))
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            mask[:, -1] = False
            return self._join(attention(query, keys, values, mask))


class sampled_from_the_first_position:
    """K15. generation that takes the first token from the logits at position 0

    With a prompt of one token it is right. Which row of the prefill's logits is about the token after the
    prompt?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
        tokens, newest = prompt.clone(), prompt
        for _ in range(steps):
            newest = model(newest, cache)[:, :1].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class last_of_equal_logits:
    """X05. generation in which the largest id of equal logits wins

    Ties are rare in a real model, and here they are decided by the task. Which id does it name?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
        tokens, newest = prompt.clone(), prompt
        for _ in range(steps):
            logits = model(newest, cache)[:, -1:]
            newest = logits.shape[-1] - 1 - logits.flip(-1).argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


class prompt_overwritten:
    """X06. generation that needs at least one step

    With steps = 0 there is nothing to predict, and the result is the prompt. What does your loop do before
    it looks at steps?
    """

    def generate(model, prompt, steps):
        cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
        newest = model(prompt, cache)[:, -1:].argmax(-1)
        tokens = torch.cat((prompt, newest), dim=1)
        for _ in range(steps - 1):
            newest = model(newest, cache)[:, -1:].argmax(-1)
            tokens = torch.cat((tokens, newest), dim=1)
        return tokens


# --- what is stored (K08, K17) ------------------------------------------------------------------------


class values_are_keys:
    """K08. a KVCache that stores the keys as values too

    The shapes are the same, so nothing complains. Look at the two lines that write, word by word.
    """

    class KVCache(KVCache):
        def append(self, key, value):
            return super().append(key, key)


class appended_twice:
    """K08. a layer that appends the new tokens twice

    After a prompt of T tokens the cache holds 2T. Who calls append, and how often?
    """

    class CachedAttention(CachedAttention):
        def new_cache(self, batch, max_len):
            return super().new_cache(batch, 2 * max_len)

        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            cache.append(key, value)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class window_values_are_keys:
    """K08. a WindowCache that keeps the keys as values too

    The chunk itself comes back right, and only what is read back from the cache is wrong. Look at what is
    written into which buffer.
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            seen = super().append(key, value)
            self.values.copy_(self.keys)
            return seen


class ragged_values_are_keys:
    """K08. a RaggedCache that stores the keys as values too

    The shapes are the same, so nothing complains. Look at the two lines that write, word by word.
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            return super().append(key, key, counts)


class paged_values_are_keys:
    """K08. a PagedCache that stores the keys as values too

    The shapes are the same, so nothing complains. Look at the two lines that write, word by word.
    """

    class PagedCache(PagedCache):
        def append(self, sequence, key, value):
            return super().append(sequence, key, key)


class heads_repeated_in_the_cache:
    """K17. a layer that repeats the key heads before it caches them

    The results are right and the cache is as many times too large as queries share a head. What is grouping
    good for?
    """

    class CachedAttention(CachedAttention):
        def new_cache(self, batch, max_len):
            groups = self.num_heads // self.num_kv_heads
            weight = self.key.weight
            if self.window is not None:
                return WindowCache(batch, self.num_heads, self.head_dim, self.window, weight.dtype, weight.device)
            return KVCache(batch, groups * self.num_kv_heads, self.head_dim, max_len, weight.dtype, weight.device)

        def forward(self, x, cache):
            groups = self.num_heads // self.num_kv_heads
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1))
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class heads_grouped_in_turn:
    """X07. a layer whose queries take the key heads in turn

    Query heads 0 and 1 share key head 0 when two queries share one. Here heads 0 and 2 do: look at the
    difference between repeat and repeat_interleave.
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            groups = self.num_heads // self.num_kv_heads
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            mixed = attention(query, keys.repeat(1, groups, 1, 1), values.repeat(1, groups, 1, 1), mask)
            return self._join(mixed)


class bytes_of_keys_only:
    """X08. a formula that counts the keys and not the values

    A cache of Llama 2 7B would come out at half its size. How many tensors does a layer store for each
    token?
    """

    def cache_bytes(num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch=1):
        return batch * num_layers * num_kv_heads * head_dim * length * bytes_per_value


# --- room (K16) ---------------------------------------------------------------------------------------


class overflow_wraps:
    """K16. a KVCache that begins again at 0 when it is full

    The oldest tokens are silently overwritten, and the mask and the positions know nothing of it. What does
    the task want instead?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            for t in range(key.shape[2]):
                self.keys[:, :, self.length % self.max_len] = key[:, :, t].detach()
                self.values[:, :, self.length % self.max_len] = value[:, :, t].detach()
                self.length += 1
            end = min(self.length, self.max_len)
            return self.keys[:, :, :end], self.values[:, :, :end]


class overflow_raises_what_torch_raises:
    """K16. a KVCache that leaves a full buffer to torch

    A RuntimeError about shapes says nothing to the caller. Which exception is in the docstring?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            end = self.length + key.shape[2]
            self.keys[:, :, self.length : end] = key.detach()
            self.values[:, :, self.length : end] = value.detach()
            self.length = end
            return self.keys[:, :, :end], self.values[:, :, :end]


class full_is_too_much:
    """K16. a KVCache that refuses the token which would fill it exactly

    max_len tokens fit into a cache for max_len tokens. Look at the sign of the comparison.
    """

    class KVCache(KVCache):
        def append(self, key, value):
            if self.length + key.shape[2] >= self.max_len:
                raise ValueError("full")
            return super().append(key, value)


class writes_until_full:
    """K16. a KVCache that writes what fits before it raises the error

    "As it was before" is what lets a caller catch the error and go on. When is it known that there is no
    room?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            for t in range(key.shape[2]):
                if self.length == self.max_len:
                    raise ValueError("full")
                seen = super().append(key[:, :, t : t + 1], value[:, :, t : t + 1])
            return seen


class ragged_refuses_padding:
    """K16. a RaggedCache that wants room for the padding too

    A row with one real token needs one place, however long the padded batch is. What is stored of the
    padding?
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            if max(self.lengths) + key.shape[2] > self.max_len:
                raise ValueError("full")
            return super().append(key, value, counts)


class ragged_writes_until_full:
    """K16. a RaggedCache that writes the rows before the full one and then raises the error

    After the error some rows hold the new tokens and some do not. When is it known that one row has no room?
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            for row, count in enumerate(counts):
                start = self.lengths[row]
                if start + count > self.max_len:
                    raise ValueError("full")
                self.keys[row, :, start : start + count] = key[row, :, :count].detach()
                self.values[row, :, start : start + count] = value[row, :, :count].detach()
                self.lengths[row] += count
            longest = max(self.lengths)
            return self.keys[:, :, :longest], self.values[:, :, :longest]


class paged_takes_blocks_before_the_error:
    """K16. a PagedCache that takes the free blocks before it finds them too few

    After the error the sequence owns blocks with nothing in them. When is it known how many are needed?
    """

    class PagedCache(PagedCache):
        def append(self, sequence, key, value):
            start = self.lengths.get(sequence, 0)
            table = self.tables.setdefault(sequence, [])
            self.lengths.setdefault(sequence, 0)
            for t in range(key.shape[1]):
                position = start + t
                if position % self.block_size == 0:
                    if not self._free:
                        raise ValueError("no block is free")
                    table.append(min(self._free))
                    self._free.remove(table[-1])
                self.key_blocks[table[-1], :, position % self.block_size] = key[:, t].detach()
                self.value_blocks[table[-1], :, position % self.block_size] = value[:, t].detach()
                self.lengths[sequence] = position + 1


# --- windows (K14) ------------------------------------------------------------------------------------


class window_keeps_the_oldest:
    """K14. a WindowCache that keeps the first tokens and drops the new ones

    Once it is full nothing new gets in. Which end of the text does a sliding window follow?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            before = min(self.length, self.window - 1)
            seen = []
            for buffer, new in ((self.keys, key), (self.values, value)):
                stored = new.detach().to(buffer.dtype)
                seen.append(torch.cat((buffer[:, :, :before], stored), dim=2))
                room = max(0, self.window - self.length)
                buffer[:, :, self.length : self.length + room] = stored[:, :, :room]
            self.length += key.shape[2]
            return seen[0], seen[1]


class window_sees_one_more:
    """K14. a WindowCache that returns window tokens before the chunk

    With its own key the first new token then sees window + 1. How many of them come before it?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            old = self._slots(max(0, self.length - self.window), self.length)
            kept = [self.keys[:, :, old].clone(), self.values[:, :, old].clone()]
            super().append(key, value)
            pairs = zip(kept, (key, value))
            return tuple(torch.cat((buffer, new.detach().to(buffer.dtype)), dim=2) for buffer, new in pairs)


class window_sees_one_less:
    """K14. a WindowCache that returns window - 2 tokens before the chunk

    With its own key the first new token then sees window - 1. Is the token itself one of the window?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            cut = self.length >= self.window - 1 and self.window > 1
            keys, values = super().append(key, value)
            return (keys[:, :, 1:], values[:, :, 1:]) if cut else (keys, values)


class layer_renumbers_in_the_window:
    """K14. a layer that counts positions inside the window

    The first window tokens are right. After that the distance between a new query and an old key is wrong,
    because the key keeps the angle that it was cached with. Which number does a token have for ever?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            start = cache.length if self.window is None else min(cache.length, self.window - 1)
            positions = torch.arange(start, start + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))


class window_returns_what_it_keeps:
    """K14. a WindowCache that returns only the tokens it keeps, also for a long chunk

    The first queries of a chunk need keys that the last ones do not. What may the first query of the chunk
    see?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            keys, values = super().append(key, value)
            return keys[:, :, -self.window :].clone(), values[:, :, -self.window :].clone()


class window_in_slot_order:
    """K14. a WindowCache that returns the ring as it lies in memory

    For one query the order of keys does not matter; for a mask, and for a second query, it does. Where in
    the ring does the oldest token stand?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            full = key.shape[2] == 1 and self.length >= self.window
            seen = super().append(key, value)
            return (self.keys.clone(), self.values.clone()) if full else seen


class window_returns_its_buffer:
    """K14. a WindowCache that returns views of the buffer which it overwrites

    The result is right until the next token comes. What do the tensors of the first call hold after the
    second?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            if key.shape[2] > self.window:
                return super().append(key, value)
            end = self.length + key.shape[2]
            seen = super().append(key, value)
            if end <= self.window:
                return self.keys[:, :, :end], self.values[:, :, :end]
            return seen


class window_grows:
    """X09. a WindowCache that keeps everything and shows the last tokens

    The results are right and the memory grows with the text, which is what a window shall prevent. How many
    tokens can still be asked for?
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            new = [key.detach().to(self.keys.dtype), value.detach().to(self.values.dtype)]
            old = getattr(self, "all", None) if self.length else None
            self.all = new if old is None else [torch.cat(pair, dim=2) for pair in zip(old, new)]
            start = max(0, self.length - self.window + 1)
            self.length += key.shape[2]
            first = max(0, self.length - self.window)
            for buffer, whole in zip((self.keys, self.values), self.all):
                buffer[:, :, : self.length - first] = whole[:, :, first:]
            return self.all[0][:, :, start:].clone(), self.all[1][:, :, start:].clone()


class window_slices_the_chunk:
    """X09. a WindowCache whose buffer is a slice of the last chunk

    A slice keeps the whole tensor alive that it was cut from: a prompt of ten thousand tokens stays in memory
    for a window of ten. And what was allocated first is thrown away.
    """

    class WindowCache(WindowCache):
        def append(self, key, value):
            kept = min(self.length, self.window)
            before = min(self.length, self.window - 1)
            new = [key.detach().to(self.keys.dtype), value.detach().to(self.values.dtype)]
            whole = [
                torch.cat((old[:, :, old.shape[2] - kept :], more), 2)
                for old, more in zip((self.keys, self.values), new)
            ]
            self.length += key.shape[2]
            if whole[0].shape[2] >= self.window:
                self.keys, self.values = (each[:, :, -self.window :] for each in whole)
            else:
                pad = self.window - whole[0].shape[2]
                self.keys, self.values = (torch.nn.functional.pad(each, (0, 0, pad, 0)) for each in whole)
            return tuple(each[:, :, kept - before :].clone() for each in whole)


# --- pages (K18) --------------------------------------------------------------------------------------


class last_page_read_in_full:
    """K18. a PagedCache that reads the last block to its end

    Behind the last token stand zeros, or what a freed sequence has left. How many tokens has the sequence?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            table = torch.tensor(self.tables[sequence], device=self.key_blocks.device)
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(each[table].transpose(0, 1).flatten(1, 2) for each in blocks)


class pages_read_side_by_side:
    """K18. a PagedCache that reads on from the first block of a sequence, past its table

    As long as one sequence is alone its blocks lie side by side. Who got the block in between?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            first, length = self.tables[sequence][0], self.lengths[sequence]
            size = -(-length // self.block_size)
            first = min(first, len(self.key_blocks) - size)
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(
                each[first : first + size].clone().transpose(0, 1).flatten(1, 2)[:, :length] for each in blocks
            )


class pages_read_in_sorted_order:
    """K18. a PagedCache that reads the blocks of a sequence in ascending order

    Blocks that were freed are used again, so the second block of a sequence can have a smaller number than
    the first. What is the order of a table?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            length = self.lengths[sequence]
            table = torch.tensor(sorted(self.tables[sequence]), device=self.key_blocks.device)
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(each[table].transpose(0, 1).flatten(1, 2)[:, :length] for each in blocks)


class pages_joined_without_transpose:
    """K18. a PagedCache that reshapes blocks without moving the heads to the front

    With one head, or one block, it is right. In which order do blocks, heads and places stand in memory?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            length = self.lengths[sequence]
            table = torch.tensor(self.tables[sequence], device=self.key_blocks.device)
            heads, _, head_dim = self.key_blocks.shape[1:]
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(each[table].reshape(heads, -1, head_dim)[:, :length] for each in blocks)


class every_append_takes_a_page:
    """K18. a PagedCache that begins a new block at every append

    A token at a time then costs a block each. What becomes of the room in the last one?
    """

    class PagedCache(PagedCache):
        def append(self, sequence, key, value):
            size = self.block_size
            length = self.lengths.get(sequence, 0)
            if not hasattr(self, "pieces"):
                self.pieces = {}
            wanted = -(-key.shape[1] // size)
            if wanted > len(self._free):
                raise ValueError("no block is free")
            taken = sorted(self._free)[:wanted]
            self._free.difference_update(taken)
            table = self.tables.setdefault(sequence, [])
            table += taken
            self.lengths[sequence] = length + key.shape[1]
            for t in range(key.shape[1]):
                self.key_blocks[taken[t // size], :, t % size] = key[:, t].detach()
                self.value_blocks[taken[t // size], :, t % size] = value[:, t].detach()

        def gather(self, sequence):
            length = self.lengths[sequence]
            table = torch.tensor(self.tables[sequence], device=self.key_blocks.device)
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(each[table].transpose(0, 1).flatten(1, 2)[:, :length] for each in blocks)


class page_taken_too_early:
    """X10. a PagedCache that takes the next block as soon as the last one is full

    A sequence that ends there holds a block for nothing, and others find none. How many blocks do exactly
    block_size tokens need?
    """

    class PagedCache(PagedCache):
        def append(self, sequence, key, value):
            length = self.lengths.get(sequence, 0) + key.shape[1]
            table = self.tables.get(sequence, [])
            wanted = length // self.block_size + 1 - len(table)
            if wanted > len(self._free):
                raise ValueError("no block is free")
            super().append(sequence, key, value)
            if length % self.block_size == 0 and len(self.tables[sequence]) == length // self.block_size:
                self.tables[sequence].append(min(self._free))
                self._free.remove(self.tables[sequence][-1])


class freed_pages_are_lost:
    """X11. a PagedCache that forgets a freed sequence but not that its blocks were taken

    After a while no block is left although no sequence is there. Who tells the pool?
    """

    class PagedCache(PagedCache):
        def free(self, sequence):
            del self.tables[sequence]
            del self.lengths[sequence]


class largest_free_page_first:
    """X11. a PagedCache that hands out the free block with the largest number

    Any rule would do for a program, but tables are compared. Which free block does the task name?
    """

    class PagedCache(PagedCache):
        def append(self, sequence, key, value):
            length = self.lengths.get(sequence, 0)
            table = self.tables.get(sequence, [])
            wanted = -(-(length + key.shape[1]) // self.block_size) - len(table)
            if wanted > len(self._free):
                raise ValueError("no block is free")
            taken = sorted(self._free, reverse=True)[:wanted]
            self._free.difference_update(taken)
            self.tables[sequence] = table + taken
            super().append(sequence, key, value)


class unknown_sequences_are_empty:
    """X12. a PagedCache that frees what it does not know without a word

    A sequence that is freed twice is a mistake of the caller, and one that hides well. Which exception does
    the task ask for?
    """

    class PagedCache(PagedCache):
        def free(self, sequence):
            self._free.update(self.tables.pop(sequence, []))
            self.lengths.pop(sequence, None)


class gathered_views:
    """X13. a PagedCache that returns a view where a sequence has only one block

    The tensors change when the block is given to somebody else. When does indexing copy, and when not?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            table, length = self.tables[sequence], self.lengths[sequence]
            if len(table) == 1:
                return self.key_blocks[table[0], :, :length], self.value_blocks[table[0], :, :length]
            return super().gather(sequence)


class pool_read_as_a_whole:
    """X14. a PagedCache that reshapes the whole pool to read one sequence

    The result is right, and every call copies all blocks of all sequences. Which blocks are asked for?
    """

    class PagedCache(PagedCache):
        def gather(self, sequence):
            length = self.lengths[sequence]
            table = torch.tensor(self.tables[sequence], device=self.key_blocks.device)
            places = (table[:, None] * self.block_size + torch.arange(self.block_size, device=table.device)).flatten()
            blocks = (self.key_blocks, self.value_blocks)
            return tuple(each.transpose(0, 1).flatten(1, 2)[:, places[:length]] for each in blocks)


# --- memory, dtypes, devices, graphs ------------------------------------------------------------------


class append_concatenates:
    """X15. a KVCache that joins old and new with cat

    The values are right, but each new token copies all old ones, and the memory that was allocated is thrown
    away. What was the buffer made for?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            end = self.length + key.shape[2]
            if end > self.max_len:
                raise ValueError("full")
            rest = self.keys[:, :, end:]
            self.keys = torch.cat((self.keys[:, :, : self.length], key.detach().to(rest.dtype), rest), 2)
            rest = self.values[:, :, end:]
            self.values = torch.cat((self.values[:, :, : self.length], value.detach().to(rest.dtype), rest), 2)
            self.length = end
            return self.keys[:, :, :end], self.values[:, :, :end]


class append_copies:
    """X15. a KVCache that returns copies of all keys and values

    The values are right, but each new token copies all old ones. Does a slice of a buffer cost anything?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            keys, values = super().append(key, value)
            return keys.clone(), values.clone()


class whole_buffer_returned:
    """X16. a KVCache that returns its buffers in full

    Behind the last token stand zeros, or tokens from before the reset, and they would be attended to. How
    many tokens are there?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            super().append(key, value)
            return self.keys, self.values


class dtype_ignored:
    """X17. a KVCache that always stores float32

    A cache in half precision takes half the memory, if it is told to. Which argument is never read?
    """

    class KVCache(KVCache):
        def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
            super().__init__(batch, num_kv_heads, head_dim, max_len, device=device)


class new_cache_in_float32:
    """X17. a layer whose cache is float32 whatever its weights are

    A layer in float64 loses half its digits in the cache, one in float16 gets keys of another dtype than its
    queries. What knows the dtype of the layer?
    """

    class CachedAttention(CachedAttention):
        def new_cache(self, batch, max_len):
            device = self.key.weight.device
            if self.window is not None:
                return WindowCache(batch, self.num_kv_heads, self.head_dim, self.window, device=device)
            return KVCache(batch, self.num_kv_heads, self.head_dim, max_len, device=device)


class new_cache_on_cpu:
    """X18. a layer whose cache is made on the CPU

    It works until the layer moves to a GPU. What knows the device of the layer?
    """

    class CachedAttention(CachedAttention):
        def new_cache(self, batch, max_len):
            dtype = self.key.weight.dtype
            if self.window is not None:
                return WindowCache(batch, self.num_kv_heads, self.head_dim, self.window, dtype)
            return KVCache(batch, self.num_kv_heads, self.head_dim, max_len, dtype)


class graph_kept:
    """X19. a KVCache that remembers how its keys were computed

    Every token adds to a graph that nobody will go back through, and none of its memory can be freed. What
    does the docstring say about gradients?
    """

    class KVCache(KVCache):
        def append(self, key, value):
            end = self.length + key.shape[2]
            if end > self.max_len:
                raise ValueError("full")
            self.keys[:, :, self.length : end] = key
            self.values[:, :, self.length : end] = value
            self.length = end
            return self.keys[:, :, :end], self.values[:, :, :end]


class first_chunk_is_stored_itself:
    """X20. a RaggedCache that keeps the caller's list of lengths

    The list of counts and the list of lengths are the same object after the first append, so one changes
    with the other. What does = do with a list?
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            if not any(self.lengths):
                super().append(key, value, counts)
                self.lengths = counts
            else:
                before = self.lengths
                super().append(key, value, counts)
                before[:] = self.lengths
                self.lengths = before
            longest = max(self.lengths)
            return self.keys[:, :, :longest], self.values[:, :, :longest]


class nbytes_of_what_is_filled:
    """X21. an nbytes that counts the tokens which are there

    The buffers are allocated, filled or not. What does the memory of the machine know of the length?
    """

    class KVCache(KVCache):
        @property
        def nbytes(self):
            return 2 * self.keys[:, :, : self.length].numel() * self.keys.element_size()


# --- rows and the layer -------------------------------------------------------------------------------


class rows_appended_at_the_longest:
    """X22. a RaggedCache that writes every row behind the end of the longest

    Short rows get a hole between their prompt and what follows. Where does each row end?
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            start = max(self.lengths)
            if start + max(counts) > self.max_len:
                raise ValueError("full")
            for row, count in enumerate(counts):
                self.keys[row, :, start : start + count] = key[row, :, :count].detach()
                self.values[row, :, start : start + count] = value[row, :, :count].detach()
            self.lengths = [length + count for length, count in zip(self.lengths, counts)]
            return self.keys[:, :, : max(self.lengths)], self.values[:, :, : max(self.lengths)]


class padding_stored:
    """X23. a RaggedCache that stores the padding behind the real tokens

    It is overwritten by the next tokens, and hidden by the mask. But a weight of zero times NaN is NaN, and
    the padding may hold anything.
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            ends = [length + count for length, count in zip(self.lengths, counts)]
            if max(ends) > self.max_len:
                raise ValueError("full")
            for row, start in enumerate(self.lengths):
                room = min(key.shape[2], self.max_len - start)
                self.keys[row, :, start : start + room] = key[row, :, :room].detach()
                self.values[row, :, start : start + room] = value[row, :, :room].detach()
            self.lengths = ends
            return self.keys[:, :, : max(ends)], self.values[:, :, : max(ends)]


class padding_multiplied_by_zero:
    """X23. a RaggedCache that multiplies padding by zero

    Zero times a number is zero; zero times NaN or infinity is not. Is there a way to take only what is
    real?
    """

    class RaggedCache(RaggedCache):
        def append(self, key, value, counts):
            ends = [length + count for length, count in zip(self.lengths, counts)]
            if max(ends) > self.max_len:
                raise ValueError("full")
            real = torch.arange(key.shape[2], device=key.device) < torch.tensor(counts, device=key.device)[:, None]
            for row, start in enumerate(self.lengths):
                room = min(key.shape[2], self.max_len - start)
                for buffer, new in ((self.keys, key), (self.values, value)):
                    kept = new[row] * real[row, :, None]
                    buffer[row, :, start : start + room] += kept[:, :room].detach().to(buffer.dtype)
            self.lengths = ends
            return self.keys[:, :, : max(ends)], self.values[:, :, : max(ends)]


class heads_split_without_transpose:
    """X24. a layer that cuts heads with a view alone

    (batch, T, heads * head_dim) viewed as (batch, heads, T, head_dim) mixes tokens and heads. Right for one
    token, wrong for two: which axes have to change places?
    """

    class CachedAttention(CachedAttention):
        def _project(self, x, positions):
            query, key, value = (
                projection(x).reshape(x.shape[0], -1, x.shape[1], self.head_dim)
                for projection in (self.query, self.key, self.value)
            )
            return rope(query, positions), rope(key, positions), value


class values_rotated:
    """X25. a layer that rotates the values too

    The scores need to know positions, what is mixed does not. Which two of the three are compared with each
    other?
    """

    class CachedAttention(CachedAttention):
        def _project(self, x, positions):
            query, key, value = super()._project(x, positions)
            return query, key, rope(value, positions)


class old_tokens_projected_again:
    """X26. a layer that keeps the tokens and projects all of them at every step

    The results are right, and the largest part of the work is done again for every token. What is it that a
    key-value cache caches?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            if cache.length == 0:
                cache.texts = x.detach()
            else:
                cache.texts = torch.cat((cache.texts, x.detach()), dim=1)
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            first = cache.length - keys.shape[2]
            _, again, worth = self._project(cache.texts[:, first:], torch.arange(first, cache.length, device=x.device))
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, again, worth, mask))


class old_queries_answered_again:
    """X26. a layer that computes attention for all tokens and returns the new ones

    The results are right, and each step answers queries that were answered before. Whose results are asked
    for?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            if self.window is not None:
                return super().forward(x, cache)
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            cache.asked = query if cache.length == 0 else torch.cat((cache.asked, query), dim=2)
            keys, values = cache.append(key, value)
            mask = causal_mask(cache.length, cache.length, None, x.device)
            return self._join(attention(cache.asked, keys, values, mask)[:, :, -x.shape[1] :])


class history_in_training_only:
    """X27. a layer that looks into its cache in training mode only

    Decoding happens in evaluation mode, and there every chunk sees itself alone. Which of the two modes is
    this exercise about?
    """

    class CachedAttention(CachedAttention):
        def forward(self, x, cache):
            positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
            query, key, value = self._project(x, positions)
            keys, values = cache.append(key, value)
            if not self.training:
                keys, values = keys[:, :, -x.shape[1] :], values[:, :, -x.shape[1] :]
            mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
            return self._join(attention(query, keys, values, mask))
