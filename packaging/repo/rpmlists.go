package main

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Tags of the header that the lists tell of.
const (
	tagName        = 1000
	tagVersion     = 1001
	tagRelease     = 1002
	tagEpoch       = 1003
	tagSummary     = 1004
	tagDescription = 1005
	tagBuildTime   = 1006
	tagBuildHost   = 1007
	tagSize        = 1009
	tagVendor      = 1011
	tagLicense     = 1014
	tagPackager    = 1015
	tagGroup       = 1016
	tagURL         = 1020
	tagArch        = 1022
	tagFileModes   = 1030
	tagFileFlags   = 1037
	tagSourceRPM   = 1044
	tagChangeTime  = 1080
	tagChangeName  = 1081
	tagChangeText  = 1082
	tagDirIndexes  = 1116
	tagBaseNames   = 1117
	tagDirNames    = 1118
)

// relations are the kinds, each with the tags of name, flags and version (lib/rpmtag.h).
var relations = []struct {
	kind                 string
	name, flags, version int32
}{
	{"rpm:provides", 1047, 1112, 1113}, {"rpm:requires", 1049, 1048, 1050}, {"rpm:conflicts", 1054, 1053, 1055}, {"rpm:obsoletes", 1090, 1114, 1115},
	{"rpm:recommends", 5046, 5048, 5047}, {"rpm:suggests", 5049, 5051, 5050},
}

type metadata struct {
	XMLName  xml.Name  `xml:"metadata"`
	Xmlns    string    `xml:"xmlns,attr"`
	XmlnsRPM string    `xml:"xmlns:rpm,attr"`
	Count    int       `xml:"packages,attr"`
	Packages []primary `xml:"package"`
}

type primary struct {
	Type        string   `xml:"type,attr"`
	Name        string   `xml:"name"`
	Arch        string   `xml:"arch"`
	Version     evr      `xml:"version"`
	Checksum    pkgid    `xml:"checksum"`
	Summary     string   `xml:"summary"`
	Description string   `xml:"description"`
	Packager    string   `xml:"packager"`
	URL         string   `xml:"url"`
	Time        times    `xml:"time"`
	Size        sizes    `xml:"size"`
	Location    location `xml:"location"`
	Format      format   `xml:"format"`
}

type evr struct {
	Epoch string `xml:"epoch,attr"`
	Ver   string `xml:"ver,attr"`
	Rel   string `xml:"rel,attr"`
}

type pkgid struct {
	Type string `xml:"type,attr"`
	ID   string `xml:"pkgid,attr"`
	Sum  string `xml:",chardata"`
}

type times struct {
	File  uint32 `xml:"file,attr"`
	Build uint32 `xml:"build,attr"`
}

type sizes struct {
	Package   int    `xml:"package,attr"`
	Installed uint32 `xml:"installed,attr"`
	Archive   uint32 `xml:"archive,attr"`
}

type format struct {
	License   string `xml:"rpm:license"`
	Vendor    string `xml:"rpm:vendor"`
	Group     string `xml:"rpm:group"`
	BuildHost string `xml:"rpm:buildhost"`
	SourceRPM string `xml:"rpm:sourcerpm"`
	Range     struct {
		Start int `xml:"start,attr"`
		End   int `xml:"end,attr"`
	} `xml:"rpm:header-range"`
	Relations []relation
	Files     []listedFile `xml:"file"`
}

type relation struct {
	XMLName xml.Name
	Entries []relationEntry `xml:"rpm:entry"`
}

type relationEntry struct {
	Name  string `xml:"name,attr"`
	Flags string `xml:"flags,attr,omitempty"`
	Epoch string `xml:"epoch,attr,omitempty"`
	Ver   string `xml:"ver,attr,omitempty"`
	Rel   string `xml:"rel,attr,omitempty"`
}

type listedFile struct {
	Type string `xml:"type,attr,omitempty"`
	Path string `xml:",chardata"`
}

func (p rpmPackage) version() evr {
	return evr{Epoch: fmt.Sprint(p.header.number(tagEpoch)), Ver: p.header.text(tagVersion), Rel: p.header.text(tagRelease)}
}

func primaryList(list []rpmPackage) any {
	m := metadata{Xmlns: "http://linux.duke.edu/metadata/common", XmlnsRPM: "http://linux.duke.edu/metadata/rpm", Count: len(list)}
	for _, p := range list {
		h := &p.header
		built := h.number(tagBuildTime)
		entry := primary{
			Type: "rpm", Name: h.text(tagName), Arch: h.text(tagArch), Version: p.version(), Checksum: pkgid{"sha256", "YES", p.sum},
			Summary: h.text(tagSummary), Description: h.text(tagDescription), Packager: h.text(tagPackager), URL: h.text(tagURL),
			Time: times{built, built}, Size: sizes{p.size, h.number(tagSize), h.number(tagSize)}, Location: location{p.file},
		}
		f := &entry.Format
		f.License, f.Vendor, f.Group = h.text(tagLicense), h.text(tagVendor), h.text(tagGroup)
		f.BuildHost, f.SourceRPM = h.text(tagBuildHost), h.text(tagSourceRPM)
		f.Range.Start, f.Range.End = p.headerAt, p.headerAt+len(h.raw)
		f.Relations = p.relations()
		for _, file := range p.files() {
			if strings.Contains(file.Path, "bin/") || strings.HasPrefix(file.Path, "/etc/") {
				f.Files = append(f.Files, file) // others are looked up in filelists
			}
		}
		m.Packages = append(m.Packages, entry)
	}
	return m
}

// relations are what the package provides and needs, without what rpm itself must be able to do.
func (p rpmPackage) relations() (list []relation) {
	const less, greater, equal = 2, 4, 8
	for _, kind := range relations {
		names, flags, versions := p.header.strings(kind.name), p.header.numbers(kind.flags), p.header.strings(kind.version)
		r := relation{XMLName: xml.Name{Local: kind.kind}}
		for i, name := range names {
			if strings.HasPrefix(name, "rpmlib(") {
				continue
			}
			e := relationEntry{Name: name}
			if i < len(flags) && i < len(versions) && versions[i] != "" {
				e.Flags = map[uint32]string{less: "LT", greater: "GT", equal: "EQ", less | equal: "LE", greater | equal: "GE"}[flags[i]&(less|greater|equal)]
				e.Epoch, e.Ver, e.Rel = splitVersion(versions[i])
			}
			r.Entries = append(r.Entries, e)
		}
		if len(r.Entries) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// splitVersion takes [epoch:]version[-release] apart.
func splitVersion(text string) (epoch, ver, rel string) {
	if e, rest, found := strings.Cut(text, ":"); found {
		epoch, text = e, rest
	} else {
		epoch = "0"
	}
	ver, rel, _ = strings.Cut(text, "-")
	return epoch, ver, rel
}

// files are all files, with what they are.
func (p rpmPackage) files() []listedFile {
	const ghost, directory, kind = 1 << 6, 0o040000, 0o170000
	h := &p.header
	names, dirs, at := h.strings(tagBaseNames), h.strings(tagDirNames), h.numbers(tagDirIndexes)
	modes, flags := h.numbers(tagFileModes), h.numbers(tagFileFlags)
	var list []listedFile
	for i, name := range names {
		if i >= len(at) || int(at[i]) >= len(dirs) {
			break
		}
		f := listedFile{Path: dirs[at[i]] + name}
		switch {
		case i < len(flags) && flags[i]&ghost != 0:
			f.Type = "ghost"
		case i < len(modes) && modes[i]&kind == directory:
			f.Type = "dir"
		}
		list = append(list, f)
	}
	return list
}

type otherList struct {
	XMLName  xml.Name
	Xmlns    string         `xml:"xmlns,attr"`
	Count    int            `xml:"packages,attr"`
	Packages []otherPackage `xml:"package"`
}

type otherPackage struct {
	PkgID   string       `xml:"pkgid,attr"`
	Name    string       `xml:"name,attr"`
	Arch    string       `xml:"arch,attr"`
	Version evr          `xml:"version"`
	Files   []listedFile `xml:"file"`
	Changes []change     `xml:"changelog"`
}

type change struct {
	Author string `xml:"author,attr"`
	Date   uint32 `xml:"date,attr"`
	Text   string `xml:",chardata"`
}

func (p rpmPackage) other() otherPackage {
	return otherPackage{PkgID: p.sum, Name: p.header.text(tagName), Arch: p.header.text(tagArch), Version: p.version()}
}

func fileLists(list []rpmPackage) any {
	l := otherList{XMLName: xml.Name{Local: "filelists"}, Xmlns: "http://linux.duke.edu/metadata/filelists", Count: len(list)}
	for _, p := range list {
		o := p.other()
		o.Files = p.files()
		l.Packages = append(l.Packages, o)
	}
	return l
}

func changeLists(list []rpmPackage) any {
	l := otherList{XMLName: xml.Name{Local: "otherdata"}, Xmlns: "http://linux.duke.edu/metadata/other", Count: len(list)}
	for _, p := range list {
		o := p.other()
		dates, authors, texts := p.header.numbers(tagChangeTime), p.header.strings(tagChangeName), p.header.strings(tagChangeText)
		for i := range min(len(dates), len(authors), len(texts)) {
			o.Changes = append(o.Changes, change{authors[i], dates[i], texts[i]})
		}
		l.Packages = append(l.Packages, o)
	}
	return l
}
