# docker build -t proxyswapper .
# docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD) -t REPOSITORY:1.2.3 --push .

# Builds on the machine's own platform for any other: nothing is emulated.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
ARG TARGETARCH
ARG VERSION=0.1.0
WORKDIR /source
# The packages in a layer of their own, which stays until they change.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/ProxySwapper.Registry/ProxySwapper.Registry.csproj src/ProxySwapper.Registry/packages.lock.json src/ProxySwapper.Registry/
COPY src/ProxySwapper/ProxySwapper.csproj src/ProxySwapper/packages.lock.json src/ProxySwapper/
RUN dotnet restore src/ProxySwapper -a $TARGETARCH -p:_IsPublishing=true
COPY manifests/samples manifests/samples
COPY src src
RUN dotnet publish src/ProxySwapper -c Release -a $TARGETARCH -p:Version=$VERSION -o /out --no-restore

# No shell, no package manager, and a user that is not root; the runtime comes with the program.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ProxySwapper" \
      org.opencontainers.image.description="Puts a cluster behind its own registry without anybody changing a manifest." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# Nothing is written: the runtime's debugging sockets in /tmp would be. New objects get 2 MiB between collections instead of as much as
# the processor's cache has, since a review leaves nothing behind; and what OpenSSL allocates lies together.
ENV DOTNET_EnableDiagnostics=0 DOTNET_GCgen0size=0x200000 DOTNET_GCgen0MaxBudget=0x200000 MALLOC_ARENA_MAX=1
WORKDIR /app
COPY --from=build /out .
USER 1654:1654
EXPOSE 8443 9090
ENTRYPOINT ["/app/proxyswapper"]
CMD ["serve"]
