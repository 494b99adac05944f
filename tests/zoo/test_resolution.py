import time


def test_what_is_written_later_is_newer(tmp_path):
    older, newer = tmp_path / "older", tmp_path / "newer"
    older.touch()
    time.sleep(0.02)
    newer.touch()
    assert newer.stat().st_mtime > older.stat().st_mtime


def test_two_orders_are_placed_at_two_times():
    placed = [time.time_ns() for _ in range(2)]
    assert placed[0] < placed[1]
