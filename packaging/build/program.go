package main

// program is what is packaged. Paths are those of the repository and of the system that it
// is installed on.
type program struct {
	name     string
	binary   string // where it is installed
	ini      string // template of the configuration, in packaging/ini
	arches   []arch
	units    map[string]string // in packaging/systemd, to where they are installed
	services map[string]string // in packaging, of other service managers, to where the installer finds them
	// installer is the script in packaging that the installer for hosts without a packager begins with, empty for none.
	installer string
	examples  []string // in packaging/doc, or with their folder
	windows   onWindows
}

// arch is an architecture in the words of Go and of nfpm, which turns it into those of
// each packager.
type arch struct {
	goarch, goarm string
	nfpm          string
}

var (
	servers = []arch{{goarch: "amd64", nfpm: "amd64"}, {goarch: "arm64", nfpm: "arm64"}}
	others  = []arch{
		{goarch: "arm", goarm: "7", nfpm: "arm7"}, {goarch: "riscv64", nfpm: "riscv64"},
		{goarch: "ppc64le", nfpm: "ppc64le"}, {goarch: "s390x", nfpm: "s390x"},
	}
)

var programs = []*program{
	{
		name: "rpcapd", binary: "/usr/sbin/rpcapd", ini: "rpcapd.ini",
		arches: append(servers[:2:2], others...),
		units: map[string]string{
			"rpcapd.service":  "/usr/lib/systemd/system/rpcapd.service",
			"rpcapd@.service": "/usr/lib/systemd/system/rpcapd@.service",
			"rpcapd.preset":   "/usr/lib/systemd/system-preset/80-rpcapd.preset",
			"rpcapd.sysusers": "/usr/lib/sysusers.d/rpcapd.conf",
			"rpcapd.tmpfiles": "/usr/lib/tmpfiles.d/rpcapd.conf",
		},
		services: map[string]string{
			"sysvinit/rpcapd.debian": "/usr/share/rpcapd/services/rpcapd.debian",
			"sysvinit/rpcapd.rhel":   "/usr/share/rpcapd/services/rpcapd.rhel",
			"openrc/rpcapd":          "/usr/share/rpcapd/services/rpcapd.openrc",
			"default/rpcapd":         "/usr/share/rpcapd/services/rpcapd.default",
		},
		installer: "install/install-rpcapd.sh",
		examples:  []string{"two-interfaces.ini", "password.ini", "limits.conf", "node-exporter.conf"},
		windows:   onWindows{description: "rpcapd packet forwarding agent", script: "install-rpcapd.ps1", msi: true},
	},
	{
		name: "rpcap-sensor", binary: "/usr/bin/rpcap-sensor", ini: "rpcap-sensor.ini",
		arches: servers,
		units: map[string]string{
			"rpcap-sensor.service":  "/usr/lib/systemd/system/rpcap-sensor.service",
			"rpcap-sensor@.service": "/usr/lib/systemd/system/rpcap-sensor@.service",
			"rpcap-sensor.sysusers": "/usr/lib/sysusers.d/rpcap-sensor.conf",
			"rpcap-sensor.tmpfiles": "/usr/lib/tmpfiles.d/rpcap-sensor.conf",
		},
		examples: []string{
			"two-rules.ini", "tap.conf", "deploy/prometheus/prometheus.yml", "deploy/prometheus/rules.yml", "deploy/grafana/dashboard.json",
		},
		windows: onWindows{description: "rpcap-sensor, receiver of packet forwarding agents"},
	},
}
