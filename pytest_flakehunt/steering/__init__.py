"""One thread of a test at a time: who runs, where threads change places, and how that comes back exactly."""
