"""Texts as they can be kept."""


def storable(text: str) -> str:
    """Give a text that SQLite can keep: lone surrogates are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
