package oci

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
	// refName is the annotation of index.json that names an image, imageName the same with the repository for containerd and podman.
	refName   = "org.opencontainers.image.ref.name"
	imageName = "io.containerd.image.name"
)

// Platform is what an image runs on, in the words of Go.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"` // v7 of arm
}

// String returns linux/arm/v7.
func (p Platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// Settings are what a container of an image starts with.
type Settings struct {
	User       string              `json:"User,omitempty"`
	Ports      map[string]struct{} `json:"ExposedPorts,omitempty"`
	Env        []string            `json:"Env,omitempty"`
	Entrypoint []string            `json:"Entrypoint,omitempty"`
	Volumes    map[string]struct{} `json:"Volumes,omitempty"`
	WorkingDir string              `json:"WorkingDir,omitempty"`
	Labels     map[string]string   `json:"Labels,omitempty"`
	StopSignal string              `json:"StopSignal,omitempty"`
}

// descriptor points at a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *Platform         `json:"platform,omitempty"`
}

// Layout is an image in the making, for one or more platforms.
type Layout struct {
	name, tag string // repository and tag
	when      time.Time
	labels    map[string]string
	blobs     map[string][]byte // by digest
	manifests []descriptor
	docker    []dockerImage
}

// New begins an image of a name such as registry.example.com/rpcapd. Labels are also annotations of manifests and index.
func New(name, tag string, when time.Time, labels map[string]string) *Layout {
	return &Layout{name: name, tag: tag, when: when.UTC(), labels: labels, blobs: make(map[string][]byte)}
}

// Add adds the image of a platform.
func (l *Layout) Add(p Platform, s Settings, files []File) error {
	packed, err := newLayer(files, l.when)
	if err != nil {
		return fmt.Errorf("image for %s: %w", p, err)
	}
	s.Labels = l.labels
	created := l.when.Format(time.RFC3339)
	config := struct {
		Platform
		Created string           `json:"created"`
		Config  Settings         `json:"config"`
		RootFS  map[string]any   `json:"rootfs"`
		History []map[string]any `json:"history"`
	}{
		Platform: p, Created: created, Config: s,
		RootFS:  map[string]any{"type": "layers", "diff_ids": []string{packed.diffID}},
		History: []map[string]any{{"created": created, "created_by": "make image"}},
	}
	layer := l.blob(typeLayer, packed.packed)
	about, err := l.json(typeConfig, config)
	if err != nil {
		return err
	}
	manifest, err := l.json(typeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest, "config": about, "layers": []descriptor{layer}, "annotations": l.labels,
	})
	if err != nil {
		return err
	}
	manifest.Platform = &p
	l.manifests = append(l.manifests, manifest)
	l.docker = append(l.docker, dockerImage{Config: blobPath(about.Digest), RepoTags: []string{l.name + ":" + l.tag}, Layers: []string{blobPath(layer.Digest)}})
	return nil
}

// dockerImage is an entry of manifest.json.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Size is what a registry stores and sends for the image of the platform that was added as number i, in bytes.
func (l *Layout) Size(i int) int {
	total := l.manifests[i].Size
	for _, name := range append([]string{l.docker[i].Config}, l.docker[i].Layers...) {
		total += len(l.blobs["sha256:"+name[strings.LastIndexByte(name, '/')+1:]])
	}
	return total
}

// blob stores content.
func (l *Layout) blob(mediaType string, data []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digest(data), Size: len(data)}
	l.blobs[d.Digest] = data
	return d
}

// json stores a value. Keys of maps are sorted.
func (l *Layout) json(mediaType string, v any) (descriptor, error) {
	data, err := json.Marshal(v)
	return l.blob(mediaType, data), err
}

// blobPath is where a blob lies in a layout.
func blobPath(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

// entries are the files of the layout, by name, with all platforms; Digest is that of the image.
func (l *Layout) entries() (list map[string][]byte, image descriptor, err error) {
	if image, err = l.json(typeIndex, map[string]any{
		"schemaVersion": 2, "mediaType": typeIndex, "manifests": l.manifests, "annotations": l.labels,
	}); err != nil {
		return nil, image, err
	}
	list, err = l.top(image)
	for d, data := range l.blobs {
		list[blobPath(d)] = data
	}
	return list, image, err
}

// top are the two files that every layout has, with one image.
func (l *Layout) top(image descriptor) (map[string][]byte, error) {
	image.Annotations = map[string]string{refName: l.tag, imageName: l.name + ":" + l.tag}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": []descriptor{image}})
	return map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`), "index.json": index}, err
}

// single are the files of the layout with the image of one platform, and what docker load wants.
func (l *Layout) single(i int) (map[string][]byte, error) {
	image := l.manifests[i]
	list, err := l.top(image)
	if err != nil {
		return nil, err
	}
	docker, err := json.Marshal(l.docker[i : i+1])
	if err != nil {
		return nil, err
	}
	list["manifest.json"] = docker
	for _, name := range append([]string{blobPath(image.Digest), l.docker[i].Config}, l.docker[i].Layers...) {
		list[name] = l.blobs["sha256:"+name[strings.LastIndexByte(name, '/')+1:]]
	}
	return list, nil
}

// sorted are the names of files in the order in which they are written.
func sorted(list map[string][]byte) []string { return slices.Sorted(maps.Keys(list)) }
