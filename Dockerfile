# The reference sweep on the CPU, and any other command:
#   docker build -t orket .
#   docker run --rm -v "$PWD:/work" orket
#   docker run --rm -v "$PWD:/work" orket sweep my.yaml
# Docker's default profile lets no program make a sandbox with bubblewrap: code that models write
# runs in the other one, or not at all (docs/reference/security.md).
FROM python:3.13-slim AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel /source

FROM python:3.13-slim
# xllamacpp needs OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir /wheel/*.whl
RUN useradd --create-home --uid 1000 orket && mkdir /work && chown orket /work
USER orket
WORKDIR /work
ENTRYPOINT ["orket"]
CMD ["sweep", "--reference", "--yes"]
