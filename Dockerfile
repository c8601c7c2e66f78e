# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/ecg_edge \
    && /opt/ecg_edge/bin/pip install --no-cache-dir ".[web,formats]"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin ecg \
    && install --directory --owner=ecg --group=ecg --mode=0700 /data
COPY --from=build /opt/ecg_edge /opt/ecg_edge
ENV PATH="/opt/ecg_edge/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8377
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8377/v1/health', timeout=4)"]
ENTRYPOINT ["ecg-edge"]
# Beyond loopback the server does not start without ECG_EDGE_TOKEN.
CMD ["serve", "--host", "0.0.0.0", "--port", "8377", "--data", "/data"]
