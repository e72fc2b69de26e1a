# The image of nsroom: `docker run --rm -it nsroom demo`.
FROM python:3.13-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --wheel-dir /wheels '/source[redis,speed]'

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels 'nsroom[redis,speed]' \
    && useradd --create-home --uid 10001 nsroom
USER nsroom
WORKDIR /home/nsroom
ENTRYPOINT ["nsroom"]
