package oci

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func example(t *testing.T) *Layout {
	t.Helper()
	l := New("registry.example.com/net/rpcapd", "1.2.3", time.Unix(1_700_000_000, 0), map[string]string{"org.opencontainers.image.version": "1.2.3", "a": "b"})
	for _, p := range []Platform{{"linux", "amd64", ""}, {"linux", "arm", "v7"}} {
		err := l.Add(p, Settings{User: "0:0", Entrypoint: []string{"/usr/sbin/rpcapd"}, Env: []string{"A=b"}}, []File{
			{Path: "/usr/sbin/rpcapd", Mode: 0o755, Data: []byte("program of " + p.String()), Capability: 14},
			{Path: "/etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0::/:\n")},
			{Path: "/run", Mode: 0o1777, Folder: true},
			{Path: "/var/lib/x", Mode: 0o750, UID: 65532, GID: 65532, Folder: true},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// blob reads a blob of a layout, and sees that it is what it is called.
func blob(t *testing.T, dir string, d descriptor, v any) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, blobPath(d.Digest)))
	if err != nil {
		t.Fatal(err)
	}
	if digest(data) != d.Digest || len(data) != d.Size {
		t.Fatalf("%s of %d bytes is %s of %d", d.Digest, d.Size, digest(data), len(data))
	}
	if v != nil {
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// TestLayout follows a layout from index.json to the files, as a container engine does.
func TestLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	name, err := example(t).WriteFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	type index struct {
		SchemaVersion int
		MediaType     string
		Manifests     []descriptor
		Annotations   map[string]string
	}
	var top, all index
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil || json.Unmarshal(text, &top) != nil || len(top.Manifests) != 1 {
		t.Fatalf("%v %s", err, text)
	}
	if top.Manifests[0].Digest != name || top.Manifests[0].Annotations[refName] != "1.2.3" || top.Manifests[0].Annotations[imageName] != "registry.example.com/net/rpcapd:1.2.3" {
		t.Errorf("%+v, the image is %s", top.Manifests[0], name)
	}
	blob(t, dir, top.Manifests[0], &all)
	if all.MediaType != typeIndex || all.SchemaVersion != 2 || len(all.Manifests) != 2 || all.Annotations["a"] != "b" {
		t.Fatalf("%+v", all)
	}
	if got := all.Manifests[1].Platform.String(); got != "linux/arm/v7" {
		t.Error(got)
	}
	for _, m := range all.Manifests {
		var manifest struct {
			SchemaVersion int
			MediaType     string
			Config        descriptor
			Layers        []descriptor
			Annotations   map[string]string
		}
		blob(t, dir, m, &manifest)
		if manifest.MediaType != typeManifest || manifest.SchemaVersion != 2 || len(manifest.Layers) != 1 || manifest.Annotations["a"] != "b" {
			t.Fatalf("%+v", manifest)
		}
		var config struct {
			OS, Architecture, Variant, Created string
			Config                             Settings
			RootFS                             struct {
				Type    string
				DiffIDs []string `json:"diff_ids"`
			}
		}
		blob(t, dir, manifest.Config, &config)
		if config.OS != "linux" || config.Architecture != m.Platform.Architecture || config.Variant != m.Platform.Variant || config.Created != "2023-11-14T22:13:20Z" ||
			config.Config.User != "0:0" || config.Config.Labels["a"] != "b" || config.RootFS.Type != "layers" {
			t.Errorf("%+v", config)
		}
		packed := blob(t, dir, manifest.Layers[0], nil)
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if len(config.RootFS.DiffIDs) != 1 || config.RootFS.DiffIDs[0] != digest(plain) {
			t.Errorf("the layer is %s, the config names %v", digest(plain), config.RootFS.DiffIDs)
		}
		checkFiles(t, plain, m.Platform.String())
	}
}

// checkFiles: folders come before what is in them, and have their owners.
func checkFiles(t *testing.T, plain []byte, platform string) {
	t.Helper()
	var names []string
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%s %o %d", h.Name, h.Mode, h.Uid))
		if !h.ModTime.Equal(time.Unix(1_700_000_000, 0)) || h.Uname != "" {
			t.Errorf("%s: %v, %q", h.Name, h.ModTime, h.Uname)
		}
		if h.Name == "usr/sbin/rpcapd" {
			data, _ := io.ReadAll(r)
			capability := h.PAXRecords["SCHILY.xattr.security.capability"]
			// setcap cap_net_raw=p writes these bytes.
			if string(data) != "program of "+platform || capability != "\x00\x00\x00\x02\x00\x20\x00\x00"+strings.Repeat("\x00", 12) {
				t.Errorf("%q, capability %q", data, capability)
			}
		}
	}
	want := []string{"etc/ 755 0", "etc/passwd 644 0", "run/ 1777 0", "usr/ 755 0", "usr/sbin/ 755 0", "usr/sbin/rpcapd 755 0", "var/ 755 0", "var/lib/ 755 0", "var/lib/x/ 750 65532"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// TestSame: two calls give the same bytes, whatever the order of the files.
func TestSame(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for _, n := range []string{"1", "2"} {
		l := example(t)
		if err := l.WriteTar(filepath.Join(dir, "all"+n)); err != nil {
			t.Fatal(err)
		}
		if err := l.WriteSingleTar(1, filepath.Join(dir, "one"+n)); err != nil {
			t.Fatal(err)
		}
	}
	if read("all1") != read("all2") || read("one1") != read("one2") || read("all1") == read("one1") {
		t.Error("the second one differs")
	}
	a, err := newLayer([]File{{Path: "/a", Data: []byte("1")}, {Path: "/b/c", Data: []byte("2")}}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newLayer([]File{{Path: "/b/c", Data: []byte("2")}, {Path: "/a", Data: []byte("1")}}, time.Unix(1, 0))
	if err != nil || a.diffID != b.diffID || !bytes.Equal(a.packed, b.packed) {
		t.Errorf("%v: %s, %s", err, a.diffID, b.diffID)
	}
}

// TestDockerArchive: the tar of one platform has what docker load reads.
func TestDockerArchive(t *testing.T) {
	l := example(t)
	list, err := l.single(1)
	if err != nil {
		t.Fatal(err)
	}
	var images []dockerImage
	if err := json.Unmarshal(list["manifest.json"], &images); err != nil || len(images) != 1 {
		t.Fatal(err, string(list["manifest.json"]))
	}
	size := 0
	for _, name := range append(images[0].Layers, images[0].Config) {
		if list[name] == nil {
			t.Errorf("no %s", name)
		}
		size += len(list[name])
	}
	if images[0].RepoTags[0] != "registry.example.com/net/rpcapd:1.2.3" || !bytes.Contains(list[images[0].Config], []byte(`"variant":"v7"`)) {
		t.Errorf("%+v: %s", images[0], list[images[0].Config])
	}
	if len(list) != 6 || l.Size(1) != size+l.manifests[1].Size {
		t.Errorf("%q; size %d", sorted(list), l.Size(1))
	}
}
