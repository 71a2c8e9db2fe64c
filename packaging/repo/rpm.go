package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// rpmPackage is a package of the repository.
type rpmPackage struct {
	*rpmFile
	file string // below rpm/
	size int
	sum  string
}

// rpm writes the lists of all packages: createrepo_c's, the ones that dnf, yum and zypper read.
func (r *repository) rpm() ([]rpmPackage, error) {
	list, err := r.rpms()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	stay := r.repodataBefore()
	index := repomd{Xmlns: "http://linux.duke.edu/metadata/repo", Revision: r.now.Unix()}
	for _, kind := range []struct {
		name string
		root func([]rpmPackage) any
	}{{"primary", primaryList}, {"filelists", fileLists}, {"other", changeLists}} {
		d, err := r.writeRepodata(kind.name, kind.root(list))
		if err != nil {
			return nil, err
		}
		stay[filepath.Base(d.Location.Href)] = true
		index.Data = append(index.Data, d)
	}
	stay["repomd.xml"], stay["repomd.xml.asc"] = true, true
	text, err := marshal(index)
	if err != nil {
		return nil, err
	}
	signature, err := r.key.detach(text)
	if err != nil {
		return nil, fmt.Errorf("sign repomd.xml: %w", err)
	}
	if signature, err = armored(signature); err != nil {
		return nil, err
	}
	dir := r.path("rpm", "repodata")
	return list, cmp.Or(replace(filepath.Join(dir, "repomd.xml.asc"), signature), replace(filepath.Join(dir, "repomd.xml"), text), sweep(dir, stay))
}

// rpms reads the packages. One that another key has signed is signed again: that is allowed with -new-key only.
func (r *repository) rpms() ([]rpmPackage, error) {
	paths, err := filepath.Glob(r.path("rpm", "packages", "*.rpm"))
	if err != nil {
		return nil, err
	}
	var list []rpmPackage
	for _, path := range paths { // sorted
		p, err := r.openRPM(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b rpmPackage) int { return cmp.Compare(a.header.text(tagName), b.header.text(tagName)) })
	return list, nil
}

func (r *repository) openRPM(path string) (rpmPackage, error) {
	p, data, err := readRPM(path)
	if err != nil {
		return p, err
	}
	own, err := r.ownRPM(p.rpmFile)
	if err == nil && !own {
		if err = r.signRPM(p.rpmFile, path); err == nil {
			p, data, err = readRPM(path)
		}
	}
	p.file, p.size, p.sum = "packages/"+filepath.Base(path), len(data), fmt.Sprintf("%x", sha256.Sum256(data))
	return p, err
}

func readRPM(path string) (rpmPackage, []byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return rpmPackage{}, nil, err
	}
	p, err := parseRPM(data)
	return rpmPackage{rpmFile: p}, data, err
}

// repomd is the file that vouches for the lists.
type repomd struct {
	XMLName  xml.Name   `xml:"repomd"`
	Xmlns    string     `xml:"xmlns,attr"`
	Revision int64      `xml:"revision"`
	Data     []repodata `xml:"data"`
}

type repodata struct {
	Type         string   `xml:"type,attr"`
	Checksum     checksum `xml:"checksum"`
	OpenChecksum checksum `xml:"open-checksum"`
	Location     location `xml:"location"`
	Timestamp    int64    `xml:"timestamp"`
	Size         int      `xml:"size"`
	OpenSize     int      `xml:"open-size"`
}

type checksum struct {
	Type  string `xml:"type,attr"`
	PkgID string `xml:"pkgid,attr,omitempty"`
	Sum   string `xml:",chardata"`
}

type location struct {
	Href string `xml:"href,attr"`
}

// writeRepodata writes a list under a name with its sum, so that it never changes under a client.
func (r *repository) writeRepodata(name string, root any) (repodata, error) {
	text, err := marshal(root)
	if err != nil {
		return repodata{}, err
	}
	data, err := gzipped(text)
	if err != nil {
		return repodata{}, err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	d := repodata{
		Type: name, Checksum: checksum{Type: "sha256", Sum: sum}, Location: location{"repodata/" + sum + "-" + name + ".xml.gz"},
		OpenChecksum: checksum{Type: "sha256", Sum: fmt.Sprintf("%x", sha256.Sum256(text))},
		Timestamp:    r.now.Unix(), Size: len(data), OpenSize: len(text),
	}
	return d, replace(r.path("rpm", d.Location.Href), data)
}

// repodataBefore are the files that the list which is there names.
func (r *repository) repodataBefore() map[string]bool {
	files := make(map[string]bool)
	var old repomd
	text, err := os.ReadFile(r.path("rpm", "repodata", "repomd.xml"))
	if err != nil || xml.Unmarshal(text, &old) != nil {
		return files // the first time
	}
	for _, d := range old.Data {
		files[filepath.Base(d.Location.Href)] = true
	}
	return files
}

func marshal(v any) ([]byte, error) {
	text, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}
