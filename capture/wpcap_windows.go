package capture

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/windows"

	"rpcapd/printable"
)

// wpcap is a loaded wpcap.dll with the functions that are used of it, all of them there.
type wpcap struct {
	path    string
	version driverVersion

	create, setSnaplen, setPromisc, setTimeout, setBufferSize, activate uintptr
	setNonblock, datalink, setFilter, nextEx, stats, getErr, closePcap  uintptr
	findAllDevs, freeAllDevs, libVersion                                uintptr

	getEvent, setMinToCopy uintptr // of drivers with events only
}

// required are the functions without which a library cannot be used. WinPcap 4.1 has them, too.
func (w *wpcap) required() map[string]*uintptr {
	return map[string]*uintptr{
		"pcap_create": &w.create, "pcap_set_snaplen": &w.setSnaplen, "pcap_set_promisc": &w.setPromisc,
		"pcap_set_timeout": &w.setTimeout, "pcap_set_buffer_size": &w.setBufferSize, "pcap_activate": &w.activate,
		"pcap_setnonblock": &w.setNonblock, "pcap_datalink": &w.datalink, "pcap_setfilter": &w.setFilter,
		"pcap_next_ex": &w.nextEx, "pcap_stats": &w.stats, "pcap_geterr": &w.getErr, "pcap_close": &w.closePcap,
		"pcap_findalldevs": &w.findAllDevs, "pcap_freealldevs": &w.freeAllDevs, "pcap_lib_version": &w.libVersion,
	}
}

// loaded is the library in use. One that was found stays loaded: handles refer to it.
var loaded struct {
	sync.Mutex
	lib *wpcap
}

// loadDriver finds the library of a driver, each time anew until there is one. The error is a *NoDriverError.
func loadDriver() (*wpcap, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		return loaded.lib, nil
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, fmt.Errorf("find capture driver: %w", err)
	}
	none := &NoDriverError{}
	for _, path := range []string{filepath.Join(system, "Npcap", "wpcap.dll"), filepath.Join(system, "wpcap.dll")} {
		lib, err := loadLibrary(path)
		if err == nil {
			loaded.lib = lib
			return lib, nil
		}
		none.Tried = append(none.Tried, DriverFault{path, err})
	}
	return nil, none
}

// loadLibrary loads one file and nothing else: what it needs itself comes from its own folder or the system's.
func loadLibrary(path string) (*wpcap, error) {
	h, err := windows.LoadLibraryEx(path, 0, windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR|windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	switch {
	case errors.Is(err, windows.ERROR_MOD_NOT_FOUND), errors.Is(err, windows.ERROR_FILE_NOT_FOUND), errors.Is(err, windows.ERROR_PATH_NOT_FOUND):
		return nil, fmt.Errorf("it, or a library that it needs, is not there: %w", err)
	case errors.Is(err, windows.ERROR_BAD_EXE_FORMAT):
		return nil, fmt.Errorf("it is damaged, or made for another processor than this program (%s): %w", runtime.GOARCH, err)
	case err != nil:
		return nil, err
	}
	lib := &wpcap{path: path}
	if err := lib.link(h); err != nil {
		_ = windows.FreeLibrary(h) // the first error counts
		return nil, err
	}
	return lib, nil
}

func (w *wpcap) link(h windows.Handle) error {
	var missing []string
	for name, f := range w.required() {
		var err error
		if *f, err = windows.GetProcAddress(h, name); err != nil {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return lacking(missing)
	}
	w.version = parseDriverVersion(printable.Text(cString(w.call(w.libVersion))))
	if w.version.hasEvents() {
		event, err := windows.GetProcAddress(h, "pcap_getevent")
		batch, err2 := windows.GetProcAddress(h, "pcap_setmintocopy")
		if err == nil && err2 == nil {
			w.getEvent, w.setMinToCopy = event, batch
		}
	}
	return nil
}

// pace is how long frames may wait to be read. A driver without events is libpcap's, which hands over blocks of frames.
// One part of the time that a frame may take is the block's, and the other is ours.
func (w *wpcap) pace(retire time.Duration) time.Duration {
	if w.version.hasEvents() {
		return retire
	}
	return max(time.Millisecond, retire-blockTimeout)
}

func (w *wpcap) settle() time.Duration {
	if w.version.hasEvents() {
		return 0
	}
	return blockSettle
}

const (
	// blockTimeout is after how long libpcap on Linux hands over a block that is not full. A ring of 16 MiB has 64 of them,
	// so with shorter times it would last less long.
	blockTimeout = 10 * time.Millisecond
	// blockSettle is how long that may take at most, since kernels count it in jiffies.
	blockSettle = 50 * time.Millisecond
)
