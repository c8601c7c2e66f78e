"""Other ways to answer the same records, on the same folds and labels."""
