package agent

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// HoldIni takes an ini for this process, for as long as it lives or until the result is closed. Two agents with one ini
// would send everything twice.
//
// What is taken is a named mutex that is never waited for: it exists while a process has it open. Editors replace the file,
// and the service cannot write beside it. Any user could make a mutex of that name to keep the agent from starting, so one
// counts only if its owner is the system, an administrator, an account of services, or the user of this process.
func HoldIni(path string) (io.Closer, error) {
	name, err := windows.UTF16PtrFromString(iniMutex(path))
	if err != nil {
		return nil, fmt.Errorf("lock ini: %w", err)
	}
	sd, err := windows.SecurityDescriptorFromString("D:(A;;0x1f0001;;;OW)(A;;RC;;;WD)") // its owner: all; everybody: look who that is
	if err != nil {
		return nil, fmt.Errorf("lock ini: %w", err)
	}
	sa := &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
	h, err := windows.CreateMutex(sa, false, name)
	switch {
	case err == nil:
		return mutex(h), nil
	case h != 0: // it was there, and is of this user
		_ = windows.CloseHandle(h) // it holds nothing yet
	case errors.Is(err, windows.ERROR_ACCESS_DENIED): // it is there, and another user's
	default:
		return nil, fmt.Errorf("lock ini: %w", os.NewSyscallError("CreateMutex", err))
	}
	if err := ownedByAgent(name); err != nil {
		return nil, fmt.Errorf("lock ini: %w", err)
	}
	return nil, &iniTaken{path, "another agent"}
}

// mutex is an open handle of one.
type mutex windows.Handle

func (m mutex) Close() error {
	return os.NewSyscallError("CloseHandle", windows.CloseHandle(windows.Handle(m)))
}

// iniMutex is the name that stands for a file in all sessions of the machine.
func iniMutex(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(path)))
	return fmt.Sprintf(`Global\rpcapd-ini-%016x`, h.Sum64())
}

// ownedByAgent returns an error unless the owner of a mutex may run an agent that others give way to.
func ownedByAgent(name *uint16) error {
	h, err := windows.OpenMutex(windows.READ_CONTROL, false, name)
	if err != nil {
		return os.NewSyscallError("OpenMutex", err)
	}
	defer windows.CloseHandle(h) // nothing is to be written
	sd, err := windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return os.NewSyscallError("GetSecurityInfo", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return os.NewSyscallError("GetSecurityDescriptorOwner", err)
	}
	if owner == nil {
		return errors.New("nobody owns it")
	}
	if mine, err := windows.Token(0).IsMember(owner); err == nil && mine { // nobody can make a group of others the owner
		return nil
	}
	for _, kind := range []windows.WELL_KNOWN_SID_TYPE{
		windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid, windows.WinLocalServiceSid, windows.WinNetworkServiceSid,
	} {
		if owner.IsWellKnown(kind) {
			return nil
		}
	}
	if sid := owner.String(); !strings.HasPrefix(sid, "S-1-5-80-") { // a virtual account, which only a service has
		return fmt.Errorf("%s, who is no administrator, has taken the name of the lock", sid)
	}
	return nil
}
