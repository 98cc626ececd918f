# One service per image: docker build --build-arg SERVICE=ingest --tag interlock/ingest .
#
# Only shared/ and that one service are copied, so an import of another service fails right here.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY pyproject.toml requirements.lock deploy/runtime-lock ./
RUN python -m venv /opt/interlock \
 && python runtime-lock pyproject.toml requirements.lock > runtime.lock \
 && /opt/interlock/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
    --requirement runtime.lock \
 && /opt/interlock/bin/pip uninstall --quiet --yes pip

FROM ${PYTHON_IMAGE}
ARG SERVICE
RUN test -n "${SERVICE}" || { echo "give --build-arg SERVICE=ingest, fusion, leads, simulator or command"; exit 1; } \
 && groupadd --gid 10001 interlock \
 && useradd --uid 10001 --gid interlock --no-create-home --home-dir /var/lib/interlock interlock \
 && install -d -o interlock -g interlock -m 0700 /var/lib/interlock /var/lib/interlock/keys /var/lib/interlock/deconfliction \
 && install -d -o interlock -g interlock -m 0755 /var/lib/interlock/databases
COPY --from=packages /opt/interlock /opt/interlock
COPY shared /app/shared
COPY services/__init__.py /app/services/__init__.py
COPY services/${SERVICE} /app/services/${SERVICE}
ENV SERVICE=${SERVICE} \
    PATH=/opt/interlock/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    INTERLOCK_HOME=/var/lib/interlock \
    INTERLOCK_HOST=0.0.0.0
RUN python -m compileall -q /app
USER 10001:10001
WORKDIR /var/lib/interlock
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['INTERLOCK_PORT']}/readyz\", timeout=4)"]
ENTRYPOINT ["sh", "-c", "exec python -m services.$SERVICE \"$@\"", "interlock"]
