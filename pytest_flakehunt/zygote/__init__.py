"""Interpreters that have collected the suite once and run sweeps of it."""
