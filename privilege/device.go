package privilege

import "io/fs"

// owned is who may open a device: its mode, owner and group.
type owned struct {
	mode     fs.FileMode
	uid, gid int
}

// readable says whether a user who is not root, with these groups, may open the device for reading. As the kernel does, it looks
// at the first of owner, group and others that the user is.
func (o owned) readable(uid int, gids []int) bool {
	if uid == o.uid {
		return o.mode&0o400 != 0
	}
	for _, g := range gids {
		if g == o.gid {
			return o.mode&0o040 != 0
		}
	}
	return o.mode&0o004 != 0
}
