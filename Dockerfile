# syntax=docker/dockerfile:1
# One image for every part of Tocsin: `serve` (the default), `receiver`, `worker decide`, `worker pages`, and the commands.

ARG PYTHON_VERSION=3.11

# ------------------------------------------------------------------------------------------- build: a wheel, an environment
FROM python:${PYTHON_VERSION}-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /src

# The locked dependencies first: they change seldom, so this layer is kept from build to build. Wheels only: nothing is
# compiled here, and what is installed is what the tests ran on.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/tocsin \
    && /opt/tocsin/bin/pip install --require-hashes --only-binary :all: -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY incidents incidents
COPY rules rules
COPY receiver receiver
COPY workers workers
COPY tocsin tocsin
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/tocsin/bin/pip install --no-deps --no-index /dist/*.whl

# The import names are generic: no other distribution may own one of them, or the files of two would mix silently.
COPY scripts/check-names scripts/check-names
RUN /opt/tocsin/bin/python -I scripts/check-names

# ---------------------------------------------------------------------------------------------------------------- runtime
FROM python:${PYTHON_VERSION}-slim-bookworm AS runtime

LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="Turns monitoring alerts into well-run incidents" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --gid 10001 tocsin \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tocsin --shell /usr/sbin/nologin tocsin \
    && install --directory --owner=tocsin --group=tocsin --mode=0750 /var/lib/tocsin

COPY --from=build /opt/tocsin /opt/tocsin

ENV PATH=/opt/tocsin/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOCSIN_DATA_DIR=/var/lib/tocsin/data \
    TOCSIN_LISTEN=0.0.0.0:9095

USER 10001:10001

# Empty on purpose: a folder named like one of our packages in the working directory would be imported in its place.
# Put tocsin.yml here, or elsewhere with TOCSIN_CONFIG.
WORKDIR /var/lib/tocsin
VOLUME ["/var/lib/tocsin"]

EXPOSE 9095
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["tocsin", "healthcheck"]

ENTRYPOINT ["tocsin"]
CMD ["serve"]
