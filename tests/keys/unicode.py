"""Computes the numeric keys of quizzes/unicode.yaml from first principles."""


def uni_utf8_bytes_of_text() -> int:
    return sum(map(_width, "na\u00efve \u20ac5"))


def uni_utf8_buffer() -> str:
    return f"{_width(chr(0x10FFFF))} × n bytes"


def uni_zwj_family_bytes() -> int:
    return sum(map(_width, "\U0001f469\u200d\U0001f469\u200d\U0001f467"))


def uni_byte_fallback() -> str:
    code = 0x9F98
    return " ".join(f"<0x{byte:02X}>" for byte in (0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63))


def uni_utf8_first_bytes() -> str:
    code_points = (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    first = {chr(code).encode()[0] for code in code_points if code < 0x800 or code % 64 == 0}
    return "".join(f"0x{byte:02X}" for byte in (0x41, 0xA9, 0xC3, 0xF0, 0xFF) if byte in first)


def uni_replacement_count() -> int:
    return bytes.fromhex("E28241C0AF").decode("utf-8", errors="replace").count("\ufffd")


def _width(char: str) -> int:
    """Return how many bytes UTF-8 needs for a character, by the bits of its code point (RFC 3629)."""
    bits = ord(char).bit_length()
    return 1 if bits <= 7 else 2 if bits <= 11 else 3 if bits <= 16 else 4
