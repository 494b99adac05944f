"""Where sweeps are run: zygotes at work in slots, from a job to the attempts it gave."""
