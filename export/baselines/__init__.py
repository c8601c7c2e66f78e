"""Other ways to answer the same records, trained on the same folds and labels: measurements and the original networks."""
