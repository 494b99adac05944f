"""What is held and noted while tests run: plans, the sources that tests read, and what plugins write."""
