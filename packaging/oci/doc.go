// Package oci writes container images without a container engine: an OCI image layout, and the same as a tar that docker,
// podman, skopeo and crane load.
//
//	files ─► layer (tar, gzip) ─┐
//	platform, user, labels ─────┴─► config ─► manifest ─┐ one for each platform
//	                                                    └─► index ─► index.json
//
// What it writes depends on its arguments only: one time for everything, owners as numbers, files in the order of their names.
// Two calls give the same bytes.
//
// The format is that of https://github.com/opencontainers/image-spec, version 1.1. A tar has manifest.json of "docker save" besides, for
// programs that know no OCI layout.
//
// It pulls nothing and pushes nothing: an image has one layer, from scratch. `crane push`, `skopeo copy` and `podman push` send a layout
// to a registry.
package oci
