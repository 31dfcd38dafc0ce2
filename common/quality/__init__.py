"""The Great Expectations gate, the row account, the quality report and the ledger."""
