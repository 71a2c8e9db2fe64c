package iface

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	// adaptersBytes is the room for the first try, as Microsoft recommends, and adaptersTries how often it is repeated
	// with more: adapters may come meanwhile.
	adaptersBytes = 32 << 10
	adaptersTries = 4
	// adaptersFlags leave out what is not used. With GAA_FLAG_INCLUDE_PREFIX the call fails under wine 10.
	adaptersFlags = windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST | windows.GAA_FLAG_SKIP_DNS_SERVER
)

// read asks GetAdaptersAddresses, which needs no capture driver.
func read() ([]Interface, error) {
	buf, err := adapters()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var list []Interface
	if len(buf) == 0 {
		return list, nil
	}
	for a := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0])); a != nil; a = a.Next {
		one := adapterOf(a)
		list = append(list, one.asInterface())
	}
	return list, nil
}

// adapters returns the list, which points into itself; it is empty if there is no adapter. The elements are as long as
// pointers, so that it is aligned.
func adapters() ([]uint64, error) {
	size := uint32(adaptersBytes)
	for range adaptersTries {
		buf := make([]uint64, (size+7)/8)
		size = uint32(len(buf) * 8)
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, adaptersFlags, 0, (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0])), &size)
		switch {
		case err == nil:
			return buf, nil
		case errors.Is(err, windows.ERROR_NO_DATA):
			return nil, nil
		case !errors.Is(err, windows.ERROR_BUFFER_OVERFLOW):
			return nil, os.NewSyscallError("GetAdaptersAddresses", err)
		}
	}
	return nil, os.NewSyscallError("GetAdaptersAddresses", windows.ERROR_BUFFER_OVERFLOW)
}

func adapterOf(a *windows.IpAdapterAddresses) adapter {
	out := adapter{
		guid:        windows.BytePtrToString(a.AdapterName),
		friendly:    windows.UTF16PtrToString(a.FriendlyName),
		description: windows.UTF16PtrToString(a.Description),
		index:       a.IfIndex, index6: a.Ipv6IfIndex, mtu: a.Mtu, kind: a.IfType, status: a.OperStatus,
	}
	if n := int(a.PhysicalAddressLength); n <= len(a.PhysicalAddress) {
		out.hardwareAddr = append(out.hardwareAddr, a.PhysicalAddress[:n]...)
	}
	for u := a.FirstUnicastAddress; u != nil; u = u.Next {
		if addr, ok := netip.AddrFromSlice(u.Address.IP()); ok {
			out.addresses = append(out.addresses, netip.PrefixFrom(addr, int(u.OnLinkPrefixLength)))
		}
	}
	return out
}
