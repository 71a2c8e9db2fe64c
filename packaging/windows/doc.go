// Package windows makes what Windows hosts install: the agent's msi, and zips of both programs.
//
//	rpcapd.exe ──go-winres──► icon, version, manifest ──osslsigncode──┬─► zip (with install-rpcapd.ps1)
//	           └─buildinfo──► SBOM (CycloneDX) ───────────────────────┤
//	rpcapd.wxs ──wixl──► msi ──msibuild: tables/*.idt──► times, codes ┴─► msi ──osslsigncode
//
// wixl lays out files, components and folders. Everything that decides how the installation goes is in tables/*.idt, in
// the format that "msiinfo export" prints, since wixl has no words for most of it, and its versions differ in the others.
// What is left to chance in an msi, the package code and two times, is set, so that the same input gives the same bytes.
//
// It runs on any system that has wixl and msibuild (Debian: wixl, msitools), and osslsigncode to sign. It needs neither
// root nor Windows.
package windows
