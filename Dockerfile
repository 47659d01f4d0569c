# docker build -t proxyswapper .
# docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD) \
#   -t REPOSITORY:1.2.3 --push .

# Tags of base images are moved when Ubuntu's packages are; the digests are those of their indexes, so a build has the same base each time.
# `docker buildx imagetools inspect IMAGE` prints an index's digest.

# Cross-compiles on the machine's own platform, without emulation.
FROM --platform=$BUILDPLATFORM \
     mcr.microsoft.com/dotnet/sdk:10.0.401-noble@sha256:e70cdb7f80b0348f5cb85f19a8f670fca061f033d57eed12fa003d58b0e06317 AS build
ARG BUILDARCH
ARG TARGETARCH
# Native compilation needs a linker, and cross tools for other platforms.
RUN case $TARGETARCH in \
      $BUILDARCH) tools="gcc libc6-dev" ;; \
      arm64) tools="clang lld gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;; \
      amd64) tools="clang lld gcc-x86-64-linux-gnu libc6-dev-amd64-cross" ;; \
    esac && apt-get update && apt-get install -y --no-install-recommends $tools && rm -rf /var/lib/apt/lists/*
ARG VERSION=0.1.0
ARG REVISION
WORKDIR /source
# Packages have their own layer, which is cached until they change.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/ProxySwapper.Registry/ProxySwapper.Registry.csproj src/ProxySwapper.Registry/packages.*.json src/ProxySwapper.Registry/
COPY src/ProxySwapper.Registry.InMemory/ProxySwapper.Registry.InMemory.csproj src/ProxySwapper.Registry.InMemory/packages.*.json \
     src/ProxySwapper.Registry.InMemory/
COPY src/ProxySwapper.Kubernetes.InMemory/ProxySwapper.Kubernetes.InMemory.csproj src/ProxySwapper.Kubernetes.InMemory/packages.*.json \
     src/ProxySwapper.Kubernetes.InMemory/
COPY src/ProxySwapper/ProxySwapper.csproj src/ProxySwapper/packages.*.json src/ProxySwapper/
# Locked mode only accepts packages with the committed hashes, including the compiler's.
RUN dotnet restore src/ProxySwapper -a $TARGETARCH -p:_IsPublishing=true --locked-mode
COPY manifests/samples manifests/samples
COPY chart/values.schema.json chart/
COPY src src
RUN dotnet publish src/ProxySwapper -c Release -a $TARGETARCH -p:Version=$VERSION -p:SourceRevisionId=$REVISION -o /out --no-restore

# No shell, no package manager, not root; the program only needs libc and OpenSSL.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled@sha256:dc5cd0c7d0a39b825312b4f0986d99b9adf9b6a3af69bc23cd345c27d9ed916a
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ProxySwapper" \
      org.opencontainers.image.description="Puts a cluster behind its own registry without changing any manifest." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# Nothing is written: the runtime's debugging sockets in /tmp would be. What OpenSSL allocates lies together.
ENV DOTNET_EnableDiagnostics=0 MALLOC_ARENA_MAX=1
WORKDIR /app
COPY --from=build /out .
USER 1654:1654
EXPOSE 8443 9090
ENTRYPOINT ["/app/proxyswapper"]
CMD ["serve"]
