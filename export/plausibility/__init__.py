"""The network that says whether a recording is what the two others were made for."""
