package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rpcapd/packaging/oci"
	"rpcapd/packaging/windows"
)

// imageUser is the user and group of programs that are not root, as other images from scratch have it.
const imageUser = 65532

// captures is CAP_NET_RAW in a File's words.
const captures = 1 + 13

// onImage is what the container image of a program has.
type onImage struct {
	description string
	settings    oci.Settings
	files       []oci.File // beside the program and what all images have
	capability  int        // of the program's file
}

var images = map[string]onImage{
	"rpcapd": {
		description: "Packet-forwarding agent: captures what sensors ask for and sends it to them. Needs CAP_NET_RAW.",
		// Root, because Kubernetes gives a process of another user no capability. The agent gives root up where it may.
		settings: oci.Settings{
			User: "0:0", WorkingDir: "/", StopSignal: "SIGTERM",
			Env: []string{"RPCAPD_CONTAINER=yes", "RPCAPD_RUN_DIR=/run/rpcapd"},
		},
		files:      []oci.File{{Path: "/etc/rpcapd", Mode: 0o755, Folder: true}},
		capability: captures,
	},
	"rpcap-sensor": {
		description: "Receiver of packet-forwarding agents: tells them what to capture and writes what they send. Needs no privilege.",
		settings: oci.Settings{
			User: "65532:65532", WorkingDir: "/var/lib/rpcap-sensor", StopSignal: "SIGTERM",
			Ports: sensorPorts(),
		},
		files: []oci.File{
			{Path: "/etc/rpcap-sensor", Mode: 0o755, Folder: true},
			{Path: "/var/lib/rpcap-sensor", Mode: 0o750, UID: imageUser, GID: imageUser, Folder: true},
		},
	},
}

// sensorPorts are those that agents dial and send to without other settings.
func sensorPorts() map[string]struct{} {
	list := map[string]struct{}{"2003/tcp": {}}
	for port := 2003; port <= 2034; port++ {
		list[strconv.Itoa(port)+"/udp"] = struct{}{}
	}
	return list
}

// imageArches are the architectures that images are made for. The agent also goes to small machines.
func (p *program) imageArches() []arch {
	list := servers[:2:2]
	if p.name == "rpcapd" {
		list = append(list, others[:2]...)
	}
	return list
}

// buildImage makes the image of all architectures as an OCI layout in a folder and in a tar, and of each architecture a tar
// that every container engine loads.
func (p *program) buildImage(src *source, o options, work string) error {
	out := filepath.Join(work, "dist")
	notices, err := p.thirdParty("linux")
	if err != nil {
		return err
	}
	tag := imageTag(src.version.text)
	name := strings.TrimSuffix(o.repository, "/") + "/" + p.name
	layout := oci.New(strings.TrimPrefix(name, "/"), tag, src.time, p.labels(src))
	var names []string
	for _, a := range p.imageArches() {
		if !wanted(o.arches, a.goarch) {
			continue
		}
		binary := filepath.Join(work, p.name+"-image-"+a.goarch, p.name)
		if err := p.compile(src, "linux", a, binary); err != nil {
			return err
		}
		base := p.archiveName(src, a)
		files, bom, err := p.imageFiles(src, binary, notices)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, base+".cdx.json"), bom, 0o644); err != nil {
			return err
		}
		settings := images[p.name].settings
		settings.Entrypoint = []string{p.binary}
		settings.Env = append([]string{"PATH=/usr/sbin:/usr/bin"}, settings.Env...)
		platform := oci.Platform{OS: "linux", Architecture: a.goarch}
		if a.goarm != "" {
			platform.Variant = "v" + a.goarm
		}
		if err := layout.Add(platform, settings, files); err != nil {
			return err
		}
		names = append(names, base)
	}
	for i, base := range names {
		if err := layout.WriteSingleTar(i, filepath.Join(out, base+".image.tar")); err != nil {
			return err
		}
		fmt.Printf("image: %-46s %8d bytes\n", base+".image.tar", layout.Size(i))
	}
	if err := layout.WriteTar(filepath.Join(out, p.name+"-"+src.version.text+".oci.tar")); err != nil {
		return err
	}
	digest, err := layout.WriteFolder(filepath.Join(out, p.name))
	if err != nil {
		return err
	}
	fmt.Printf("image: %s:%s is %s, of %d architectures\n", strings.TrimPrefix(name, "/"), tag, digest, len(names))
	return nil
}

// imageFiles are the files of an image, and the list of what is linked into the program.
func (p *program) imageFiles(src *source, binary string, notices []byte) ([]oci.File, []byte, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, nil, err
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return nil, nil, err
	}
	bom, err := windows.Program{Name: p.name, Version: windows.Version{Text: src.version.text}}.SBOM(binary, src.time)
	if err != nil {
		return nil, nil, err
	}
	user := cmp.Or(map[string]string{"rpcapd": "rpcapd"}[p.name], "rpcap-sensor")
	text := func(path, content string) oci.File { return oci.File{Path: path, Mode: 0o644, Data: []byte(content)} }
	doc := "/usr/share/doc/" + p.name
	files := []oci.File{
		{Path: p.binary, Mode: 0o755, Data: program, Capability: images[p.name].capability},
		text("/etc/passwd", fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\n%s:x:%d:%d:%s:/:/sbin/nologin\n", user, imageUser, imageUser, p.name)),
		text("/etc/group", fmt.Sprintf("root:x:0:\n%s:x:%d:\n", user, imageUser)),
		text(doc+"/LICENSE", string(licence)),
		text(doc+"/THIRD-PARTY", string(notices)),
		text(doc+"/sbom.cdx.json", string(bom)),
		// Whatever user the container runs as can write there, unless the file system is read-only.
		{Path: "/run", Mode: 0o1777, Folder: true},
		{Path: "/tmp", Mode: 0o1777, Folder: true},
	}
	return append(files, images[p.name].files...), bom, nil
}

// labels are those of opencontainers.org. Who builds images of his own sets HOMEPAGE and MAINTAINER as for packages.
func (p *program) labels(src *source) map[string]string {
	const prefix = "org.opencontainers.image."
	list := map[string]string{
		"title": p.name, "description": images[p.name].description, "version": src.version.text,
		"created": src.time.Format(time.RFC3339), "licenses": "Apache-2.0", "vendor": company(),
		"url": cmp.Or(os.Getenv("HOMEPAGE"), homepage), "source": cmp.Or(os.Getenv("HOMEPAGE"), homepage),
		"documentation": cmp.Or(os.Getenv("HOMEPAGE"), homepage), "revision": src.revision,
	}
	labels := make(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(list)) {
		if list[key] != "" {
			labels[prefix+key] = list[key]
		}
	}
	return labels
}

// imageTag is a version as a tag, which has neither ~ nor +.
func imageTag(version string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_.-", r) {
			return r
		}
		return '-'
	}, version)
}
