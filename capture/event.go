package capture

import "fmt"

// EventKind is what happened to a captured interface.
type EventKind uint8

// The capture goes on through all of these.
const (
	InterfaceDown    EventKind = iota + 1 // set down; frames come again when it is up
	InterfaceUp                           // up again
	InterfaceDeleted                      // removed, or moved to another network namespace
	InterfaceBack                         // one of the same name and link type exists and is captured
)

func (k EventKind) String() string {
	switch k {
	case InterfaceDown:
		return "interface down"
	case InterfaceUp:
		return "interface up"
	case InterfaceDeleted:
		return "interface deleted"
	case InterfaceBack:
		return "interface back"
	}
	return fmt.Sprintf("event %d", uint8(k))
}

// Event tells what happened to the interface of a source.
type Event struct {
	Kind      EventKind
	Interface string
	Down      bool  // InterfaceBack: the new one is not up yet
	Err       error // what could not be restored (promiscuous mode), or nil
}
