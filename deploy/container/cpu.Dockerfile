# The CPU image: docker build -f deploy/container/cpu.Dockerfile -t facestream:cpu .
# Pin the base by digest for what you install: docker buildx imagetools inspect python:3.12.12-slim-bookworm
ARG BASE=python:3.12.12-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=serve,engines,openvino,dlib,sample
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
COPY trt_build trt_build
COPY configs configs
# The lowest umask that lets another user read what root installs.
RUN umask 022 && python3 -m venv /opt/facestream && /opt/facestream/bin/pip install --no-cache-dir ".[${EXTRAS}]"

FROM ${BASE}
# For OpenCV; versions follow the base's distribution, which is pinned.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/facestream --create-home --shell /usr/sbin/nologin facestream \
    && install -d -o facestream -m 0700 /etc/facestream
COPY --from=build /opt/facestream /opt/facestream
COPY --chown=facestream deploy/container/serve.yaml /etc/facestream/serve.yaml
COPY deploy/container/ready.py /usr/local/lib/facestream/ready.py
ENV PATH=/opt/facestream/bin:$PATH XDG_STATE_HOME=/var/lib/facestream/state \
    XDG_CACHE_HOME=/var/lib/facestream/cache XDG_DATA_HOME=/var/lib/facestream/data
USER 10001
WORKDIR /var/lib/facestream
VOLUME /var/lib/facestream
EXPOSE 8765 5556
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["python3", "/usr/local/lib/facestream/ready.py"]
ENTRYPOINT ["facestream"]
CMD ["serve", "/etc/facestream/serve.yaml"]
