"""Hunts with faults drawn from a seed, and what is compared after each."""
