package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// filesMark is the last line of the script; the archive follows it.
const filesMark = "\n__FILES__\n"

// installScript makes the installer for hosts without a packager: a shell script with the
// archive behind it.
func (p *program) installScript(src *source, a arch, stage, out string) (err error) {
	template, err := os.ReadFile(filepath.Join("packaging", p.installer))
	if err != nil {
		return err
	}
	if !strings.HasSuffix(string(template), filesMark) {
		return fmt.Errorf("packaging/%s does not end with the line %q", p.installer, strings.TrimSpace(filesMark))
	}
	text := strings.NewReplacer("@VERSION@", src.version.text, "@ARCH@", a.name()).Replace(string(template))
	name := fmt.Sprintf("install-%s-%s-linux-%s.sh", p.name, src.version.text, a.name())
	f, err := os.OpenFile(filepath.Join(out, name), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return archive(f, src, p.archiveName(src, a), stage)
}
