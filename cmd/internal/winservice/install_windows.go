package winservice

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// Install makes the folders and the service, which then starts with the machine. What fails leaves no service behind. The
// notes are what this system lacks.
func (d *Definition) Install() (notes []string, err error) {
	m, err := connect(windows.SC_MANAGER_CONNECT | windows.SC_MANAGER_CREATE_SERVICE)
	if err != nil {
		return nil, err
	}
	defer m.Disconnect() // a handle of the manager has nothing to say any more
	if err := d.protect(); err != nil {
		return nil, err
	}
	s, err := m.CreateService(d.Name, d.Command[0], mgr.Config{
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal, ServiceStartName: string(d.Account), DisplayName: d.DisplayName,
	}, d.Command[1:]...)
	if errors.Is(err, windows.ERROR_SERVICE_EXISTS) {
		return nil, fmt.Errorf("install service %s: it is installed already; change it with rpcapd service configure, or uninstall it first", d.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("install service %s: %w", d.Name, explain(err))
	}
	defer s.Close()
	notes, err = d.configure(m, s)
	if err != nil {
		if derr := s.Delete(); derr != nil {
			err = fmt.Errorf("%w; and the service could not be removed again: %w", err, derr)
		}
		return nil, fmt.Errorf("install service %s: %w", d.Name, err)
	}
	return notes, nil
}

// Uninstall ends the service and removes it. Its folders stay.
func Uninstall(name string) error {
	s, err := open(name, windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS|windows.DELETE)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := stop(s); err != nil {
		return err
	}
	if err := s.Delete(); err != nil {
		return fmt.Errorf("remove service %s: %w", name, explain(err))
	}
	return nil
}

// ProtectRunDir makes the folders of a service alone, as Install does.
func ProtectRunDir(name, dataDir, runDir string) error {
	d := Definition{Name: name}
	return errors.Join(protectFolder(dataDir, d.dataACL()), protectFolder(runDir, d.runACL()))
}

// protect makes the folders of the service, for it and the administrators alone.
func (d *Definition) protect() error {
	return errors.Join(protectFolder(d.DataDir, d.dataACL()), protectFolder(d.RunDir, d.runACL()), d.ProtectFiles())
}

// ProtectFiles makes the files of the service readable for it and the administrators alone.
func (d *Definition) ProtectFiles() (err error) {
	for _, path := range d.Files {
		if file := protectFile(path, d.iniACL()); !errors.Is(file, fs.ErrNotExist) { // it inherits when it is made
			err = errors.Join(err, file)
		}
	}
	return err
}
