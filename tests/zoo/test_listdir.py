import os
import tempfile
from pathlib import Path

import pytest

MEMORY = "/dev/shm"


@pytest.mark.skipif(not os.path.isdir(MEMORY), reason="its file system keeps an order of its own")
def test_the_last_comes_first():
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        for name in "abcde":
            Path(folder, name).touch()
        assert os.listdir(folder) == ["e", "d", "c", "b", "a"]
