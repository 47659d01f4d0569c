#!/bin/sh
# Distribution runs this as its proxy.exec.command, in the protocol of Docker's credential helpers: `get`, with a bare host on stdin.
# The sidecar on the Pod's loopback address provides the credential. Without one this fails, since Distribution would use any output.
set -eu
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
host=$(cat)
if [ "${1:-}" != get ]; then
  echo "only get is supported"
  exit 1
fi
case $host in
  '' | *[!A-Za-z0-9.:_-]*)
    echo "stdin holds no host"
    exit 1
    ;;
esac
# The sidecar has its own timeout.
if ! credential=$(wget -q -O - "http://127.0.0.1:5002/credential?host=$host"); then
  echo "the credential sidecar has no credential for $host; its log says why"
  exit 1
fi
printf '%s\n' "$credential"
