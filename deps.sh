#!/bin/sh
# Fetches Go modules, and as root on Debian or Ubuntu the tools that the tests
# compare with. Without root nothing is installed: Go and the kernel suffice, and
# comparisons with tools that are not there are skipped.
set -eu
cd "$(dirname "$0")"
command -v go >/dev/null || { echo "deps: Go 1.26 or newer is needed: https://go.dev/dl" >&2; exit 1; }
go mod download

missing=
for tool in tcpdump tshark nft; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "deps: not installed here:$missing; comparisons with them are skipped"
	exit 0
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
packages=$(echo "$missing" | sed 's/nft\b/nftables/')
# shellcheck disable=SC2086 # a list
{ apt-get install -y -q --no-install-recommends $packages ||
	{ apt-get update -q && apt-get install -y -q --no-install-recommends $packages; }; } >/dev/null
