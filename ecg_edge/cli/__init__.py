"""The command line `ecg-edge`: one module a command, and what they share."""
