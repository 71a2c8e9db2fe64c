package winservice

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Definition is a service as it is to be.
type Definition struct {
	Name, DisplayName, Description string
	Command                        []string // the program, with its full path, and its arguments
	Account                        Account
	Start                          StartKind // empty: it stays
	Drivers                        []string  // services of capture drivers: it starts after the first one that is there

	DataDir string   // has the ini
	RunDir  string   // has the status files
	Files   []string // the ini, and what else is made readable for the service and the administrators only; they may be missing
}

// StartKind says what starts a service.
type StartKind string

// Kinds of start: with the machine, when somebody asks, or not at all.
const (
	StartAuto     StartKind = "auto"
	StartDemand   StartKind = "demand"
	StartDisabled StartKind = "disabled"
)

// ParseStart reads a kind of start.
func ParseStart(text string) (StartKind, error) {
	switch s := StartKind(strings.ToLower(text)); s {
	case StartAuto, StartDemand, StartDisabled:
		return s, nil
	}
	return "", fmt.Errorf("start %q: write auto, demand or disabled", text)
}

// Account is what a service runs as, in the words that the service manager takes.
type Account string

// Accounts of services, which have no password.
const (
	LocalService Account = `NT AUTHORITY\LocalService`
	LocalSystem  Account = `LocalSystem`
)

// ParseAccount reads an account, with or without its authority. virtual is the one that Windows makes for a service of a name.
func ParseAccount(text, service string) (Account, error) {
	virtual := Account(`NT SERVICE\` + service)
	for name, a := range map[string]Account{
		"localservice": LocalService, "local service": LocalService, "localsystem": LocalSystem, "system": LocalSystem,
		"networkservice": `NT AUTHORITY\NetworkService`, "network service": `NT AUTHORITY\NetworkService`, strings.ToLower(string(virtual)): virtual,
	} {
		short := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(text), `nt authority\`), `.\`)
		if short == name {
			return a, nil
		}
	}
	return "", fmt.Errorf("account %q: it is LocalService, NetworkService, %s, or LocalSystem for a driver that only administrators may open", text, virtual)
}

// serviceSID is the security identifier of NT SERVICE\NAME: S-1-5-80 and the SHA-1 of the name in capital letters and
// UTF-16, as "sc showsid" prints it.
func serviceSID(name string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(strings.ToUpper(name))) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	sum := sha1.Sum(b)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// Access control lists in the language of security descriptors. They take nothing over from the folder above.
const (
	forFolder = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;%s;;;%s)"
	forFile   = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;%s)"
)

func (d *Definition) dataACL() string { return fmt.Sprintf(forFolder, "FRFX", serviceSID(d.Name)) }
func (d *Definition) runACL() string  { return fmt.Sprintf(forFolder, "0x1301bf", serviceSID(d.Name)) } // change
func (d *Definition) iniACL() string  { return fmt.Sprintf(forFile, serviceSID(d.Name)) }
