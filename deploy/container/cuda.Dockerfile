# The image for NVIDIA GPUs (RTX, T4, A10, L4): docker build -f deploy/container/cuda.Dockerfile -t facestream:cuda .
# Run it with `--gpus all` (NVIDIA container toolkit). Engines are built on the machine where they run, see docs/deploy.md.
# Pin the base by digest for what you install: docker buildx imagetools inspect nvidia/cuda:12.9.1-base-ubuntu24.04
ARG BASE=nvidia/cuda:12.9.1-base-ubuntu24.04

FROM ${BASE} AS build
ARG EXTRAS=serve,trt-rtx,dlib,sample
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
COPY trt_build trt_build
COPY configs configs
RUN umask 022 && python3 -m venv /opt/facestream && /opt/facestream/bin/pip install --no-cache-dir ".[${EXTRAS}]"

FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3 libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/facestream --create-home --shell /usr/sbin/nologin facestream \
    && install -d -o facestream -m 0700 /etc/facestream
COPY --from=build /opt/facestream /opt/facestream
COPY --chown=facestream deploy/container/serve.yaml /etc/facestream/serve.yaml
COPY deploy/container/ready.py /usr/local/lib/facestream/ready.py
# video: hardware decoding
ENV PATH=/opt/facestream/bin:$PATH XDG_STATE_HOME=/var/lib/facestream/state \
    XDG_CACHE_HOME=/var/lib/facestream/cache XDG_DATA_HOME=/var/lib/facestream/data \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
USER 10001
WORKDIR /var/lib/facestream
VOLUME /var/lib/facestream
EXPOSE 8765 5556
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 CMD ["python3", "/usr/local/lib/facestream/ready.py"]
ENTRYPOINT ["facestream"]
CMD ["serve", "/etc/facestream/serve.yaml"]
