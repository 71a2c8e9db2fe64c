package deploy

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// clouds is where the files for clouds lie.
const clouds = "../../deploy"

// cloudFiles are the files below folders of deploy/ with one of the ends.
func cloudFiles(t *testing.T, folders []string, ends ...string) []string {
	t.Helper()
	var list []string
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(clouds, folder), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains(ends, filepath.Ext(path)) {
				list = append(list, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no file in %v ends with %v", folders, ends)
	}
	return list
}

func cloudText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCloudYAML: what cloud-init and Ansible read is YAML.
func TestCloudYAML(t *testing.T) {
	for _, path := range cloudFiles(t, []string{"cloud-init", "ansible"}, ".yaml", ".yml") {
		var v any
		if err := yaml.Unmarshal([]byte(cloudText(t, path)), &v); err != nil || v == nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestCloudUserData: it begins as cloud-init wants it, and its script is one that a shell understands.
func TestCloudUserData(t *testing.T) {
	for _, path := range cloudFiles(t, []string{"cloud-init"}, ".yaml") {
		text := cloudText(t, path)
		if !strings.HasPrefix(text, "#cloud-config\n") {
			t.Errorf("%s does not begin with #cloud-config", path)
		}
		var data struct {
			Files []struct{ Path, Content, Permissions string } `yaml:"write_files"`
			Run   [][]string                                    `yaml:"runcmd"`
		}
		if err := yaml.Unmarshal([]byte(text), &data); err != nil || len(data.Files) != 1 || len(data.Run) != 1 {
			t.Fatalf("%s: %+v, %v", path, data, err)
		}
		if f := data.Files[0]; f.Permissions != "0755" || data.Run[0][0] != f.Path {
			t.Errorf("%s writes %s and runs %v", path, f.Path, data.Run)
		}
		sh, err := exec.LookPath("sh")
		if err != nil {
			continue // as on Windows
		}
		cmd := exec.Command(sh, "-n")
		cmd.Stdin = strings.NewReader(data.Files[0].Content)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", path, err, out)
		}
	}
}

// TestCloudAnsibleArguments: each variable of a role has a default and is described, and the other way round.
func TestCloudAnsibleArguments(t *testing.T) {
	roles, err := filepath.Glob(filepath.Join(clouds, "ansible/roles/*"))
	if err != nil || len(roles) != 2 {
		t.Fatal(roles, err)
	}
	page := cloudText(t, filepath.Join(clouds, "ansible/README.md"))
	for _, role := range roles {
		var defaults map[string]any
		var specs struct {
			Specs map[string]struct {
				Options map[string]struct {
					Default     any
					Description string
				}
			} `yaml:"argument_specs"`
		}
		for path, into := range map[string]any{"defaults/main.yml": &defaults, "meta/argument_specs.yml": &specs} {
			if err := yaml.Unmarshal([]byte(cloudText(t, filepath.Join(role, path))), into); err != nil {
				t.Fatal(err)
			}
		}
		options := specs.Specs["main"].Options
		if len(options) == 0 || len(options) != len(defaults) {
			t.Errorf("%s: %d defaults, %d described", role, len(defaults), len(options))
		}
		for name, option := range options {
			if _, known := defaults[name]; !known || option.Description == "" || !strings.HasPrefix(name, filepath.Base(role)+"_") {
				t.Errorf("%s: %s has no default, no description, or another name", role, name)
			}
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("deploy/ansible/README.md does not tell of %s", name)
			}
		}
	}
}

var (
	variable = regexp.MustCompile(`(?m)^variable "([a-z_]+)" \{`)
	output   = regexp.MustCompile(`(?m)^output "([a-z_]+)" \{`)
)

// TestCloudTerraformPages: each module has its files, and its page tells of each variable and output.
func TestCloudTerraformPages(t *testing.T) {
	for _, module := range []string{"user-data", "aws", "azure", "google"} {
		dir := filepath.Join(clouds, "terraform", module)
		page := cloudText(t, filepath.Join(dir, "README.md"))
		cloudText(t, filepath.Join(dir, "versions.tf"))
		for file, pattern := range map[string]*regexp.Regexp{"variables.tf": variable, "outputs.tf": output} {
			names := pattern.FindAllStringSubmatch(cloudText(t, filepath.Join(dir, file)), -1)
			if len(names) == 0 {
				t.Errorf("%s/%s has nothing", module, file)
			}
			for _, name := range names {
				if !strings.Contains(page, "`"+name[1]+"`") {
					t.Errorf("%s/README.md does not tell of %s", module, name[1])
				}
			}
		}
	}
}

// TestCloudOpensNothing: no file for clouds opens a port to everybody.
func TestCloudOpensNothing(t *testing.T) {
	for _, path := range cloudFiles(t, []string{"terraform", "packer"}, ".tf", ".hcl") {
		if text := cloudText(t, path); strings.Contains(text, "0.0.0.0/0") || strings.Contains(text, "::/0") || strings.Contains(text, `"Internet"`) {
			t.Errorf("%s names everybody", path)
		}
	}
}
