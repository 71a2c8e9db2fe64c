package deploy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools are Go programs at pinned versions, by the name of the program.
var tools = map[string]string{
	"helm":             "helm.sh/helm/v3/cmd/helm@v3.22.0",
	"kubectl-validate": "sigs.k8s.io/kubectl-validate@v0.0.4",
	"kustomize":        "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1",
	"terraform":        "github.com/hashicorp/terraform@v1.5.7", // the last one under a free licence
	"crane":            "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
}

// operator has the definition of PodMonitor.
const operator = "github.com/prometheus-operator/prometheus-operator@v0.76.2"

// preparedVariable tells the tests in their namespaces that prepare has run, and what could not be had.
const preparedVariable = "TEST_DEPLOY_PREPARED"

// cacheFolder is a folder that stays.
func cacheFolder(name string) (string, error) {
	base, err := os.UserCacheDir() // XDG_CACHE_HOME, or ~/.cache
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "rpcapd-test", name)
	return dir, os.MkdirAll(dir, 0o755)
}

// prepare gets what needs the network. What fails is told by the test that needs it.
func prepare() {
	missing := make(map[string]string)
	dir, err := cacheFolder("tools")
	for name, module := range tools {
		path := filepath.Join(dir, name)
		if err == nil && !built(path, module) {
			fmt.Fprintln(os.Stderr, "building", module)
			err = install(dir, module)
		}
		if err != nil {
			missing[name] = err.Error()
			err = nil
		}
	}
	if err := definitions(dir); err != nil {
		missing["crds"] = err.Error()
	}
	text, err := json.Marshal(missing)
	if err != nil {
		text = []byte("{}")
	}
	os.Setenv(preparedVariable, string(text))
}

// built says that the program is there, in this version.
func built(path, module string) bool {
	out, err := exec.Command("go", "version", "-m", path).Output()
	name, version, _ := strings.Cut(module, "@")
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "mod" && strings.HasPrefix(name, f[1]) && f[2] == version {
			return err == nil
		}
	}
	return false
}

func install(dir, module string) error {
	cmd := exec.Command("go", "install", module)
	cmd.Dir = "/" // not in this module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=-trimpath")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w: %s", module, err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// definitions copies the definition of PodMonitor out of the operator's module.
func definitions(dir string) error {
	to := filepath.Join(dir, "crds", "podmonitors.yaml")
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	cmd := exec.Command("go", "mod", "download", "-json", operator)
	cmd.Dir = "/"
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &module); err != nil || jsonErr != nil || module.Dir == "" {
		return fmt.Errorf("get %s: %s", operator, cmp.Or(module.Error, fmt.Sprint(err)))
	}
	text, err := os.ReadFile(filepath.Join(module.Dir, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// tool is the path of a program, or of the definitions ("crds").
func tool(t *testing.T, name string) string {
	t.Helper()
	full(t)
	var missing map[string]string
	if err := json.Unmarshal([]byte(os.Getenv(preparedVariable)), &missing); err != nil {
		t.Fatalf("nothing was prepared: %v", err)
	}
	if reason := missing[name]; reason != "" {
		t.Fatalf("%s is not to be had: %s", name, reason)
	}
	dir, err := cacheFolder("tools")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// runTool returns what a tool prints; a failure ends the test.
func runTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
