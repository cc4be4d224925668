# Pinned to the full version. A digest would pin it harder: add the one that your registry shows, when you mirror the image.
FROM python:3.11.15-slim-bookworm AS build
# Its packages come as wheels, checked against their hashes: no compiler is needed. With requirements-cluster.txt the
# image is also a cluster's scheduler and workers; with requirements.txt it is small, and reports have no pictures.
ARG REQUIREMENTS=requirements-charts.txt
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/lamplighter
COPY ${REQUIREMENTS} ./requirements.txt
RUN /opt/lamplighter/bin/python -m pip install --no-input --require-hashes --no-deps -r requirements.txt \
 && /opt/lamplighter/bin/python -m pip check

# Replicates the database where LITESTREAM_REPLICA_URL says so: one file, and nothing else of that image.
FROM litestream/litestream:0.5.17 AS litestream

FROM python:3.11.15-slim-bookworm
# Of group root as well, and of nobody else: where a platform chooses the user id, it chooses that group.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin lamplighter \
 && install --directory --owner=lamplighter --group=root --mode=0770 /data
COPY --from=build /opt/lamplighter /opt/lamplighter
COPY --from=litestream /usr/local/bin/litestream /usr/local/bin/litestream
WORKDIR /app
COPY LICENSE ./
COPY storage ./storage
COPY commands ./commands
COPY bot ./bot
# Settings come from the environment and from /app/lamplighter.toml, where one is mounted. One replica: the memory is one file.
# Only /data is written to, with what is temporary: the rest may be read-only. A user id that the image does not know has
# no other home.
ENV PATH=/opt/lamplighter/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    TMPDIR=/data \
    MPLCONFIGDIR=/data/.matplotlib \
    LAMPLIGHTER_DATABASE=/data/lamplighter.db
# Compiled once here, and not at each start.
RUN python -m compileall -q storage commands bot
# Slack's requests, where Socket Mode is not used; and, where [health] listen says 0.0.0.0:9464, how the bot is.
EXPOSE 3000 9464
VOLUME /data
USER 10001:10001
STOPSIGNAL SIGTERM
# Asks the bot itself: no shell and no curl are needed. It is for `run`; start other commands with --no-healthcheck.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "bot", "healthy"]
# No shell: neither here nor in the bot is one called.
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
