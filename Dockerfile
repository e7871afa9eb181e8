# The image installs the wheel from the hashed locks; no compiler, no checkout and no pip travel in it
FROM debian:bookworm-slim AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/comments
WORKDIR /source
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && /opt/build/bin/pip --python /opt/comments install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheels . \
    && /opt/build/bin/pip --python /opt/comments install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin comments \
    && install -d -m 0700 -o comments /data
COPY --from=build /opt/comments /opt/comments
ENV PATH=/opt/comments/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COMMENTS_DATABASE_URL=sqlite:////data/comments.sqlite3 \
    COMMENTS_HOST=0.0.0.0 \
    COMMENTS_PORT=8000
WORKDIR /data
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['COMMENTS_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["comments"]
CMD ["serve"]
