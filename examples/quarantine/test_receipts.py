import receipts

LATE_IN_THE_EVENING = 1772407800  # 1 March 2026, 23:30 UTC


def test_day():
    assert receipts.day(LATE_IN_THE_EVENING) == "01.03.2026"


def test_form():
    assert receipts.day(0).count(".") == 2
