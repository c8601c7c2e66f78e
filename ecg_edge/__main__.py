"""`python -m ecg_edge` is `ecg-edge`."""

from ecg_edge.cli import main

if __name__ == "__main__":
    main(prog_name="ecg-edge")
