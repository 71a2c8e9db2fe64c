package winservice

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// protectFolder makes a folder with an access control list, or gives that to one that is there.
func protectFolder(path, acl string) error {
	sd, err := windows.SecurityDescriptorFromString(acl)
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	sa := &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
	err = windows.CreateDirectory(name, sa)
	if err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return &fs.PathError{Op: "make folder", Path: path, Err: err}
	}
	return protect(path, sd, true)
}

// protectFile gives a file an access control list.
func protectFile(path, acl string) error {
	sd, err := windows.SecurityDescriptorFromString(acl)
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	return protect(path, sd, false)
}

// protect sets the list of what is really there, and not of what a link leads to. What another user owns is refused: he
// could change the list again, and what is in there may be his.
func protect(path string, sd *windows.SECURITY_DESCRIPTOR, folder bool) error {
	f, err := openItself(path)
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	defer f.Close() // nothing is written
	info, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("protect %s: %w", path, err)
	case info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
		return fmt.Errorf("protect %s: it is a link; remove it", path)
	case info.IsDir() != folder:
		return fmt.Errorf("protect %s: it is %s", path, map[bool]string{true: "a folder; name a file", false: "a file; remove it, a folder belongs there"}[info.IsDir()])
	}
	h := windows.Handle(f.Fd())
	if err := trustOwner(h); err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	err = windows.SetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("protect %s: %w", path, os.NewSyscallError("SetSecurityInfo", err))
	}
	return nil
}

// openItself opens a file or folder, or the link that it is.
func openItself(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.WRITE_DAC|windows.FILE_READ_ATTRIBUTES, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, os.NewSyscallError("CreateFile", err)
	}
	return os.NewFile(uintptr(h), path), nil
}

// trustOwner refuses what belongs to somebody who is no administrator.
func trustOwner(h windows.Handle) error {
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return os.NewSyscallError("GetSecurityInfo", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return os.NewSyscallError("GetSecurityDescriptorOwner", err)
	}
	if owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || owner.String() == serviceSID("TrustedInstaller") {
		return nil
	}
	if user, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil && owner.Equals(user.User.Sid) {
		return nil // who has the right to install a service
	}
	who := owner.String()
	if name, domain, _, err := owner.LookupAccount(""); err == nil {
		who = domain + `\` + name
	}
	return fmt.Errorf("it belongs to %s, who is no administrator and could have put anything there: move it away, or make the administrators its owner (takeown /a /r /f)", who)
}
