"""What the attempts say: pure arithmetic, which starts no process and sees no SQL."""
