# One set of packages, two images: `web` cannot reach Git over any transport, `worker` can.
FROM python:3.11-slim-bookworm AS packages
COPY requirements/runtime.txt /build/runtime.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /build/runtime.txt

FROM python:3.11-slim-bookworm AS base
# GitPython must not look for the git program when it is imported: the web image has none.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GIT_PYTHON_REFRESH=quiet \
    STATICFILES_MANIFEST=true \
    STATIC_ROOT=/app/staticfiles \
    STATE_DIR=/var/lib/countersign
# A named volume mounted on an empty folder of the image takes over that folder's owner.
RUN groupadd --system --gid 10001 countersign \
 && useradd --system --uid 10001 --gid countersign --home-dir /var/lib/countersign --create-home countersign
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY updater updater
COPY approvals approvals
COPY templates templates
COPY docs/runbooks docs/runbooks
# The settings want values at import; none of these connects to anything or stays in the image.
RUN SECRET_KEY=only-to-collect-static-files DATABASE_URL=postgresql:///nowhere REDIS_URL=memory:// \
    python manage.py collectstatic --noinput

FROM base AS worker
RUN apt-get update \
 && apt-get install --no-install-recommends --yes git openssh-client \
 && rm -rf /var/lib/apt/lists/*
USER 10001:10001
CMD ["celery", "--app=updater", "worker", "--loglevel=INFO"]

FROM base AS web
USER 10001:10001
EXPOSE 8000
CMD ["uvicorn", "updater.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan=off", "--timeout-graceful-shutdown=5"]
