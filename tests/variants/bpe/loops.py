"""Style: nothing but while and for loops with indices, no helpers of the standard library."""
# ruff: noqa: PERF402


def byte_symbols():
    table = {}
    for b in range(33, 127):
        table[b] = chr(b)
    for b in range(161, 173):
        table[b] = chr(b)
    for b in range(174, 256):
        table[b] = chr(b)
    n = 0
    b = 0
    while b < 256:
        if b not in table:
            table[b] = chr(256 + n)
            n = n + 1
        b = b + 1
    return table


def pre_tokenize(text):
    table = byte_symbols()
    result = []
    n = len(text)
    i = 0
    while i < n:
        start = i
        end = -1
        if text[i] == "'":
            if i + 1 < n and text[i + 1] in "stmd":
                end = i + 2
            elif i + 2 < n and (
                (text[i + 1] == "r" and text[i + 2] == "e")
                or (text[i + 1] == "v" and text[i + 2] == "e")
                or (text[i + 1] == "l" and text[i + 2] == "l")
            ):
                end = i + 3
        if end < 0:
            j = i
            if text[i] == " " and i + 1 < n and not text[i + 1].isspace():
                j = i + 1
            if text[j].isspace():
                k = j
                while k < n and text[k].isspace():
                    k += 1
                if k < n and k - start >= 2:
                    k -= 1
                end = k
            elif text[j].isalpha():
                k = j
                while k < n and text[k].isalpha():
                    k += 1
                end = k
            elif text[j].isnumeric():
                k = j
                while k < n and text[k].isnumeric() and not text[k].isalpha():
                    k += 1
                end = k
            else:
                k = j
                while k < n and not (text[k].isspace() or text[k].isalpha() or text[k].isnumeric()):
                    k += 1
                end = k
        piece = ""
        for byte in bytes(text[start:end], "utf-8"):
            piece = piece + table[byte]
        result.append((piece, (start, end)))
        i = end
    return result


def split_specials(text, specials):
    result = []
    current = ""
    i = 0
    while i < len(text):
        best = ""
        for special in specials:
            if text[i : i + len(special)] == special and len(special) > len(best):
                best = special
        if best == "":
            current = current + text[i]
            i = i + 1
        else:
            if current != "":
                result.append((current, False))
            result.append((best, True))
            current = ""
            i = i + len(best)
    if current != "":
        result.append((current, False))
    return result


def word_frequencies(corpus, specials):
    freqs = {}
    for text in corpus:
        for part, flag in split_specials(text, specials):
            if not flag:
                for entry in pre_tokenize(part):
                    word = entry[0]
                    if word in freqs:
                        freqs[word] = freqs[word] + 1
                    else:
                        freqs[word] = 1
    return freqs


def pair_frequencies(splits, word_freqs):
    freqs = {}
    for word in splits:
        symbols = splits[word]
        i = 1
        while i < len(symbols):
            pair = (symbols[i - 1], symbols[i])
            if pair not in freqs:
                freqs[pair] = 0
            freqs[pair] += word_freqs[word]
            i += 1
    return freqs


def merge_pair(a, b, splits):
    result = {}
    for word in splits:
        symbols = []
        for symbol in splits[word]:
            symbols.append(symbol)
        i = 0
        while i < len(symbols) - 1:
            if symbols[i] == a and symbols[i + 1] == b:
                symbols[i] = a + b
                del symbols[i + 1]
            i += 1
        result[word] = symbols
    return result


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, specials)
    splits = {}
    alphabet = []
    for word in freqs:
        splits[word] = []
        for symbol in word:
            splits[word].append(symbol)
            if symbol not in alphabet:
                alphabet.append(symbol)
    alphabet.sort()
    merges = []
    vocab = []
    for special in specials:
        vocab.append(special)
    for symbol in alphabet:
        vocab.append(symbol)
    while len(vocab) < vocab_size:
        pairs = pair_frequencies(splits, freqs)
        best = None
        best_count = 0
        for pair in pairs:
            if pairs[pair] > best_count:
                best = pair
                best_count = pairs[pair]
        if best is None:
            return merges, vocab
        splits = merge_pair(best[0], best[1], splits)
        merges.append(best)
        vocab.append(best[0] + best[1])
    return merges, vocab


def tokenize(text, merges):
    ranks = {}
    for i in range(len(merges)):
        ranks[merges[i]] = i
    tokens = []
    for entry in pre_tokenize(text):
        symbols = []
        for symbol in entry[0]:
            symbols.append(symbol)
        while True:
            best = -1
            for i in range(len(symbols) - 1):
                pair = (symbols[i], symbols[i + 1])
                if pair in ranks and (best < 0 or ranks[pair] < best):
                    best = ranks[pair]
            if best < 0:
                break
            a = merges[best][0]
            b = merges[best][1]
            i = 0
            while i < len(symbols) - 1:
                if symbols[i] == a and symbols[i + 1] == b:
                    symbols[i] = a + b
                    del symbols[i + 1]
                i += 1
        for symbol in symbols:
            tokens.append(symbol)
    return tokens


def encode(text, merges, vocab, specials):
    numbers = {}
    for i in range(len(vocab)):
        numbers[vocab[i]] = i
    ids = []
    for part, flag in split_specials(text, specials):
        if flag:
            ids.append(numbers[part])
        else:
            for token in tokenize(part, merges):
                ids.append(numbers[token])
    return ids


def decode(ids, vocab, specials):
    table = byte_symbols()
    back = {}
    for byte in table:
        back[table[byte]] = byte
    text = ""
    values = []
    for number in ids:
        token = vocab[number]
        special = False
        for s in specials:
            if s == token:
                special = True
        if special:
            text = text + bytes(values).decode("utf-8", "replace") + token
            values = []
        else:
            for symbol in token:
                values.append(back[symbol])
    text = text + bytes(values).decode("utf-8", "replace")
    return text


def fallback_tokenize(text, merges, alphabet, specials):
    digits = "0123456789ABCDEF"
    ranks = {}
    for i in range(len(merges)):
        ranks[merges[i]] = i
    space = False
    for char in alphabet:
        if char == "▁":
            space = True
    tokens = []
    for part, flag in split_specials(text, specials):
        if flag:
            tokens.append(part)
            continue
        for entry in pre_tokenize(part):
            symbols = []
            i = entry[1][0]
            while i < entry[1][1]:
                char = part[i]
                known = False
                for letter in alphabet:
                    if letter == char:
                        known = True
                if char == " " and space:
                    symbols.append("▁")
                elif known and char != "▁":
                    symbols.append(char)
                else:
                    for byte in bytes(char, "utf-8"):
                        symbols.append("<0x" + digits[byte // 16] + digits[byte % 16] + ">")
                i += 1
            while True:
                best = -1
                for i in range(len(symbols) - 1):
                    pair = (symbols[i], symbols[i + 1])
                    if pair in ranks and (best < 0 or ranks[pair] < best):
                        best = ranks[pair]
                if best < 0:
                    break
                i = 0
                while i < len(symbols) - 1:
                    if symbols[i] == merges[best][0] and symbols[i + 1] == merges[best][1]:
                        symbols[i] = symbols[i] + symbols[i + 1]
                        del symbols[i + 1]
                    i += 1
            for symbol in symbols:
                tokens.append(symbol)
    return tokens


def fallback_decode(tokens, specials):
    digits = "0123456789ABCDEF"
    text = ""
    values = []
    for token in tokens:
        special = False
        for s in specials:
            if s == token:
                special = True
        value = -1
        if not special and len(token) == 6:
            if token[0] == "<" and token[1] == "0" and token[2] == "x" and token[5] == ">":
                if token[3] in digits and token[4] in digits:
                    value = 16 * digits.index(token[3]) + digits.index(token[4])
        if value >= 0:
            values.append(value)
            continue
        text = text + bytes(values).decode("utf-8", "replace")
        values = []
        for char in token:
            if char == "▁" and not special:
                text = text + " "
            else:
                text = text + char
    text = text + bytes(values).decode("utf-8", "replace")
    return text


def merges_to_text(merges):
    text = "#version: 0.2\n"
    for pair in merges:
        for symbol in pair:
            if symbol == "":
                raise ValueError("an empty symbol")
            for char in symbol:
                if char == " " or char == "\n" or char == "\r":
                    raise ValueError("a symbol with a separator in it")
        text = text + pair[0] + " " + pair[1] + "\n"
    return text


def merges_from_text(text):
    lines = []
    line = ""
    for char in text:
        if char == "\n":
            lines.append(line)
            line = ""
        else:
            line = line + char
    lines.append(line)
    merges = []
    number = 0
    for line in lines:
        number = number + 1
        if line != "" and line[-1] == "\r":
            line = line[:-1]
        if line == "":
            continue
        if number == 1 and line[:8] == "#version":
            continue
        spaces = 0
        place = 0
        for i in range(len(line)):
            if line[i] == " ":
                spaces = spaces + 1
                place = i
        if spaces != 1 or place == 0 or place == len(line) - 1:
            raise ValueError("line " + str(number) + ": no merge")
        merges.append((line[:place], line[place + 1 :]))
    return merges


def bytes_per_token(texts, merges):
    size = 0
    count = 0
    for text in texts:
        for byte in bytes(text, "utf-8"):
            size = size + 1
        for token in tokenize(text, merges):
            count = count + 1
    if count == 0:
        return 0.0
    return size / count
