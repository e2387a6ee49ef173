"""Wrong programs that students write for the pre-tokenization exercise, each wrong in one respect.

A class is a namespace: its functions take the place of the functions of the same name in a right program.
"""

import re
import string
import unicodedata

# --- bytes (B19) -------------------------------------------------------------------------------------


class code_points_for_bytes:
    """B19. utf8_bytes with one number for each character, its code point

    A byte is at most 255, but some of these numbers are larger. In how many bytes does UTF-8 write an
    é, and in how many an emoji?
    """

    def utf8_bytes(text):
        return [ord(char) for char in text]


class text_of_single_bytes:
    """B19. from_utf8_bytes with each byte taken for a character

    An é comes back as two characters, as Ã and ©. How many bytes belong to one character in UTF-8?
    """

    def from_utf8_bytes(values):
        if any(not 0 <= value <= 255 for value in values):
            raise ValueError(values)
        return "".join(map(chr, values))


class bytes_decoded_one_by_one:
    """B19. from_utf8_bytes with each byte decoded on its own

    All characters but ASCII become U+FFFD. What does the second byte of an é mean without the first?
    """

    def from_utf8_bytes(values):
        return "".join(bytes([value]).decode("utf-8", errors="replace") for value in values)


class strict_decoding:
    """B19. from_utf8_bytes with an exception for bytes that are no UTF-8

    A model can produce any bytes, and its output must still be readable. What does the task ask for
    instead of an exception?
    """

    def from_utf8_bytes(values):
        return bytes(values).decode("utf-8")


class bytes_decoded_in_chunks:
    """B19. from_utf8_bytes that decodes a long list in chunks

    Where a chunk ends inside a character, both parts of it become U+FFFD. What would a decoder have to
    remember from one chunk to the next?
    """

    def from_utf8_bytes(values):
        starts = range(0, len(values), 4096)
        return "".join(bytes(values[start : start + 4096]).decode(errors="replace") for start in starts)


class broken_bytes_ignored:
    """X01. from_utf8_bytes without the bytes that are no UTF-8

    Broken bytes vanish, so nobody sees that something was there. Which of the error handlers leaves a
    sign?
    """

    def from_utf8_bytes(values):
        return bytes(values).decode("utf-8", errors="ignore")


class one_replacement_for_each_byte:
    """X02. from_utf8_bytes with one U+FFFD for each broken byte

    The first two bytes of a euro sign are the beginning of one character. How many characters were lost?
    """

    def from_utf8_bytes(values):
        data, text = bytes(values), ""
        while data:
            try:
                return text + data.decode("utf-8")
            except UnicodeDecodeError as error:
                text += data[: error.start].decode() + "\ufffd" * (error.end - error.start)
                data = data[error.end :]
        return text


class signature_dropped:
    """X03. from_utf8_bytes without the U+FEFF at the beginning

    A text that begins with U+FEFF does not come back. Which of Python's encodings takes it for a signature?
    """

    def from_utf8_bytes(values):
        return bytes(values).decode("utf-8-sig", errors="replace")


class numbers_wrapped_to_bytes:
    """X04. from_utf8_bytes with 256 and -1 taken modulo 256

    A number that is no byte is a mistake of the caller, and here nobody learns of it. What should happen
    instead?
    """

    def from_utf8_bytes(values):
        return bytes(value & 255 for value in values).decode("utf-8", errors="replace")


# --- characters of bytes -----------------------------------------------------------------------------


class moved_by_256:
    """X05. byte_to_char with chr(256 + byte) for what cannot be printed

    The space becomes Ġ this way, but by chance: it is the 33rd byte that is moved, and all before it are
    moved too. What number does byte 127 get if the moved ones are counted?
    """

    def byte_to_char():
        kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
        return {byte: chr(byte if byte in kept else 256 + byte) for byte in range(256)}


class soft_hyphen_kept:
    """X06. byte_to_char with byte 173 kept

    Character 173 is the soft hyphen, which is not printed. It stands in the middle of a range that is
    otherwise kept; look at the three ranges of the docstring again.
    """

    def byte_to_char():
        kept = {*range(33, 127), *range(161, 256)}
        moved = [byte for byte in range(256) if byte not in kept]
        return {byte: chr(byte) if byte in kept else chr(256 + moved.index(byte)) for byte in range(256)}


class shared_table:
    """X07. byte_to_char that gives the same dict to every caller

    One caller empties the dict, and the next one gets it empty. Who owns what a function returns?
    """

    def byte_to_char():
        return BYTE_CHARS


# --- normalizing -------------------------------------------------------------------------------------


class compatibility_form:
    """X08. normalizing with compatibility decomposition (NFKD)

    ﬁ becomes two letters, ½ three characters, and ² a plain 2: that is more than taking accents off. Which
    normal form decomposes only what is canonically the same?
    """

    def _normalize_char(char):
        parts = unicodedata.normalize("NFKD", char)
        return "".join(part.lower() for part in parts if unicodedata.category(part) != "Mn")


class marks_without_decomposing:
    """X09. normalizing without decomposing: only accents that are characters of their own are dropped

    A composed é keeps its accent. What has to happen before the accent is a character by itself?
    """

    def _normalize_char(char):
        return "" if unicodedata.category(char) == "Mn" else char.lower()


class all_marks_dropped:
    """X10. normalizing that drops every mark, of categories Mc and Me too

    The vowel signs of many scripts are marks of category Mc, and words lose letters without them. Which
    category does the task name?
    """

    def _normalize_char(char):
        parts = unicodedata.normalize("NFD", char)
        return "".join(part.lower() for part in parts if unicodedata.category(part)[0] != "M")


class combining_class_asked:
    """X11. normalizing that drops what has a combining class other than 0

    The combining class says where marks go, and some marks, such as the variation selector after an emoji,
    have class 0. Which property does the task name?
    """

    def _normalize_char(char):
        return "".join(part.lower() for part in unicodedata.normalize("NFD", char) if not unicodedata.combining(part))


class one_block_of_marks:
    """X12. normalizing that drops only U+0300 to U+036F

    That block has the accents of Latin and Greek. Which property have all such marks of all scripts in
    common?
    """

    def _normalize_char(char):
        return "".join(p.lower() for p in unicodedata.normalize("NFD", char) if not "\u0300" <= p <= "\u036f")


class lowered_as_a_whole:
    """X13. normalize with the whole text put in lower case at once

    At the end of a word a capital Σ becomes ς this way. What does a character that is lowered on its own know
    of its word?
    """

    def normalize(text):
        parts = unicodedata.normalize("NFD", text)
        return "".join(part for part in parts if unicodedata.category(part) != "Mn").lower()


class case_folded:
    """X14. normalizing with casefold instead of lower

    Folding is made for comparing texts and turns ß into ss. Which method does the task name?
    """

    def _normalize_char(char):
        parts = unicodedata.normalize("NFD", char)
        return "".join(part.casefold() for part in parts if unicodedata.category(part) != "Mn")


class only_ascii_kept:
    """X15. normalizing that drops everything that is not ASCII after decomposing

    Accents disappear this way, and so do Greek, Chinese and ß. What exactly is to be dropped?
    """

    def _normalize_char(char):
        return unicodedata.normalize("NFD", char).encode("ascii", "ignore").decode().lower()


class composed_again:
    """X16. normalize with the result composed again (NFC)

    Hangul comes back as syllables, where the task leaves the parts. After which step does the task end?
    """

    def normalize(text):
        return unicodedata.normalize("NFC", "".join(map(_normalize_char, text)))


class whitespace_tidied:
    """X17. normalize that also strips the text and joins runs of whitespace

    Places depend on every character that is there. Which step of the task is about whitespace?
    """

    def normalize(text):
        return " ".join("".join(map(_normalize_char, text)).split())


class controls_dropped:
    """X18. normalizing that also drops control and format characters

    BERT's own code cleans such characters away, and the task says that this is left out. What else
    does a joined emoji lose?
    """

    def _normalize_char(char):
        if unicodedata.category(char) in ("Cc", "Cf") and not char.isspace():
            return ""
        parts = unicodedata.normalize("NFD", char)
        return "".join(part.lower() for part in parts if unicodedata.category(part) != "Mn")


# --- origins (W16) -----------------------------------------------------------------------------------


class origins_after_normalizing:
    """W16. normalize_with_offsets with places in the normalized text

    As soon as one character was dropped or became several, these places point elsewhere in the original.
    Which of the two texts does the caller have?
    """

    def normalize_with_offsets(text):
        normalized = normalize(text)
        return normalized, [(place, place + 1) for place in range(len(normalized))]


class origins_one_by_one:
    """W16. normalize_with_offsets with one span for each character of the original

    There are as many spans as characters in the original, not as in the normalized text. What is the
    list to be read beside?
    """

    def normalize_with_offsets(text):
        return normalize(text), [(place, place + 1) for place in range(len(text))]


class origins_without_marks:
    """W16. normalize_with_offsets with spans that leave the dropped marks out

    A slice of the original with such a span has the letter, but not its accent. How far does the task's
    span reach?
    """

    def normalize_with_offsets(text):
        normalized, origins = "", []
        for place, char in enumerate(text):
            left = _normalize_char(char)
            normalized += left
            origins += [(place, place + 1)] * len(left)
        return normalized, origins


class marks_go_forward:
    """W16. normalize_with_offsets with a dropped mark in the span of the character after it

    A combining mark follows the letter that it belongs to. Which neighbour is that?
    """

    def normalize_with_offsets(text):
        normalized, origins, start = "", [], 0
        for place, char in enumerate(text):
            left = _normalize_char(char)
            if left:
                normalized += left
                origins += [(start, place + 1)] * len(left)
                start = place + 1
        return normalized, origins


class first_span_from_zero:
    """X19. normalize_with_offsets with the marks at the beginning of the text in the first span

    A mark before all letters belongs to none of them. Where does the span of the first character that is
    left begin?
    """

    RIGHT = normalize_with_offsets

    def normalize_with_offsets(text):
        normalized, origins = RIGHT(text)
        first = origins[0] if origins else None
        return normalized, [(0, end) if (start, end) == first else (start, end) for start, end in origins]


class parts_have_places_of_their_own:
    """X20. normalize_with_offsets in which the parts of one character have places one after the other

    The three parts of a Hangul syllable come from one character, and there is no second and third one in
    the text. Which span do they share?
    """

    def normalize_with_offsets(text):
        normalized, origins = "", []
        for place, char in enumerate(text):
            left = _normalize_char(char)
            if not left and origins:
                origins[-1] = (origins[-1][0], place + 1)
            normalized += left
            origins += [(place + n, place + n + 1) for n in range(len(left))]
        return normalized, origins


class one_mark_extends:
    """X21. normalize_with_offsets in which a span grows by one dropped mark at most

    Letters can have several accents. What about the second mark?
    """

    def normalize_with_offsets(text):
        normalized, origins = "", []
        for place, char in enumerate(text):
            left = _normalize_char(char)
            more = place + 1 < len(text) and not _normalize_char(text[place + 1])
            normalized += left
            origins += [(place, place + 1 + more)] * len(left)
        return normalized, origins


class marks_of_letters_only:
    """X22. normalize_with_offsets in which only letters get the marks after them

    A mark can stand after a space, an exclamation mark or an emoji too, and the task gives it to whatever
    stands before it. Which of these did you ask about?
    """

    def normalize_with_offsets(text):
        groups = []
        for place, char in enumerate(text):
            left = _normalize_char(char)
            if left:
                groups.append((left, place, place + 1))
            elif groups and text[groups[-1][1]].isalpha():
                before, start, _ = groups[-1]
                groups[-1] = (before, start, place + 1)
        return "".join(g[0] for g in groups), [(start, end) for left, start, end in groups for _ in left]


# --- BERT: splitting ---------------------------------------------------------------------------------


class ascii_punctuation:
    """X23. split_bert with ASCII punctuation only

    Curly quotes, dashes and the full stops of other scripts stay in their words. Which categories of
    Unicode count, too?
    """

    def _is_punctuation(char):
        return char in string.punctuation


class unicode_punctuation:
    """X24. split_bert with Unicode's punctuation only

    To Unicode $ + < ^ ` | and ~ are symbols, not punctuation. Which characters does BERT add?
    """

    def _is_punctuation(char):
        return unicodedata.category(char).startswith("P")


class symbols_split:
    """X25. split_bert with all symbols as punctuation

    €, ° and emoji are cut off, too. Of which characters does the task take symbols for punctuation?
    """

    def _is_punctuation(char):
        return unicodedata.category(char)[0] in "PS"


class punctuation_runs:
    """X26. split_bert with a run of punctuation as one piece

    Three dots are one piece here. How long is a piece of punctuation?
    """

    BERT_PIECE = re.compile(r"w+|p+")


class words_of_word_characters:
    r"""X27. split_bert with \w for words and everything else for punctuation

    The underscore is in \w, emoji and signs such as € are not. By which two questions does the task tell
    punctuation from the rest?
    """

    def split_bert(text):
        return [(match[0], match.span()) for match in re.finditer(r"\w+|[^\w\s]", text)]


class ascii_whitespace:
    """B18. split_bert that takes only ASCII whitespace for whitespace

    There are spaces beyond ASCII, such as U+00A0 and U+3000. Which method of str says what whitespace is?
    """

    def split_bert(text):
        mask = "".join(" " if c in string.whitespace else "p" if _is_punctuation(c) else "w" for c in text)
        return [(text[slice(*match.span())], match.span()) for match in BERT_PIECE.finditer(mask)]


class invisible_is_whitespace:
    """X28. split_bert that takes control and format characters for whitespace

    A zero-width space and the joiner inside an emoji are no whitespace to Python, although nothing is to
    be seen of them. What does `str.isspace` say of them?
    """

    def split_bert(text):
        gap = lambda c: c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Zs")
        mask = "".join(" " if gap(c) else "p" if _is_punctuation(c) else "w" for c in text)
        return [(text[slice(*match.span())], match.span()) for match in BERT_PIECE.finditer(mask)]


class first_place_found:
    """X29. split_bert in which every repeated piece has the place of its first occurrence

    The second "the" of a text is not where the first one is. From where does your search begin?
    """

    def split_bert(text):
        mask = "".join(" " if c.isspace() else "p" if _is_punctuation(c) else "w" for c in text)
        pieces = [text[slice(*match.span())] for match in BERT_PIECE.finditer(mask)]
        return [(piece, (text.find(piece), text.find(piece) + len(piece))) for piece in pieces]


class places_without_whitespace:
    """B18. split_bert with places that assume one space between words and none at the start

    Two spaces, a leading space or a comma without a space shift all places after them. Where does the text
    itself say where a piece is?
    """

    def split_bert(text):
        mask = "".join(" " if c.isspace() else "p" if _is_punctuation(c) else "w" for c in text)
        pieces, place = [], 0
        for word in mask.split():
            for match in BERT_PIECE.finditer(word):
                pieces.append((match.start() + place, match.end() + place))
            place += len(word) + 1
        words = [text[slice(*match.span())] for match in BERT_PIECE.finditer(mask)]
        return list(zip(words, pieces))


class last_word_lost:
    """X30. split_bert without a word at the end of the text

    A word that no whitespace or punctuation follows is missing. What closes the last word?
    """

    def split_bert(text):
        mask = "".join(" " if c.isspace() else "p" if _is_punctuation(c) else "w" for c in text)
        return [(text[slice(*m.span())], m.span()) for m in re.finditer("w+(?=[ p])|p", mask)]


# --- BERT: pieces of the original (W16) --------------------------------------------------------------


class pieces_in_normalized_text:
    """W16. bert_pieces with places in the normalized text

    The places fit as long as no character was dropped and none became several. To which text do they have
    to point, and what do the origins tell?
    """

    def bert_pieces(text):
        return split_bert(normalize(text))


class pieces_split_first_without_empty:
    """W16. bert_pieces in which the text is split first, then normalized, and empty pieces are left out

    A character that decomposes into a punctuation mark, such as ≠, is not cut off any more. In which
    order does the task do the two?
    """

    def bert_pieces(text):
        return [(normalize(piece), place) for piece, place in split_bert(text) if normalize(piece)]


class pieces_as_long_as_normalized:
    """W16. bert_pieces whose places start right and are as long as the normalized piece

    The piece in the original can be longer than the normalized one, or shorter. Where does its last
    character come from?
    """

    def bert_pieces(text):
        normalized, origins = normalize_with_offsets(text)
        pieces = split_bert(normalized)
        return [(piece, (origins[start][0], origins[start][0] + end - start)) for piece, (start, end) in pieces]


class pieces_in_decomposed_text:
    """W16. bert_pieces with places in the text after it was decomposed

    Decomposing made the text longer wherever an é was composed. The caller never sees that text; to
    which one do the places have to point?
    """

    def bert_pieces(text):
        spelled_out = unicodedata.normalize("NFD", text)
        normalized, origins = normalize_with_offsets(spelled_out)
        return [(p, (origins[a][0], origins[b - 1][1])) for p, (a, b) in split_bert(normalized)]


class pieces_without_last_marks:
    """W16. bert_pieces that leave the marks at the end of a piece out of its place

    A slice of the original lacks the accent of the last letter. Where does the span of the last character
    end?
    """

    def bert_pieces(text):
        normalized, origins = normalize_with_offsets(text)
        return [(piece, (origins[a][0], origins[b - 1][0] + 1)) for piece, (a, b) in split_bert(normalized)]


class pieces_not_normalized:
    """X31. bert_pieces with pieces cut out of the original

    The places are right, but the pieces still have accents and capital letters. Which text are the pieces
    of?
    """

    def bert_pieces(text):
        normalized, origins = normalize_with_offsets(text)
        places = [(origins[a][0], origins[b - 1][1]) for _, (a, b) in split_bert(normalized)]
        return [(text[start:end], (start, end)) for start, end in places]


class pieces_in_bytes:
    """X32. bert_pieces with places counted in bytes

    Before the first character that is not ASCII the two counts agree, after it they do not. What does a
    slice of a Python text count?
    """

    def bert_pieces(text):
        normalized, origins = normalize_with_offsets(text)
        count = lambda place: len(text[:place].encode())
        return [(p, (count(origins[a][0]), count(origins[b - 1][1]))) for p, (a, b) in split_bert(normalized)]


# --- GPT-2 (B18, B19) --------------------------------------------------------------------------------


class no_lookahead:
    r"""B18. split_gpt2 without the rule that leaves the last whitespace to the next word

    Of two spaces before a word the second belongs to the word. Which of the rules looks at what follows a
    run of whitespace?
    """

    GPT2_PIECE = re.compile(r" ?l+| ?n+| ?o+|\s+")


class lookahead_without_rest:
    r"""B18. split_gpt2 that drops a single whitespace character it cannot attach

    A line feed before a word is in no piece, though the pieces have to cover the text. What takes a
    run of whitespace that rule 5 cannot take?
    """

    def split_gpt2(text):
        mask = "".join(map(_gpt2_class, text))
        pieces, start = [], 0
        while start < len(text):
            match = SHORT_FORM.match(text, start) or re.compile(r" ?l+| ?n+| ?o+|\s+(?!\S)").match(mask, start)
            if match:
                piece = "".join(BYTE_CHARS[byte] for byte in text[start : match.end()].encode())
                pieces.append((piece, (start, match.end())))
            start = match.end() if match else start + 1
        return pieces


class spaces_alone:
    r"""B18. split_gpt2 with spaces as pieces of their own

    To GPT-2 a word with a space before it is one piece. What stands in front of "one or more letters" in
    the rules?
    """

    GPT2_PIECE = re.compile(r"l+|n+|o+|\s+(?!\S)|\s+")


class spaces_at_word_ends:
    r"""B18. split_gpt2 with a space at the end of the word before it

    The mark Ġ stands at the beginning of a piece in GPT-2. On which side of the word is the optional
    space in the rules?
    """

    GPT2_PIECE = re.compile(r"l+ ?|n+ ?|o+ ?|\s+")


class any_whitespace_attached:
    r"""B18. split_gpt2 with any whitespace character attached to the word after it

    A tab or a line feed before a word is a piece by itself. Which character exactly is optional in the rules?
    """

    GPT2_PIECE = re.compile(r"\s?l+|\s?n+|\s?o+|\s+(?!\S)|\s+")


class prefix_before_text:
    """B18. split_gpt2 with a space added in front of the text

    The first word of a sentence has no Ġ in GPT-2, unless a space really stands before it. Who asked for
    one?
    """

    RIGHT = split_gpt2

    def split_gpt2(text):
        found = RIGHT(" " + text) if text and text[0] != " " else RIGHT(text)
        shift = bool(text) and text[0] != " "
        return [(piece, (max(start - shift, 0), end - shift)) for piece, (start, end) in found]


class characters_not_bytes:
    """B19. split_gpt2 that writes only the space as Ġ and leaves all other characters

    é is two bytes, and so two characters in the alphabet of bytes. To which of the two is `byte_to_char`
    applied?
    """

    RIGHT = split_gpt2

    def split_gpt2(text):
        return [(text[a:b].replace(" ", "Ġ"), (a, b)) for _, (a, b) in RIGHT(text)]


class code_points_looked_up:
    """B19. split_gpt2 that looks up the code point of each character among the bytes

    An é has code point 233, but that is not how UTF-8 writes it. How do you get from a text to its bytes?
    """

    RIGHT = split_gpt2

    def split_gpt2(text):
        found = RIGHT(text)
        return [("".join(BYTE_CHARS.get(ord(c), c) for c in text[a:b]), (a, b)) for _, (a, b) in found]


class gpt2_places_in_bytes:
    """B19. split_gpt2 with places counted in bytes

    Before the first character that is not ASCII the two counts agree, after it they do not. What does a
    slice of a Python text count?
    """

    RIGHT = split_gpt2

    def split_gpt2(text):
        found = RIGHT(text)
        return [(piece, (len(text[:a].encode()), len(text[:b].encode()))) for piece, (a, b) in found]


class places_without_space:
    """X33. split_gpt2 with places that leave the space before a word out

    The pieces cover the text without a gap, and Ġ is part of the piece. Where does such a piece start?
    """

    RIGHT = split_gpt2

    def split_gpt2(text):
        found = RIGHT(text)
        return [(p, (a + (p[0] == "Ġ" and b - a > 1 and not text[b - 1].isspace()), b)) for p, (a, b) in found]


class capital_short_forms:
    """X34. split_gpt2 that cuts capital short forms such as 'S and 'LL, too

    Later tokenizers do; GPT-2's rule is about lower case only. What do the rules make of I'LL?
    """

    SHORT_FORM = re.compile(r"'(?:s|t|re|ve|m|ll|d)", re.I)


class no_short_forms:
    """X35. split_gpt2 without the short forms

    don't is don and 't, not don and ' and t. Which rule comes first?
    """

    SHORT_FORM = re.compile(r"(?!)")


class letters_and_numbers_joined:
    """X36. split_gpt2 with letters and numbers in one piece

    x2 is two pieces. How many kinds of characters do rules 2 to 4 tell apart?
    """

    GPT2_PIECE = re.compile(r" ?[ln]+| ?o+|\s+(?!\S)|\s+")


class underscore_is_a_letter:
    """X37. split_gpt2 with the underscore among the letters

    The underscore belongs to the word characters of patterns, but its Unicode category is Pc. Which rule
    takes it?
    """

    def _gpt2_class(char):
        if char.isspace():
            return char
        return "l" if char == "_" else {"L": "l", "N": "n"}.get(unicodedata.category(char)[0], "o")


class decimal_digits_only:
    r"""X38. split_gpt2 with \d for numbers and all other word characters for letters

    ² and ½ are numbers to Unicode, though no decimal digits. Into which class do they fall here?
    """

    def _gpt2_class(char):
        if char.isspace():
            return char
        return "n" if char.isdecimal() else "l" if char.isalnum() else "o"


class numeric_letters:
    """X39. split_gpt2 with the Chinese characters for numbers among the numbers

    一 means one and `str.isnumeric` is true for it, but its Unicode category is Lo. Which of the two
    questions comes first?
    """

    def _gpt2_class(char):
        if char.isspace():
            return char
        return "n" if char.isnumeric() else "l" if char.isalpha() else "o"


# --- SentencePiece (B18) -----------------------------------------------------------------------------


class no_prefix:
    """X40. escape_spaces without the prefix

    The first word looks different from the same word inside a text. What stands in front of every escaped
    text?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        return text.replace(" ", SPACE_MARK)


class prefix_unless_space:
    """B18. escape_spaces without the prefix where the text begins with a space

    "a" and " a" give the same escaped text, so one of them cannot come back. When is the prefix to be
    added?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        escaped = text.replace(" ", SPACE_MARK)
        return escaped if not text or text[0] == " " else SPACE_MARK + escaped


class empty_text_has_prefix:
    """X41. escape_spaces with a prefix for the empty text

    Nothing becomes something. What does the docstring say of the empty text?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        return SPACE_MARK + text.replace(" ", SPACE_MARK)


class all_whitespace_escaped:
    r"""B18. escape_spaces with tabs, line feeds and other whitespace escaped, too

    They all come back as spaces. Which character may become ▁, if every text is to come back?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        return SPACE_MARK + re.sub(r"\s", SPACE_MARK, text) if text else ""


class spaces_joined:
    """B18. escape_spaces with runs of spaces joined and the ends stripped

    SentencePiece does that unless it is told not to; here no space may be lost. How many ▁ has a text of
    two spaces?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        return SPACE_MARK + re.sub(" +", SPACE_MARK, text.strip(" ")) if text else ""


class underscore_for_mark:
    """X42. escape_spaces with underscores

    ▁ is U+2581 and looks like an underscore, but it is another character, one that texts rarely have.
    Which one did you type?
    """

    def escape_spaces(text):
        if SPACE_MARK in text:
            raise ValueError(text)
        return "_" + text.replace(" ", "_") if text else ""


class mark_not_refused:
    """X43. escape_spaces that takes texts with ▁

    The ▁ of such a text comes back as a space, and nobody is told. What does the docstring say under
    "Raises"?
    """

    def escape_spaces(text):
        return SPACE_MARK + text.replace(" ", SPACE_MARK) if text else ""


class prefix_comes_back:
    """B18. unescape_spaces with a space for the prefix

    Every text comes back with a space in front. Which ▁ was never a space?
    """

    def unescape_spaces(escaped):
        return escaped.replace(SPACE_MARK, " ")


class leading_spaces_lost:
    """B18. unescape_spaces without any of the leading spaces

    Only one ▁ at the front is the prefix, the others are spaces of the text. How many characters does
    your way of stripping take?
    """

    def unescape_spaces(escaped):
        return escaped.lstrip(SPACE_MARK).replace(SPACE_MARK, " ")


class ends_stripped:
    """B18. unescape_spaces with both ends stripped

    Spaces at the ends belong to the text. What exactly has to go, and from which end?
    """

    def unescape_spaces(escaped):
        return escaped.replace(SPACE_MARK, " ").strip()


class first_character_lost:
    """X44. unescape_spaces that takes the first character off, whatever it is

    A text that nobody escaped need not begin with ▁. What did you assume of it?
    """

    def unescape_spaces(escaped):
        return escaped[1:].replace(SPACE_MARK, " ")


class places_in_escaped_text:
    """X45. split_sentencepiece with places in the escaped text

    The prefix moves everything by one character. In which text does the caller look up the places?
    """

    def split_sentencepiece(text):
        found = re.finditer(f"{SPACE_MARK}[^{SPACE_MARK}]*", escape_spaces(text))
        return [(match[0], match.span()) for match in found]


class prefix_before_the_start:
    """X46. split_sentencepiece whose first piece starts at -1

    The prefix stands for nothing in the text, and -1 means the last character to Python. Where does the
    first piece start?
    """

    def split_sentencepiece(text):
        found = re.finditer(f"{SPACE_MARK}[^{SPACE_MARK}]*", escape_spaces(text))
        return [(match[0], (match.start() - 1, match.end() - 1)) for match in found]


class marks_in_one_piece:
    """B18. split_sentencepiece with a run of ▁ in one piece

    Two spaces are two ▁, and the text is cut before each of them. How many ▁ may a piece have?
    """

    def split_sentencepiece(text):
        found = re.finditer(f"{SPACE_MARK}+[^{SPACE_MARK}]*", escape_spaces(text))
        return [(match[0], (max(match.start() - 1, 0), match.end() - 1)) for match in found]


class lone_marks_lost:
    """B18. split_sentencepiece without the pieces that are only ▁

    Spaces that no word follows are lost, and the pieces joined no longer give the escaped text. Which
    pieces do you filter out?
    """

    def split_sentencepiece(text):
        found = re.finditer(f"{SPACE_MARK}[^{SPACE_MARK}]+", escape_spaces(text))
        return [(match[0], (max(match.start() - 1, 0), match.end() - 1)) for match in found]


class cut_after_marks:
    """B18. split_sentencepiece that cuts after every ▁ instead of before it

    The ▁ of a word stands at the end of the piece before. On which side of ▁ is the text cut?
    """

    def split_sentencepiece(text):
        found = re.finditer(f"[^{SPACE_MARK}]*{SPACE_MARK}|[^{SPACE_MARK}]+", escape_spaces(text))
        return [(match[0], (max(match.start() - 1, 0), match.end() - 1)) for match in found]
