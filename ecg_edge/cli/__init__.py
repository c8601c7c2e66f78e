"""The command line `ecg-edge`."""
