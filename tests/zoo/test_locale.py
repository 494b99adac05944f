import locale


def test_a_price_has_a_point():
    before = locale.setlocale(locale.LC_NUMERIC)
    locale.setlocale(locale.LC_NUMERIC, "")
    try:
        assert locale.str(1.5) == "1.5"
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
