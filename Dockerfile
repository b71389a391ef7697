# The reference sweep on the CPU, or any other command, on files of the current folder:
#   docker build -t orket .
#   docker run --rm --user "$(id -u)" -v "$PWD:/work" orket
#   docker run --rm --user "$(id -u)" -v "$PWD:/work" orket sweep my.yaml
# Docker forbids user namespaces unless it is told otherwise. Tasks whose answers are run are then not
# graded (docs/reference/security.md); the reference sweep and the default bank have none.
FROM python:3.13-slim AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel /source

FROM python:3.13-slim
# xllamacpp needs OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir /wheel/*.whl
RUN install --directory --mode=1777 /work
# Any user may run it, also one that the image doesn't know.
ENV HOME=/tmp USER=orket
USER 1000
WORKDIR /work
ENTRYPOINT ["orket"]
CMD ["sweep", "--reference", "--yes"]
