package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runTerraform runs it in a folder, asking nobody and telling nobody.
func runTerraform(t *testing.T, dir, input string, args ...string) (string, error) {
	t.Helper()
	rc := filepath.Join(t.TempDir(), "terraformrc")
	if err := os.WriteFile(rc, []byte("disable_checkpoint = true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool(t, "terraform"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1")
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestCloudTerraformFormat: all modules, and the Packer file, which is in the same language, are parsed and formatted.
func TestCloudTerraformFormat(t *testing.T) {
	if out, err := runTerraform(t, clouds, "", "fmt", "-check", "-recursive", "-diff", "terraform"); err != nil {
		t.Errorf("terraform fmt: %v\n%s", err, out)
	}
	if out, err := runTerraform(t, clouds, cloudText(t, filepath.Join(clouds, "packer/rpcapd.pkr.hcl")), "fmt", "-check", "-diff", "-"); err != nil {
		t.Errorf("packer: %v\n%s", err, out)
	}
	if out, err := runTerraform(t, clouds, "source \"x\" {\n", "fmt", "-"); err == nil {
		t.Errorf("a block without its end was formatted:\n%s", out)
	}
}

// modules copies the modules: terraform writes beside them.
func modules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(clouds, "terraform"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCloudTerraformUserData: the examples are valid, and what they render is what deploy/cloud-init has.
func TestCloudTerraformUserData(t *testing.T) {
	full(t)
	dir := modules(t)
	for _, name := range []string{"repository", "package"} {
		example := filepath.Join(dir, "user-data/examples", name)
		for _, args := range [][]string{{"init", "-no-color"}, {"validate", "-no-color"}, {"apply", "-no-color", "-auto-approve"}} {
			if out, err := runTerraform(t, example, "", args...); err != nil {
				t.Fatalf("terraform %v: %v\n%s", args, err, out)
			}
		}
		out, err := runTerraform(t, example, "", "output", "-raw", "cloud_config")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if golden := filepath.Join(clouds, "cloud-init/rpcapd-"+name+".yaml"); out != cloudText(t, golden) {
			t.Errorf("%s is not what terraform renders:\n%s", golden, out)
		}
	}
}

const goodKey = `"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n"`

// TestCloudTerraformRefuses: values that cannot be meant so are named, before anything is done; an address of IPv6 is not one of
// them.
func TestCloudTerraformRefuses(t *testing.T) {
	full(t)
	dir := modules(t)
	const source = "repository = { url = \"https://x.example.com/y\", key = " + goodKey + " }\n"
	sum := strings.Repeat("0", 64)
	main := func(text string) string {
		return "module \"m\" {\n  source = \"../user-data\"\n" + text + "}\nresource \"terraform_data\" \"script\" {\n  input = module.m.script\n}\noutput \"script\" {\n  value = terraform_data.script.output\n}\n"
	}
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, "main.tf"), []byte(main(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sensor = \"2001:db8::5\"\nsensor_port = 2005\ninterfaces = [\"eth0\", \"cali*\"]\nnetworks = [\"10.1.0.0/16\", \"2001:db8::/64\"]\n" + source)
	for _, args := range [][]string{{"init"}, {"apply", "-auto-approve"}} {
		if out, err := runTerraform(t, root, "", append(args, "-no-color")...); err != nil {
			t.Fatalf("terraform %v: %v\n%s", args, err, out)
		}
	}
	out, err := runTerraform(t, root, "", "output", "-raw", "script")
	const want = "rpcapd setup '--sensor' '[2001:db8::5]:2005' '--interface' 'eth0' '--interface' 'cali*' '--cidr' '10.1.0.0/16' '--cidr' '2001:db8::/64' ||"
	if err != nil || !strings.Contains(out, want) {
		t.Errorf("%v: no %q in\n%s", err, want, out)
	}
	for _, c := range []struct{ text, want string }{
		{"sensor = \"a b\"\n" + source, "must be a host name"},
		{"sensor = \"x'; reboot; '\"\n" + source, "must be a host name"},
		{"sensor = \"s\"\nsensor_port = 70000\n" + source, "from 1 to 65535"},
		{"sensor = \"s\"\ninterfaces = [\"eth0' -x\"]\n" + source, "An interface is"},
		{"sensor = \"s\"\nnetworks = [\"10.1.0.0\"]\n" + source, "A network is"},
		{"sensor = \"s\"\n", "Give either repository or packages"},
		{"sensor = \"s\"\nrepository = { url = \"https://x/y/\", key = " + goodKey + " }\n", "does not end with a slash"},
		{"sensor = \"s\"\nrepository = { url = \"https://x/y\", key = \"\" }\n", "The key is the text"},
		{"sensor = \"s\"\npackages = { x86_64 = { url = \"https://x/y.deb\", sha256 = \"1\" } }\n", "has 64 digits"},
		{"sensor = \"s\"\npackages = { x86_64 = { url = \"https://x/$(reboot).deb\", sha256 = \"" + sum + "\" } }\n", "ends with .deb"},
		{"sensor = \"s\"\n" + source + "packages = { x86_64 = { url = \"https://x/y.deb\", sha256 = \"" + sum + "\" } }\n", "and not both"},
	} {
		write(c.text)
		out, err := runTerraform(t, root, "", "plan", "-no-color")
		if err == nil || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " "), c.want) {
			t.Errorf("%s: %v, and no %q in\n%s", c.text, err, c.want, out)
		}
	}
}

// TestCloudTerraformClouds: the modules for clouds need their providers for a plan, but what they say of networks is checked
// without.
func TestCloudTerraformClouds(t *testing.T) {
	full(t)
	dir := modules(t)
	for i, c := range []struct{ cidrs, want string }{
		{`["10.0.0.0/8", "2001:db8::/32"]`, ""}, {`["0.0.0.0/0"]`, "larger than /8"}, {`["::/0"]`, "larger than /8"}, {`["10.1.0.1"]`, "with its length"}, {`[]`, "at least one network"},
	} {
		// The variables alone are a module without a provider, the same in all three.
		for _, cloud := range []string{"aws", "azure", "google"} {
			root := filepath.Join(dir, fmt.Sprintf("%s-%d", cloud, i))
			if err := os.MkdirAll(root, 0o755); err != nil {
				t.Fatal(err)
			}
			common, _, _ := strings.Cut(cloudText(t, filepath.Join(dir, cloud, "variables.tf")), "variable \"sensor_port\"")
			_, rule, _ := strings.Cut(cloudText(t, filepath.Join(dir, cloud, "variables.tf")), "variable \"agent_cidrs\"")
			rule, _, _ = strings.Cut(rule, "\nvariable ")
			if err := os.WriteFile(filepath.Join(root, "main.tf"), []byte(common+"variable \"agent_cidrs\""+rule), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := runTerraform(t, root, "", "init", "-no-color"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			out, err := runTerraform(t, root, "", "plan", "-no-color", "-var", "agent_cidrs="+c.cidrs)
			if (err == nil) != (c.want == "") || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " "), c.want) {
				t.Errorf("%s, agent_cidrs = %s: %v\n%s", cloud, c.cidrs, err, out)
			}
		}
	}
}
