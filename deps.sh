#!/bin/sh
# Fetches Go modules, and as root on Debian or Ubuntu the tools that the tests
# compare with. Without root nothing is installed: Go and the kernel suffice, and
# comparisons with tools that are not there are skipped. What cannot be fetched is
# said and is no failure: the verb that needs it will tell.
set -u
cd "$(dirname "$0")" || exit 1
command -v go >/dev/null || {
	echo "deps: Go 1.26 or newer is needed: https://go.dev/dl" >&2
	exit 1
}
go mod download || echo "deps: some modules could not be fetched; going on with those that are here"

missing=
# TOOLS are further ones, as make test-packages wants them.
for tool in tcpdump:tcpdump tshark:tshark nft:nftables ss:iproute2 ping:iputils-ping strace:strace tcpreplay:tcpreplay openssl:openssl wixl:wixl msibuild:msitools gpg:gnupg ${TOOLS-}; do
	command -v "${tool%:*}" >/dev/null || [ -x "/usr/sbin/${tool%:*}" ] || missing="$missing ${tool#*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "deps: not here and not needed to go on:$missing; comparisons with them are skipped"
	exit 0
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list
install() { apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1; }
install || { apt-get update -q >/dev/null 2>&1 && install; } ||
	echo "deps: could not install$missing; comparisons with them are skipped"
exit 0
