package inifile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// likeOld gives a file the access control list of the one that it will replace. If there is none, it has that of its folder.
func likeOld(f *os.File, path, _ string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read who may use %s: %w", path, os.NewSyscallError("GetNamedSecurityInfo", err))
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("read who may use %s: %w", path, err)
	}
	what := windows.SECURITY_INFORMATION(windows.DACL_SECURITY_INFORMATION | windows.UNPROTECTED_DACL_SECURITY_INFORMATION)
	if control, _, err := sd.Control(); err == nil && control&windows.SE_DACL_PROTECTED != 0 {
		what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	}
	if err := windows.SetNamedSecurityInfo(f.Name(), windows.SE_FILE_OBJECT, what, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("set who may use %s: %w", f.Name(), os.NewSyscallError("SetNamedSecurityInfo", err))
	}
	return nil
}
