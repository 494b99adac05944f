"""Small things that every report writes alike."""


def number(count: int, noun: str) -> str:
    """Count things.

    >>> number(1, "sweep"), number(2, "sweep")
    ('1 sweep', '2 sweeps')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share: float) -> str:
    """Write a share with two digits that matter.

    >>> percent(0.0036816), percent(0.155), percent(1.0)
    ('0.37 %', '16 %', '100 %')
    """
    hundredths = 100 * share
    return f"{hundredths:.0f} %" if hundredths >= 10 else f"{hundredths:.2g} %"


def clean(text: str) -> str:
    """Take out what a terminal would obey: escape sequences and control characters.

    >>> clean(f"a{chr(27)}[31mb")
    'a?[31mb'
    """
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "?" for letter in text)
