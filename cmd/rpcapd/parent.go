package main

import (
	"fmt"
	"os"
	"strconv"
)

// parentVariable names the file descriptor on which a process in the background
// tells the one that started it how the start went.
const parentVariable = "RPCAPD_PARENT_FD"

// readyWord is written once the agent runs; anything else is the reason why not.
const readyWord = "ready"

// parent is the process that waits for this one to start; nil in the foreground.
type parent struct{ pipe *os.File }

func openParent() *parent {
	fd, err := strconv.Atoi(os.Getenv(parentVariable))
	if err != nil || fd < 3 {
		return nil
	}
	_ = os.Unsetenv(parentVariable) // fails only for names that no system allows
	return &parent{pipe: os.NewFile(uintptr(fd), "parent")}
}

func (p *parent) ready() { p.tell(readyWord) }

func (p *parent) failed(err error) { p.tell(err.Error()) }

// tell speaks once. Nobody is there any more after that.
func (p *parent) tell(text string) {
	if p == nil || p.pipe == nil {
		return
	}
	fmt.Fprint(p.pipe, text)
	p.pipe.Close()
	p.pipe = nil
}
