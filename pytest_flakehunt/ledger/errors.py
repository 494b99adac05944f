"""What is wrong with a ledger or a journal, for the user to mend."""


class LedgerError(Exception):
    """The ledger or the journal cannot be used; the message says why, and what to do."""
