"""What to do about what the system lacks, so that a hunt cannot go on."""

import errno

KEPT = "what was seen is kept, and the same command goes on with --flakehunt-resume"
ROOM = f"make room there, or set TMPDIR to a folder on another disk; {KEPT}"


def remedy(error: int) -> str:
    """Say what to do about an error of the system, by its number."""
    match error:
        case errno.EMFILE | errno.ENFILE:
            return f"allow more open files with ulimit -n, or fewer zygotes with -n; {KEPT}"
        case errno.EAGAIN | errno.ENOMEM:
            return f"allow more processes and memory, or fewer zygotes with -n; {KEPT}"
        case _:
            return ROOM
