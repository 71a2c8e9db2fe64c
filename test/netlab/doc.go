// Package netlab makes network namespaces for tests and for the demo: hosts,
// cables between them, addresses, without touching the network of the machine and
// without any tool but the kernel.
//
// A program that calls Enter (a test binary through Main) is executed again inside
// new mount, process and network namespaces, and, when it is not run by root, a new
// user namespace in which it is. Everything it makes there ends with it, whatever way
// it ends: interfaces, mounts, programs that it left behind.
//
//	func TestMain(m *testing.M) { netlab.Main(m) }
//
//	func TestRootSomething(t *testing.T) {
//		lab := netlab.New(t)
//		a, b := lab.Namespace("a"), lab.Namespace("b")
//		lab.Veth(a, "eth0", b, "eth0")
//		a.AddAddr("eth0", "10.0.0.1/24")
//		cmd := a.Command("ping", "-c1", "10.0.0.2")
//	}
package netlab
