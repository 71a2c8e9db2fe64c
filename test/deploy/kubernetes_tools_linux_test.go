package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestKubernetesRenderings renders everything anew and compares it with the golden files, which are what other tests look at.
func TestKubernetesRenderings(t *testing.T) {
	full(t)
	for name, dir := range overlays {
		compare(t, name, runTool(t, "kustomize", "build", filepath.Join(kubernetes, dir)))
	}
	for _, name := range values {
		compare(t, "helm-"+name, runTool(t, "helm", "template", "example", chart, "--namespace", "rpcapd", "--kube-version", "1.30.0", "-f", filepath.Join(chart, "ci", name+".yaml")))
	}
}

func compare(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(golden, name+".yaml")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != text {
		t.Errorf("%s differs from what is rendered now (%v); look at it, then run go test ./test/deploy -run Renderings -update with TEST_DEPLOY=1", file, err)
	}
}

// TestKubernetesValid: the API server would take every object, PodMonitor included.
func TestKubernetesValid(t *testing.T) {
	full(t)
	crds := tool(t, "crds")
	args := []string{"--version", "1.30", "--local-crds", crds}
	dir := t.TempDir()
	for _, name := range allRenderings() {
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, oneLineSecrets(t, name), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out := runTool(t, "kubectl-validate", args...)
	if n := strings.Count(out, "OK"); n != len(allRenderings()) {
		t.Errorf("%d of %d files are valid:\n%s", n, len(allRenderings()), out)
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	text := "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: x, namespace: y}\nspec: {selector: {}, podMetricsEndpoints: [{intervall: 15s}]}\n"
	if err := os.WriteFile(bad, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool(t, "kubectl-validate"), "--version", "1.30", "--local-crds", crds, bad).CombinedOutput(); err == nil {
		t.Errorf("a typo in a PodMonitor was taken: %s", out)
	}
}

// oneLineSecrets is a rendering with the data of Secrets on one line each. kustomize breaks base64 into lines of 70 characters, which
// the API server takes and kubectl-validate does not.
func oneLineSecrets(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	for _, o := range rendering(t, name) {
		data, _ := o.at("data").(map[string]any)
		for key, value := range data {
			if text, isText := value.(string); isText && o.at("kind") == "Secret" {
				data[key] = strings.ReplaceAll(text, "\n", "")
			}
		}
		if err := e.Encode(map[string]any(o)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestHelmLint: the chart is one, and its schema refuses what it should.
func TestHelmLint(t *testing.T) {
	full(t)
	for _, name := range values {
		out := runTool(t, "helm", "lint", "--strict", chart, "-f", filepath.Join(chart, "ci", name+".yaml"))
		if !strings.Contains(out, "1 chart(s) linted, 0 chart(s) failed") {
			t.Error(out)
		}
	}
	const good = "image.registry=registry.example.com,agent.sensor.host=10.0.0.1"
	for what, more := range map[string]string{
		"no registry":        "agent.sensor.host=10.0.0.1",
		"no sensor":          "image.registry=registry.example.com",
		"a typo":             good + ",agent.interface=eth0",
		"an unknown key":     good + ",agent.config.MaxRtae=1M",
		"a second line":      good + ",agent.interfaces=eth0\nUser = root",
		"a port too high":    good + ",agent.sensor.port=70000",
		"more rights":        good + ",agent.extraCapabilities={SYS_ADMIN}",
		"public for anybody": good + ",sensor.enabled=true,sensor.public.enabled=true",
	} {
		if out, err := exec.Command(tool(t, "helm"), "template", "example", chart, "--kube-version", "1.30.0", "--set", more).CombinedOutput(); err == nil {
			t.Errorf("%s: it was taken\n%.500s", what, out)
		}
	}
	out := runTool(t, "helm", "template", "example", chart, "--kube-version", "1.30.0", "--set", good)
	if !strings.Contains(out, "ActiveClient = 10.0.0.1, 2003, ifname=eth*/en*\n") {
		t.Error(out)
	}
}
