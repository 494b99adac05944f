"""Listening to several pipes at once where the system has no ``poll``, as on Windows: a thread reads each of them."""

import os
import queue
import threading
from typing import Generic, TypeVar

CHUNK = 1 << 16
"""Bytes that are read at once."""
Speaker = TypeVar("Speaker")


class Ears(Generic[Speaker]):
    """What reads from pipes, each of which is somebody's."""

    def __init__(self) -> None:
        """Make some that listen to nobody."""
        self._heard: queue.SimpleQueue[tuple[Speaker, bytes]] = queue.SimpleQueue()

    def listen(self, speaker: Speaker, descriptor: int) -> None:
        """Read what somebody says from now on, to the end, from a duplicate: the descriptor itself may be closed."""
        reader = threading.Thread(target=self._read, args=(speaker, os.dup(descriptor)), daemon=True)
        reader.start()

    def _read(self, speaker: Speaker, descriptor: int) -> None:
        data = b"."
        while data:
            try:
                data = os.read(descriptor, CHUNK)
            except OSError:
                data = b""
            self._heard.put((speaker, data))
        os.close(descriptor)

    def hear(self, seconds: float) -> list[tuple[Speaker, bytes]]:
        """Wait until anybody says something, for so long at most; give who says what, no bytes for an end."""
        found = []
        try:
            found.append(self._heard.get(timeout=seconds))
            while True:
                found.append(self._heard.get_nowait())
        except queue.Empty:
            return found
