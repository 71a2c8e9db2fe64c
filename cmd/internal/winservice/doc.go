// Package winservice installs, sets up, controls and hosts a service of Windows.
//
// # Rights
//
// The service runs as LocalService as a rule, with its own security identifier, NT SERVICE\NAME, in its token, and with no
// privilege but that to pass through folders. Its folder below ProgramData belongs to the administrators. Nobody else can
// enter it but the service, which can only read there, since the ini may hold the hash of a password; in the folder of the
// status files it can also write.
//
//	%ProgramData%\NAME            SYSTEM, Administrators: all    NT SERVICE\NAME: read
//	%ProgramData%\NAME\status     SYSTEM, Administrators: all    NT SERVICE\NAME: change
//
// Any user can make a folder below ProgramData before the service is installed, and would stay its owner. Such a folder is
// refused, and so is a link.
//
// # Life
//
// Automatic start, delayed, after the service of the capture driver if there is one. If it ends by itself, in whatever way,
// Windows starts it again after 1 s, 5 s, and then each 30 s. At shutdown it is asked to end before other services are
// (preshutdown), so that it can send what it has.
package winservice
