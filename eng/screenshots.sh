#!/bin/sh
# Takes the pictures of docs/screenshots: runs the test of the pages against a real cluster in headless Chromium
# (Debian: apt-get install chromium). Build first: dotnet build -c Release
set -eu
cd "$(dirname "$0")/.."
CLUSTER_SCREENSHOTS="$PWD/docs/screenshots" dotnet test tests/Cluster.Tests -c Release --no-build --filter "FullyQualifiedName~Browser.PageTests|FullyQualifiedName~Browser.MethodPageTests"
