#!/bin/sh
# Installs rpcapd, the packet-forwarding agent, on a Linux host without its package manager.
# The files are behind the last line of this script. It needs a POSIX shell, coreutils, tar,
# gzip, sed and grep; with -u also curl or wget.

set -u
umask 022
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

version='@VERSION@'
arch='@ARCH@'

program=/usr/sbin/rpcapd
ini=/etc/rpcapd/rpcapd.ini
share=/usr/share/rpcapd
manifest=$share/installed
script=/etc/init.d/rpcapd

usage() {
	cat <<END
Usage: ${0##*/} [OPTIONS] [HOST [PORT]]
Installs the packet-forwarding agent rpcapd $version ($arch), connects it to the sensor HOST
(port 2003 if left out) and starts it as a service. It can be run again at any time: to
upgrade, to change the sensor, to mend. HOST takes the place of the sensors in the
configuration, whose lines become comments.

  -k        keep the configuration as it is, also if HOST is given
  -c        configuration only: the program and the service stay as they are
  -i DIR    install from this directory (an unpacked archive) instead of from this script
  -o DIR    only write the files below DIR, for an image; nothing is started
  -u URI    fetch the archive from this mirror: the archive itself, or the directory that has
            it and SHA256SUMS; https, with the certificate checked
  -s KIND   service manager: systemd, debian, rhel, openrc or none; found out if left out
  -n        do not start or restart the service, and do not call the sensor
  --uninstall  stop the service and remove what this script has installed
  --purge      with --uninstall: the configuration, too
  -h        this text

Examples:
  ${0##*/} 192.0.2.10
  ${0##*/} sensor.example.com 2003
  ${0##*/} -k                     upgrade, and leave the configuration alone
  ${0##*/} -o /mnt/image 192.0.2.10
END
}

say() { echo "install-rpcapd: $*"; }
warn() { echo "install-rpcapd: $*" >&2; }
die() {
	warn "$*"
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# within says where a path is: below the directory of -o, or in the system.
within() { echo "$root$1"; }

parse() {
	keep='' only_config='' from='' root='' uri='' manager='' quiet='' uninstall='' purge='' host='' port=''
	while [ $# -gt 0 ]; do
		case $1 in
		-k) keep=1 ;;
		-c) only_config=1 ;;
		-n) quiet=1 ;;
		-i | -o | -u | -s)
			[ $# -gt 1 ] || usage_error "$1 needs a value"
			case $1 in
			-i) from=$2 ;;
			-o) root=${2%/} ;;
			-u) uri=$2 ;;
			-s) manager=$2 ;;
			esac
			[ -n "$2" ] || usage_error "$1 needs a value"
			shift
			;;
		--uninstall) uninstall=1 ;;
		--purge) purge=1 ;;
		-h | --help)
			usage
			exit 0
			;;
		--version)
			echo "$version"
			exit 0
			;;
		-*) usage_error "unknown option $1" ;;
		*)
			if [ -z "$host" ]; then
				host=$1
			elif [ -z "$port" ]; then
				port=$1
			else
				usage_error "$1 is one word too many"
			fi
			;;
		esac
		shift
	done
	case $manager in
	'' | systemd | debian | rhel | openrc | none) ;;
	*) usage_error "-s $manager: systemd, debian, rhel, openrc or none" ;;
	esac
	case $port in
	*[!0-9]*) usage_error "port $port is no number" ;;
	esac
	[ -z "$from" ] || [ -z "$uri" ] || usage_error "-i and -u exclude each other"
	[ -z "$only_config" ] || [ -n "$host" ] || usage_error "-c changes the configuration; name the sensor"
	[ -z "$only_config" ] || [ -z "$keep" ] || usage_error "-c and -k leave nothing to do"
	[ -n "$uninstall" ] || [ -z "$purge" ] || usage_error "--purge goes with --uninstall"
}

usage_error() {
	warn "$*"
	warn "try ${0##*/} -h"
	exit 2
}

# The payload ----------------------------------------------------------------------------

# unpack fills $files with the tree of files.
unpack() {
	files=$work/files
	mkdir "$files" || die "cannot write to $work"
	if [ -n "$from" ]; then
		[ -d "$from" ] || die "-i $from: no such directory"
		files=$from
		# An archive has one folder at its top.
		for d in "$from" "$from"/rpcapd-*; do
			if [ -f "$d$program" ]; then files=$d; fi
		done
	elif [ -n "$uri" ]; then
		fetch
		unpack_archive "$work/archive"
	else
		line=$(sed -n '/^__FILES__$/{=;q;}' "$0")
		[ -n "$line" ] || die "no files behind this script; is it complete? fetch it again, or use -i DIR or -u URI"
		tail -n +"$((line + 1))" "$0" >"$work/archive" || die "cannot write to $work"
		[ -s "$work/archive" ] || die "no files behind this script; is it complete? fetch it again, or use -i DIR or -u URI"
		unpack_archive "$work/archive"
	fi
	[ -f "$files$program" ] || die "there is no $program in ${from:-the archive}"
	[ -f "$files$share/rpcapd.ini" ] || die "there is no $share/rpcapd.ini in ${from:-the archive}"
}

unpack_archive() {
	gzip -dc "$1" >"$work/tar" || die "the archive is damaged; fetch it again"
	tar -xf "$work/tar" -C "$files" || die "the archive is damaged; fetch it again"
	rm -f "$work/tar"
	for d in "$files"/rpcapd-*; do
		if [ -f "$d$program" ]; then files=$d; fi
	done
}

# fetch gets the archive and compares it with the mirror's SHA256SUMS.
fetch() {
	name=''
	case $uri in
	https://*) ;;
	*) die "-u $uri: only https, so that the certificate vouches for the mirror" ;;
	esac
	case $uri in
	*.tar.gz)
		base=${uri%/*}
		name=${uri##*/}
		pattern=$(echo "$name" | sed 's/[.]/\\./g')
		;;
	*)
		base=${uri%/}
		pattern="rpcapd-[^ /]*-linux-$(machine)\\.tar\\.gz"
		;;
	esac
	get "$base/SHA256SUMS" "$work/sums"
	entry=$(sed -n "s/^\\([0-9a-f]\\{64\\}\\) [ *]\\($pattern\\)\$/\\1 \\2/p" "$work/sums" | sed -n '$p')
	[ -n "$entry" ] || die "$base/SHA256SUMS lists no ${name:-archive for linux-$(machine)}"
	want=${entry%% *}
	name=${entry#* }
	say "fetching $base/$name"
	get "$base/$name" "$work/archive"
	got=$(sha256sum "$work/archive" | sed 's/ .*//')
	[ "$want" = "$got" ] || die "$base/$name is not what SHA256SUMS says; nothing is installed"
}

get() {
	if have curl; then
		curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' --output "$2" "$1" ||
			die "cannot fetch $1"
	elif have wget; then
		# That of busybox takes any certificate.
		wget --version 2>/dev/null | grep -q '^GNU Wget' || die "-u needs curl or GNU wget; this wget may not check certificates"
		wget -q --max-redirect=0 -O "$2" "$1" || die "cannot fetch $1: wget ended with status $?"
	else
		die "-u needs curl or wget"
	fi
}

machine() {
	case $(uname -m) in
	x86_64 | amd64) echo amd64 ;;
	aarch64 | arm64) echo arm64 ;;
	armv7* | armv8l) echo armv7 ;;
	ppc64le) echo ppc64le ;;
	riscv64) echo riscv64 ;;
	s390x) echo s390x ;;
	*) uname -m ;;
	esac
}

# The host -------------------------------------------------------------------------------

# find_manager finds out who starts services here.
find_manager() {
	[ -z "$manager" ] || return 0
	if [ -z "$root" ] && [ -d /run/systemd/system ]; then
		manager=systemd
	else
		by_files
	fi
}

# by_files decides for a system that is not running, such as an image, or that is not under systemd.
by_files() {
	case $(readlink "$root/sbin/init") in
	*systemd*)
		manager=systemd
		return
		;;
	esac
	if [ -x "$root/sbin/openrc-run" ] || [ -x "$root/usr/sbin/openrc-run" ]; then
		manager=openrc
	elif [ -d "$root/etc/init.d" ] && { [ -r "$root/lib/lsb/init-functions" ] || [ -e "$root/usr/sbin/update-rc.d" ]; }; then
		manager=debian
	elif [ -r "$root/etc/rc.d/init.d/functions" ] || [ -d "$root/etc/rc.d/init.d" ]; then
		manager=rhel
	else
		manager=none
	fi
}

# refuse_packaged leaves an installation alone that a package manager looks after.
refuse_packaged() {
	[ -z "$root" ] || return 0
	[ -e "$program" ] || return 0
	if have dpkg-query && owner=$(dpkg-query -S "$program" 2>/dev/null); then
		die "$program belongs to the package ${owner%%:*}; upgrade or remove it with apt, or use -c to change its sensor"
	fi
	if have rpm && owner=$(rpm -qf "$program" 2>/dev/null); then
		die "$program belongs to the package $owner; upgrade or remove it with rpm, or use -c to change its sensor"
	fi
	if have apk && owner=$(apk info -q --who-owns "$program" 2>/dev/null) && [ -n "$owner" ]; then
		die "$program belongs to the package $owner; upgrade or remove it with apk, or use -c to change its sensor"
	fi
}

# make_user makes the user that the agent runs as.
make_user() {
	if [ -n "$root" ]; then
		make_image_user
		return
	fi
	if grep -q '^rpcapd:' /etc/passwd; then return 0; fi
	if have systemd-sysusers && [ -d /usr/lib/sysusers.d ]; then
		echo 'u rpcapd - "Packet-forwarding agent" / /usr/sbin/nologin' >"$work/rpcapd.conf"
		systemd-sysusers "$work/rpcapd.conf" >/dev/null 2>&1
	elif have useradd; then
		useradd --system --user-group --home-dir / --no-create-home --shell /usr/sbin/nologin --comment "Packet-forwarding agent" rpcapd
	elif have addgroup && have adduser; then # busybox
		addgroup -S rpcapd 2>/dev/null
		adduser -S -D -H -h / -s /sbin/nologin -G rpcapd -g "Packet-forwarding agent" rpcapd
	fi
	if grep -q '^rpcapd:' /etc/passwd; then
		say "made the system user rpcapd"
	elif [ "$manager" = systemd ]; then
		die "cannot make the user rpcapd: neither systemd-sysusers nor useradd works here"
	else
		warn "cannot make the user rpcapd; the agent will run as nobody"
	fi
}

# make_image_user makes it in an image, whose systemd would not start the agent without.
make_image_user() {
	[ "$manager" = systemd ] || return 0
	image_has_user && return 0
	if [ "$(id -u)" = 0 ] && [ -f "$root/etc/passwd" ]; then
		if have systemd-sysusers; then
			systemd-sysusers --root="$root" "$files/usr/lib/sysusers.d/rpcapd.conf" >/dev/null 2>&1
		fi
		if ! image_has_user && have useradd; then
			useradd --root "$root" --system --user-group --home-dir / --no-create-home --shell /usr/sbin/nologin --comment "Packet-forwarding agent" rpcapd >/dev/null 2>&1
		fi
	fi
	if image_has_user; then
		say "made the system user rpcapd in the image"
	else
		warn "the image has no user rpcapd, as whom the service runs; make it there, and give its group $(within "$ini")"
	fi
}

image_has_user() { grep -qs '^rpcapd:' "$root/etc/passwd"; }

# group_of_agent is who may read the configuration beside root.
group_of_agent() {
	if grep -qs '^rpcapd:' "$root/etc/group"; then
		sed -n 's/^rpcapd:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group"
	elif [ -z "$root" ]; then
		sed -n 's/^nobody:[^:]*:[^:]*:\([0-9]*\):.*/\1/p' /etc/passwd | sed -n 1p
	fi
}

# Files ----------------------------------------------------------------------------------

# put copies a file of the payload to its place; a program that runs is not written into.
put() {
	to=$(within "$2")
	mkdir -p "${to%/*}" || die "cannot make ${to%/*}"
	echo "$2" >>"$work/installed"
	if same "$files$1" "$to"; then return 0; fi
	if ! { cp "$files$1" "$to.new$$" && chmod "$3" "$to.new$$" && mv -f "$to.new$$" "$to"; }; then
		rm -f "$to.new$$"
		die "cannot write $to"
	fi
	changed=1
	say "wrote $to"
}

# same compares two files.
same() { [ -f "$2" ] && [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]; }

put_program() {
	changed=''
	: >"$work/installed"
	put "$program" "$program" 755
}

put_files() {
	put "$share/rpcapd.ini" "$share/rpcapd.ini" 644
	for f in "$files"/usr/share/man/man[58]/* "$files"/usr/share/bash-completion/completions/* "$files"/usr/share/doc/rpcapd/*; do
		if [ -f "$f" ]; then put "${f#"$files"}" "${f#"$files"}" 644; fi
	done
	case $manager in
	systemd)
		for unit in rpcapd.service rpcapd@.service; do
			put "/usr/lib/systemd/system/$unit" "/etc/systemd/system/$unit" 644
		done
		# For images that get their users at the first boot.
		put /usr/lib/sysusers.d/rpcapd.conf /usr/lib/sysusers.d/rpcapd.conf 644
		;;
	debian)
		put "$share/services/rpcapd.debian" "$script" 755
		defaults /etc/default/rpcapd
		;;
	rhel)
		put "$share/services/rpcapd.rhel" "$script" 755
		defaults /etc/sysconfig/rpcapd
		;;
	openrc)
		put "$share/services/rpcapd.openrc" "$script" 755
		defaults /etc/conf.d/rpcapd
		;;
	esac
	list=$(within "$manifest")
	same "$work/installed" "$list" || cp "$work/installed" "$list" || die "cannot write $list"
	[ -n "$changed" ] || say "the files of $version are in place already"
}

# defaults writes the file for options, unless there is one: it belongs to the operator.
defaults() {
	to=$(within "$1")
	[ ! -e "$to" ] || return 0
	{ mkdir -p "${to%/*}" && cp "$files$share/services/rpcapd.default" "$to" && chmod 644 "$to"; } || die "cannot write $to"
	say "wrote $to"
}

# make_ini puts a configuration there if there is none.
make_ini() {
	to=$(within "$ini")
	mkdir -p "${to%/*}" || die "cannot make ${to%/*}"
	if [ ! -e "$to" ]; then
		{ cp "$files$share/rpcapd.ini" "$to" && chmod 640 "$to"; } || die "cannot write $to"
		say "wrote $to"
	fi
	if [ "$(id -u)" = 0 ] && group=$(group_of_agent) && [ -n "$group" ]; then
		chgrp "$group" "$to" || warn "cannot give $to to the group $group"
	fi
}

# note_good keeps which configurations the program before would start with: the new one must still do so after the next
# boot.
note_good() {
	: >"$work/good"
	[ -z "$root" ] && [ -x "$program" ] || return 0
	for f in /etc/rpcapd/*.ini; do
		if [ -f "$f" ] && "$program" check -f "$f" >/dev/null 2>&1; then echo "$f" >>"$work/good"; fi
	done
}

# keep_starting mends them. Lines that are not understood are errors now, and earlier versions passed over them.
keep_starting() {
	while read -r f; do
		"$program" upgrade-ini "$f" >&2 && "$program" check -f "$f" >/dev/null 2>&1 ||
			warn "the version before started with $f and this one does not; mend it: $program check -f $f"
	done <"$work/good"
}

# Configuration --------------------------------------------------------------------------

old_agent() {
	if grep -qs /opt/extrahop/ "$script"; then return 0; fi
	[ -e /opt/extrahop/etc/rpcapd.ini ] && [ ! -e "$ini.extrahop" ]
}

# migrate takes over from the agent of ExtraHop's installer, before its script is overwritten.
migrate() {
	if [ -n "$root$keep" ] || ! old_agent; then return 0; fi
	say "found an installation of the C agent in /opt/extrahop"
	"$program" setup --migrate --no-dial --no-reload || {
		[ -n "$host" ] || die "its configuration is not taken over (above); name the sensor: ${0##*/} HOST"
		warn "its configuration is not taken over (above); $host is used"
	}
}

# configure writes the line for the sensor. Its status is that of the call to the sensor.
configure() {
	[ -n "$host" ] || return 0
	if [ -n "$keep" ]; then
		say "the configuration is kept, so the sensor $host is not put in"
		return 0
	fi
	sensor=$host
	case $host in
	*:*:*) if [ "${host#\[}" = "$host" ]; then sensor="[$host]"; fi ;;
	esac
	set -- setup --replace --sensor "$sensor${port:+:$port}" --no-reload -f "$(within "$ini")"
	if [ -n "$quiet$root" ]; then set -- "$@" --no-dial; fi
	"$tool" "$@"
}

# The service ----------------------------------------------------------------------------

# settled says whether the agent would start with the configuration.
settled() {
	out=$("$tool" check -f "$(within "$ini")" 2>&1) && return 0
	echo "$out" >&2
	warn "$ini has errors (above), so the service is left as it is; fix it and run ${0##*/} -k"
	return 1
}

enable_service() {
	case $manager in
	systemd)
		if [ -n "$root" ]; then
			mkdir -p "$root/etc/systemd/system/multi-user.target.wants" &&
				ln -sf ../rpcapd.service "$root/etc/systemd/system/multi-user.target.wants/rpcapd.service"
		elif have systemctl; then
			systemctl daemon-reload
			systemctl enable --quiet rpcapd.service
		fi
		;;
	debian)
		if [ -z "$root" ] && have update-rc.d; then
			update-rc.d rpcapd defaults >/dev/null
		else
			links "$root/etc"
		fi
		;;
	rhel)
		if [ -z "$root" ] && have chkconfig; then
			chkconfig --add rpcapd
		else
			links "$root/etc/rc.d"
		fi
		;;
	openrc)
		if [ -z "$root" ] && have rc-update; then
			rc-update -q add rpcapd default
		else
			mkdir -p "$root/etc/runlevels/default" && ln -sf "$script" "$root/etc/runlevels/default/rpcapd"
		fi
		;;
	esac
}

# links starts the service in runlevels 2 to 5 where nothing else can arrange that.
links() {
	for level in 0 1 2 3 4 5 6; do
		d=$1/rc$level.d
		[ -d "$d" ] || continue
		case $level in
		[2345]) ln -sf ../init.d/rpcapd "$d/S90rpcapd" ;;
		*) ln -sf ../init.d/rpcapd "$d/K10rpcapd" ;;
		esac
	done
}

start_service() {
	[ -z "$quiet$root" ] || return 0
	case $manager in
	systemd) service_call systemctl restart rpcapd.service ;;
	debian | rhel) service_call "$script" restart ;;
	openrc) service_call rc-service rpcapd restart ;;
	none)
		stop_agent
		say "there is no service manager here; start the agent with: $program -d -L -f $ini"
		;;
	esac
}

service_call() {
	if [ "$manager" = systemd ] && [ ! -d /run/systemd/system ]; then
		say "systemd does not run here; the service starts with the host"
		return 0
	fi
	if "$@"; then
		say "the service runs"
	else
		warn "the service did not start: $* ended with status $?"
		return 1
	fi
}

# stop_agent ends an agent that no service manager looks after.
stop_agent() {
	if [ -x "$program" ] && old=$("$program" status --pid 2>/dev/null); then
		kill -TERM "$old" && say "stopped the agent, process $old"
		n=0
		while kill -0 "$old" 2>/dev/null && [ "$n" -lt 10 ]; do
			n=$((n + 1))
			sleep 1
		done
	fi
}

# reload_service makes a running agent read the configuration; one that does not run is started.
reload_service() {
	[ -z "$quiet$root" ] || return 0
	if "$program" status --pid >/dev/null 2>&1; then
		"$program" reload
	else
		start_service
	fi
}

remove() {
	list=$(within "$manifest")
	if [ ! -f "$list" ]; then
		[ -n "$purge" ] || die "nothing to remove: there is no $list, so this script has not installed an agent here"
		refuse_packaged
		[ ! -e "$root$program" ] || die "nothing is removed: there is no $list, so this script has not installed $root$program"
		left_over || die "nothing to remove: there is neither $list nor a configuration"
		remove_configuration
		return
	fi
	find_manager
	if [ -z "$root" ]; then
		case $manager in
		systemd)
			systemctl disable --now rpcapd.service 2>/dev/null
			for unit in $(systemctl list-units --all --plain --no-legend 'rpcapd@*.service' 2>/dev/null | sed 's/ .*//'); do
				systemctl disable --now "$unit" 2>/dev/null
			done
			;;
		debian | rhel) [ ! -x "$script" ] || "$script" stop ;;
		openrc)
			rc-service -q rpcapd stop 2>/dev/null
			rc-update -q del rpcapd default 2>/dev/null
			;;
		esac
		stop_agent
		if have update-rc.d && [ "$manager" = debian ]; then rm -f "$script" && update-rc.d rpcapd remove >/dev/null; fi
		if have chkconfig && [ "$manager" = rhel ]; then chkconfig --del rpcapd; fi
	fi
	for d in "$root"/etc/rc[0-6].d "$root"/etc/rc.d/rc[0-6].d; do
		rm -f "$d/S90rpcapd" "$d/K10rpcapd"
	done
	rm -f "$root/etc/systemd/system/multi-user.target.wants/rpcapd.service" "$root/etc/runlevels/default/rpcapd"
	while read -r file; do
		case $file in
		/*rpcapd*) rm -f "$root$file" ;;
		esac
	done <"$list"
	rm -f "$list"
	rmdir "$root$share" "$root/usr/share/doc/rpcapd" 2>/dev/null
	if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
	say "removed the files that were installed"
	if [ -n "$purge" ]; then
		remove_configuration
	else
		say "$(within "$ini") stays; --uninstall --purge removes it, too"
	fi
}

# configuration is what --purge removes.
configuration() {
	for name in /etc/rpcapd /etc/default/rpcapd /etc/sysconfig/rpcapd /etc/conf.d/rpcapd; do
		within "$name"
	done
}

# left_over says that an agent was removed before, without its configuration.
left_over() { configuration | { while read -r path; do [ ! -e "$path" ] || exit 0; done; exit 1; }; }

remove_configuration() {
	configuration | while read -r path; do
		rm -rf "$path"
	done
	say "removed the configuration; the user rpcapd stays, so that its number is given to nobody else"
}

# choose_tool finds a program that can be run: it edits and checks the configuration.
choose_tool() {
	if [ -z "$root" ]; then
		tool=$program
		try=$program.try$$ # where programs may be run, which a temporary directory may forbid
		mkdir -p "${program%/*}"
	else
		tool=$work/rpcapd
		try=$tool
	fi
	{ cp "$files$program" "$try" && chmod 755 "$try"; } || die "cannot write $try"
	if ! "$try" version >/dev/null 2>&1; then
		rm -f "$try"
		[ -n "$root" ] || die "the program of the archive does not run on this host, which is $(machine)"
		[ -z "$host" ] || die "the program of the archive does not run on this host, so the sensor cannot be put in; leave HOST out and edit $(within "$ini")"
		tool=''
	fi
	if [ -z "$root" ]; then rm -f "$try"; fi
}

# ----------------------------------------------------------------------------------------

main() {
	parse "$@"
	if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
		die "must be run as root (sudo ${0##*/} …); -o DIR writes the files elsewhere"
	fi
	work=$(mktemp -d) || die "cannot make a temporary directory"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	if [ -n "$uninstall" ]; then
		remove
		return
	fi
	if [ -n "$only_config" ]; then
		tool=$(within "$program")
		[ -x "$tool" ] || die "-c: there is no $tool yet; install without -c first"
		configure
		called=$?
		settled && reload_service
		finish "$called" "$?"
		return
	fi
	refuse_packaged
	unpack
	if [ "$(machine)" != "$arch" ] && [ -z "$root$from$uri" ]; then
		die "this script is for $arch and this host is $(machine); fetch the one for it"
	fi
	find_manager
	say "installing rpcapd $version; service manager: $manager"
	choose_tool
	make_user
	note_good
	put_program
	keep_starting
	migrate
	put_files
	make_ini
	configure
	called=$?
	enable_service
	started=0
	if [ -n "$tool" ]; then
		if settled; then
			start_service
			started=$?
		else
			started=1
		fi
	fi
	finish "$called" "$started"
}

finish() {
	if [ "$1" = 0 ] && [ "$2" = 0 ]; then
		say "done${root:+; the files are below $root}"
		return 0
	fi
	warn "done, but not all is well (above)"
	return 1
}

main "$@"
exit
__FILES__
