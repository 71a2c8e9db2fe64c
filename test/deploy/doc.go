// Package deploy tests what is in deploy/ and the container images.
//
//	short (make test)         files parse; manifests, and what helm and kustomize made of them, say the same where it counts
//	TEST_DEPLOY=1             the same rendered anew and validated by helm, kustomize and kubectl-validate, and the images run by
//	(make test-deploy, root)  podman with and without the capability, agent and sensor in namespaces, every frame counted;
//	                          Terraform modules formatted and rendered (user data and Ansible run in test/packages)
//
// helm, kustomize, kubectl-validate, terraform and crane are built once into ${XDG_CACHE_HOME:-~/.cache}/rpcapd-test/tools. With TEST_DEPLOY=1 a
// tool that cannot be had is a failure that names it. `go test ./test/deploy -update` with TEST_DEPLOY=1 writes the golden renderings.
package deploy
