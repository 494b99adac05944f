"""Zygotes on other machines: a relay beside them does what a controller does at home, and tells what they write."""
