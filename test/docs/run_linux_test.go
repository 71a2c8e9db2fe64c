package docs

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/packaging/page"
	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// Limits of the script of one page, in make test and in make test-docs.
const (
	patience     = 3 * time.Minute
	longPatience = 10 * time.Minute
)

// long says that the blocks tagged "run long" are run too: TEST_DOCS=1, as make test-docs has it.
func long() bool { return os.Getenv("TEST_DOCS") == "1" }

// script is all that is run of a page, each line at its place, with empty lines between.
func script(p *page.Page) string {
	var lines []string
	for i := range p.Blocks {
		b := &p.Blocks[i]
		if b.Tag != page.Run && (b.Tag != page.RunLong || !long()) {
			continue
		}
		for len(lines) < b.Line-1 {
			lines = append(lines, "")
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(b.Script(), "\n"), "\n")...)
	}
	return strings.Join(lines, "\n")
}

// TestRootRun: what is tagged so runs, page by page.
func TestRootRun(t *testing.T) {
	netlab.Require(t)
	ran := 0
	for _, p := range pages(t) {
		text := script(p)
		if text == "" {
			continue
		}
		ran++
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if why := run(t, p.Name, text); why != "" {
				t.Error(why)
			}
		})
	}
	if ran < 2 {
		t.Errorf("only %d pages have something to run", ran)
	}
}

// TestRootRunBites: a command that fails is found, with its line, and what it wrote to the system's folders is gone.
func TestRootRunBites(t *testing.T) {
	netlab.Require(t)
	const mark = "/etc/written-by-a-page"
	fence := "```"
	source := "# X\n\n" + fence + "sh run\necho is-shown; echo >" + mark + "\n" + fence + "\n\n" + fence + "sh run\ntrue\nrpcapd check -f none.ini\necho not reached\n" + fence + "\n"
	why := run(t, "docs/X.md", script(page.Parse("docs/X.md", []byte(source))))
	for _, want := range []string{"docs/X.md: line 9: ", "is-shown", "none.ini"} {
		if !strings.Contains(why, want) {
			t.Errorf("%q does not say %q", why, want)
		}
	}
	if strings.Contains(why, "not reached") {
		t.Errorf("the script went on: %q", why)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Errorf("%s is still there", mark)
	}
}

// prelude covers the folders that a page may write to, gives it a /run/rpcapd of its own, takes loopback up, and runs the
// page. Root covers them with what they
// hold, and what is written stays in memory. An ordinary user, who may not do that everywhere and could not write to them
// anyway, gets a copy of /etc and empty folders.
const prelude = `set -e
mount -t tmpfs tmpfs "$COVER"
layer() {
  mkdir -p "$COVER$1.new" "$COVER$1.work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$COVER$1.new,workdir=$COVER$1.work" $1 2>/dev/null
}
copy() {
  mkdir -p "$COVER$1.copy"
  [ $1 != /etc ] || cp -a $1/. "$COVER$1.copy" 2>/dev/null || true # what cannot be read is not needed
  mount --bind "$COVER$1.copy" $1
}
if layer /etc; then
  for folder in /opt /usr/local /var /root /home; do
    [ ! -d $folder ] || layer $folder || exit 99
  done
else
  for folder in /etc /opt /var/lib; do
    [ ! -d $folder ] || copy $folder || exit 99
  done
fi
mkdir -p /run/rpcapd
mount -t tmpfs -o mode=0755 tmpfs /run/rpcapd
ip link set lo up
unset COVER
exec bash -eE "$PAGE"
`

// unable is the exit status of the prelude where the folders cannot be covered.
const unable = 99

// run runs a script and says what failed, or "".
func run(t *testing.T, name, text string) string {
	t.Helper()
	for _, tool := range []string{"bash", "mount", "unshare", "ip"} {
		harness.Tool(t, tool)
	}
	commands, err := (&page.Block{Page: name, Line: 1, Language: "sh", Text: text}).Commands()
	if err != nil {
		return err.Error()
	}
	for _, c := range commands {
		for _, tool := range []string{"ping", "tshark", "tcpdump"} {
			if _, found := c.Of(tool); found {
				harness.Tool(t, tool)
			}
		}
	}
	if strings.Contains(text, "[tap]") {
		if _, err := os.Stat("/dev/net/tun"); err != nil {
			netlab.Missing(t, "a TAP interface cannot be made: "+err.Error())
		}
	}
	lab := netlab.New(t)
	host := lab.Namespace("page")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil { // the agent runs as somebody else
		t.Fatal(err)
	}
	cover, file := t.TempDir(), filepath.Join(t.TempDir(), "page.sh")
	trap := `trap 'echo "` + name + `: line $LINENO: \"$BASH_COMMAND\" failed with status $?" >&2' ERR; `
	if err := os.WriteFile(file, []byte(trap+text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	limit := patience
	if long() {
		limit = longPatience
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := host.Command("unshare", "-m", "bash", "-c", prelude)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, dir
	cmd.Env = append(os.Environ(), "PATH="+harness.Folder(t)+":"+os.Getenv("PATH"), "PAGE="+file, "COVER="+cover, "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = 2 * time.Second // what is still in the background has the output open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // gone already
	err = cmd.Wait()
	stop()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left in the background, if anything
	if failed := new(exec.ExitError); errors.As(err, &failed) && failed.ExitCode() == unable {
		netlab.Missing(t, "folders cannot be covered here: "+out.String())
	}
	switch {
	case ctx.Err() != nil:
		return name + ": not done after " + limit.String() + "; printed:\n" + out.String()
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return err.Error() + "; printed:\n" + out.String()
	}
	t.Logf("%s", out.String())
	return ""
}
