package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// udpSegmentation is the feature of a device that takes UDP super-packets whole.
const udpSegmentation = "tx-udp-segmentation"

const (
	featureStrings = 4  // ETH_SS_FEATURES of linux/ethtool.h
	stringLen      = 32 // ETH_GSTRING_LEN
	maxFeatures    = 128
)

// Structures of linux/ethtool.h, with room for maxFeatures.
type (
	ethtoolCount struct {
		command, _ uint32
		sets       uint64
		count      uint32
	}
	ethtoolNames struct {
		command, set, count uint32
		names               [maxFeatures][stringLen]byte
	}
	ethtoolSet struct {
		command, words uint32
		block          [maxFeatures / 32]struct{ valid, requested uint32 }
	}
	ethtoolGet struct {
		command, words uint32
		block          [maxFeatures / 32]struct{ available, requested, active, never uint32 }
	}
)

// setFeature switches a feature of an interface in the namespace of the calling
// thread. It fails when the interface then has it otherwise than asked.
func setFeature(ifname, feature string, on bool) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	bit, count, err := findFeature(fd, ifname, feature)
	if err != nil {
		return fmt.Errorf("%s: find feature %s: %w", ifname, feature, err)
	}
	words := uint32(count+31) / 32
	set := &ethtoolSet{command: unix.ETHTOOL_SFEATURES, words: words}
	set.block[bit/32].valid = 1 << (bit % 32)
	if on {
		set.block[bit/32].requested = 1 << (bit % 32)
	}
	if err := ethtool(fd, ifname, unsafe.Pointer(set)); err != nil {
		return fmt.Errorf("%s: set %s: %w", ifname, feature, err)
	}
	get := &ethtoolGet{command: unix.ETHTOOL_GFEATURES, words: words}
	if err := ethtool(fd, ifname, unsafe.Pointer(get)); err != nil {
		return fmt.Errorf("%s: get features: %w", ifname, err)
	}
	if active := get.block[bit/32].active>>(bit%32)&1 == 1; active != on {
		return fmt.Errorf("%s: %s is %v, not %v", ifname, feature, active, on)
	}
	return nil
}

// findFeature returns the number of a feature, and how many there are.
func findFeature(fd int, ifname, feature string) (bit, count int, err error) {
	info := &ethtoolCount{command: unix.ETHTOOL_GSSET_INFO, sets: 1 << featureStrings}
	if err := ethtool(fd, ifname, unsafe.Pointer(info)); err != nil {
		return 0, 0, err
	}
	count = int(info.count)
	if count > maxFeatures {
		return 0, 0, fmt.Errorf("there are %d features, room is for %d", count, maxFeatures)
	}
	names := &ethtoolNames{command: unix.ETHTOOL_GSTRINGS, set: featureStrings, count: uint32(count)}
	if err := ethtool(fd, ifname, unsafe.Pointer(names)); err != nil {
		return 0, 0, err
	}
	for i := range names.names[:count] {
		if name, _, _ := bytes.Cut(names.names[i][:], []byte{0}); string(name) == feature {
			return i, count, nil
		}
	}
	return 0, 0, os.ErrNotExist
}

// ethtool is one request; request points to a structure that begins with its command.
func ethtool(fd int, ifname string, request unsafe.Pointer) error {
	ifr := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [24 - unsafe.Sizeof(uintptr(0))]byte
	}{data: request}
	copy(ifr.name[:unix.IFNAMSIZ-1], ifname)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifr)))
	runtime.KeepAlive(request)
	if errno != 0 {
		return os.NewSyscallError("ioctl SIOCETHTOOL", errno)
	}
	return nil
}
