"""The web page and the HTTP interface of `ecg-edge serve`. Needs the extra `web`."""
