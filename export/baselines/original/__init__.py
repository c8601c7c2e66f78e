"""The networks of the original system, trained on our folds and labels."""
