package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rpcapd/config"
)

const (
	kubernetes = "../../deploy/kubernetes"
	chart      = "../../deploy/helm/rpcapd"
	golden     = "testdata"
)

// overlays are what people apply, by the name of their rendering.
var overlays = map[string]string{
	"agent": "agent", "agent-pods": "overlays/pods", "agent-password": "overlays/password",
	"sensor": "sensor", "sensor-monitored": "overlays/monitored", "sidecar": "sidecar",
}

// values are the settings that the chart is rendered with: ci/NAME.yaml.
var values = []string{"agent", "sensor", "everything"}

// object is something of Kubernetes.
type object map[string]any

// at follows names and numbers into an object; nil if there is no such thing.
func (o object) at(path ...any) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// objects reads the documents of a YAML text.
func objects(text []byte) (list []object, err error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var o map[string]any // not object: what is in it would be of that type, too
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		case o != nil:
			list = append(list, o)
		}
	}
}

// rendering is a golden file.
func rendering(t *testing.T, name string) []object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := objects(text)
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v", name, err)
	}
	return list
}

// one is the object of a kind.
func one(t *testing.T, list []object, kind string) object {
	t.Helper()
	for _, o := range list {
		if o.at("kind") == kind {
			return o
		}
	}
	t.Fatalf("no %s", kind)
	return nil
}

// TestKubernetesYAML: every file parses, no key is written twice, and kustomizations name files that are there.
func TestKubernetesYAML(t *testing.T) {
	n := 0
	err := filepath.WalkDir(kubernetes, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		list, err := objects(text)
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %v", path, err)
		}
		for _, o := range list {
			if o.at("kind") == nil || o.at("apiVersion") == nil {
				t.Errorf("%s: an object without kind or apiVersion", path)
			}
			for _, key := range []string{"resources", "components"} {
				entries, _ := o.at(key).([]any)
				for _, e := range entries {
					if _, err := os.Stat(filepath.Join(filepath.Dir(path), fmt.Sprint(e))); o.at("kind") != "Pod" && err != nil && filepath.Base(path) == "kustomization.yaml" {
						t.Errorf("%s: %v", path, err)
					}
				}
			}
		}
		return nil
	})
	if err != nil || n < 20 {
		t.Errorf("%d files, %v", n, err)
	}
}

// agentSecurity and the others are what the security contexts must say, wherever they come from.
const (
	agentSecurity = `{"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_RAW"],"drop":["ALL"]},"privileged":false,` +
		`"readOnlyRootFilesystem":true,"runAsGroup":0,"runAsNonRoot":false,"runAsUser":0}`
	sensorSecurity    = `{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true}`
	agentPodSecurity  = `{"seccompProfile":{"type":"RuntimeDefault"}}`
	sensorPodSecurity = `{"fsGroup":65532,"fsGroupChangePolicy":"OnRootMismatch","runAsGroup":65532,"runAsNonRoot":true,"runAsUser":65532,` +
		`"seccompProfile":{"type":"RuntimeDefault"}}`
)

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// TestKubernetesSecurity: kustomize and chart agree on what counts.
func TestKubernetesSecurity(t *testing.T) {
	for _, name := range []string{"agent", "agent-pods", "agent-password", "helm-agent"} {
		pod := object(one(t, rendering(t, name), "DaemonSet").at("spec", "template", "spec").(map[string]any))
		c := object(pod.at("containers", 0).(map[string]any))
		for what, pair := range map[string][2]string{
			"container":          {asJSON(c.at("securityContext")), agentSecurity},
			"pod":                {asJSON(pod.at("securityContext")), agentPodSecurity},
			"network of node":    {asJSON(pod.at("hostNetwork")), "true"},
			"DNS":                {asJSON(pod.at("dnsPolicy")), `"ClusterFirstWithHostNet"`},
			"service links":      {asJSON(pod.at("enableServiceLinks")), "false"},
			"token":              {asJSON(pod.at("automountServiceAccountToken")), "false"},
			"processes of node":  {asJSON(pod.at("hostPID")), "null"},
			"live":               {asJSON(c.at("livenessProbe", "exec", "command")), `["rpcapd","status","--probe","live"]`},
			"ready":              {asJSON(c.at("readinessProbe", "exec", "command")), `["rpcapd","status","--probe","ready"]`},
			"limit of processor": {asJSON(c.at("resources", "limits", "cpu")), "null"},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s, %s: %s, want %s", name, what, pair[0], pair[1])
			}
		}
	}
	sidecar := object(one(t, rendering(t, "sidecar"), "Deployment").at("spec", "template", "spec").(map[string]any))
	if got := asJSON(sidecar.at("initContainers", 0, "securityContext")); got != agentSecurity || sidecar.at("hostNetwork") != nil || sidecar.at("enableServiceLinks") != false {
		t.Errorf("sidecar: %s %v", got, sidecar.at("hostNetwork"))
	}
	for _, name := range []string{"sensor", "sensor-monitored", "helm-sensor", "helm-everything"} {
		list := rendering(t, name)
		pod := object(one(t, list, "StatefulSet").at("spec", "template", "spec").(map[string]any))
		if got := asJSON(pod.at("containers", 0, "securityContext")); got != sensorSecurity {
			t.Errorf("%s: %s", name, got)
		}
		if got := asJSON(pod.at("securityContext")); got != sensorPodSecurity || pod.at("hostNetwork") != nil || pod.at("enableServiceLinks") != false {
			t.Errorf("%s: %s", name, got)
		}
		if got := one(t, list, "PodDisruptionBudget").at("spec", "maxUnavailable"); got != 1 {
			t.Errorf("%s: maxUnavailable %v", name, got)
		}
		if got := asJSON(one(t, list, "NetworkPolicy").at("spec", "policyTypes")); got != `["Ingress","Egress"]` {
			t.Errorf("%s: %s", name, got)
		}
		for _, o := range list {
			if o.at("kind") == "Service" && o.at("spec", "type") == "LoadBalancer" && (o.at("spec", "externalTrafficPolicy") != "Local" || o.at("spec", "loadBalancerSourceRanges") == nil) {
				t.Errorf("%s: %v", name, o.at("metadata", "name"))
			}
		}
	}
	for name, level := range map[string]string{"agent": "privileged", "sensor": "restricted"} {
		if got := one(t, rendering(t, name), "Namespace").at("metadata", "labels", "pod-security.kubernetes.io/enforce"); got != level {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestKubernetesConfigurations: the inis in the renderings are good, for the programs of this commit.
func TestKubernetesConfigurations(t *testing.T) {
	n := 0
	for _, name := range allRenderings() {
		for _, o := range rendering(t, name) {
			data, _ := o.at("data").(map[string]any)
			if o.at("kind") != "ConfigMap" {
				continue
			}
			for file, text := range data {
				var problems config.Problems
				switch file {
				case "rpcapd.ini":
					_, problems = config.ParseAgent(name+"/"+file, []byte(text.(string)))
				case "rpcap-sensor.ini":
					_, problems = config.ParseSensor(name+"/"+file, []byte(text.(string)))
				default:
					t.Errorf("%s: what is %s?", name, file)
				}
				n++
				for _, p := range problems {
					accounts := strings.Contains(p.Text, "no sensor can authenticate")    // they are in a Secret
					page := p.Warning && strings.Contains(p.Text, "asks for no password") // NetworkPolicy says who reaches it
					if !accounts && !page {
						t.Error(p)
					}
				}
			}
		}
	}
	if n < 7 {
		t.Errorf("%d configurations", n)
	}
}

// TestKubernetesNoFrameTwice: no rendering offers uplinks and interfaces of pods at once.
func TestKubernetesNoFrameTwice(t *testing.T) {
	for _, name := range allRenderings() {
		for _, o := range rendering(t, name) {
			text, _ := o.at("data", "rpcapd.ini").(string)
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "ActiveClient") && (strings.Contains(line, "eth*/en*") == (strings.Contains(line, "cali*"))) {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
	}
}

// TestKubernetesPorts: the ports of the sensor's ini are those of the pod, of the Services, and of the policy.
func TestKubernetesPorts(t *testing.T) {
	for _, name := range []string{"sensor", "helm-sensor", "helm-everything"} {
		list := rendering(t, name)
		ini := ""
		for _, o := range list {
			if text, found := o.at("data", "rpcap-sensor.ini").(string); found {
				ini = text
			}
		}
		c, problems := config.ParseSensor(name, []byte(ini))
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		var want []string
		for i := range c.Data.Count {
			want = append(want, fmt.Sprint(int(c.Data.First)+i))
		}
		udp := func(v any, key string) (ports []string) {
			entries, _ := v.([]any)
			for _, e := range entries {
				if m := e.(map[string]any); m["protocol"] == "UDP" {
					ports = append(ports, fmt.Sprint(m[key]))
				}
			}
			return ports
		}
		if got := udp(one(t, list, "StatefulSet").at("spec", "template", "spec", "containers", 0, "ports"), "containerPort"); !slices.Equal(got, want) {
			t.Errorf("%s, pod: %v, want %v", name, got, want)
		}
		for _, o := range list {
			if o.at("kind") == "Service" && o.at("spec", "type") == "LoadBalancer" {
				if got := udp(o.at("spec", "ports"), "port"); !slices.Equal(got, want) {
					t.Errorf("%s, %v: %v, want %v", name, o.at("metadata", "name"), got, want)
				}
			}
		}
		if p := one(t, list, "NetworkPolicy").at("spec", "ingress", 0, "ports", 1); !reflect.DeepEqual(p, map[string]any{"port": int(c.Data.First), "endPort": int(c.Data.First) + c.Data.Count - 1, "protocol": "UDP"}) {
			t.Errorf("%s, policy: %v", name, p)
		}
	}
}

// allRenderings are the names of the golden files.
func allRenderings() []string {
	var list []string
	for name := range overlays {
		list = append(list, name)
	}
	for _, name := range values {
		list = append(list, "helm-"+name)
	}
	slices.Sort(list)
	return list
}
