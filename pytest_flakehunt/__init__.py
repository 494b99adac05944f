"""Find out why tests are flaky: rerun them under controlled nondeterminism.

PYTEST_DONT_REWRITE: a zygote has imported this package before pytest looks for assertions to rewrite.
"""
