package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/savefile"
)

// Compression is how files are compressed.
type Compression uint8

// The kinds of compression.
const (
	Uncompressed Compression = iota
	Gzip
	Zstd
)

// compressionOf goes by the name.
func compressionOf(name string) Compression {
	switch {
	case strings.HasSuffix(name, Gzip.suffix()):
		return Gzip
	case strings.HasSuffix(name, Zstd.suffix()):
		return Zstd
	}
	return Uncompressed
}

// suffix is what a compressed file's name ends with.
func (c Compression) suffix() string {
	switch c {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	}
	return ""
}

const (
	// defaultOpen bounds the files that are open at once; compressed ones have an encoder of about a MiB each.
	defaultOpen       = 1024
	defaultCompressed = 32
	// maxGroups bounds the files that are written at the same time, with Split = agent.
	maxGroups = 8192
)

// dirMode is the mode of new directories, less the umask.
const dirMode os.FileMode = 0o750

// fileMode is the mode of new files, less the umask: what agents see is not for everybody.
const fileMode fs.FileMode = 0o640

// Options configures New.
type Options struct {
	Name     string // of the sink, constant: the list of its files is kept under it
	Path     string // pattern, see config.CheckFilePath: %Y %m %d %H %M %S …, {host} {agent} {interface} {rule} {linktype}
	Format   savefile.Format
	PerAgent bool // files of their own for each agent; the names in the path then tell them apart

	RotateSize   int64         // bytes of a file before compression; 0: any number
	RotateTime   time.Duration // at multiples of it by the clock of the sensor, local time; 0: never
	RotateFrames uint64        // 0: any number

	Keep      int   // complete files, of each agent with PerAgent; 0: all
	KeepBytes int64 // of all files together, those in use included; 0: any number

	Compress    Compression
	SyncAtClose bool          // fsync of a file before it gets its name, and of its directory after that
	SyncEvery   time.Duration // fsync of what is in use after this time; 0: never

	MaxOpen int // files open at once, 0: 1,024, or 32 with compression. More are closed and opened again as needed
	Log     *zap.Logger
}

// FromConfig turns a section of the sensor's file into options without logger.
func FromConfig(c config.File) Options {
	o := Options{
		Name: c.Title(), Path: c.Path, PerAgent: c.PerAgent,
		RotateSize: c.RotateSize, RotateTime: c.RotateTime, RotateFrames: c.RotateFrames,
		Keep: c.Keep, KeepBytes: c.KeepBytes, SyncAtClose: c.SyncAtClose, SyncEvery: c.SyncEvery,
	}
	if c.Classic {
		o.Format = savefile.Pcap
	}
	switch c.Compress {
	case "gzip":
		o.Compress = Gzip
	case "zstd":
		o.Compress = Zstd
	}
	return o
}

// check fills in defaults and refuses what cannot be.
func (o *Options) check() error {
	if o.Name == "" {
		return errors.New("check files: no name")
	}
	if err := config.CheckFilePath(o.Path); err != nil {
		return fmt.Errorf("check %s: path %w", o.Name, err)
	}
	if o.MaxOpen <= 0 {
		o.MaxOpen = defaultOpen
		if o.Compress != Uncompressed {
			o.MaxOpen = defaultCompressed
		}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return nil
}

// retains reports whether complete files are ever deleted.
func (o *Options) retains() bool { return o.Keep > 0 || o.KeepBytes > 0 }
