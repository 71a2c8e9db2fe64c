package receive

// Nothing in the protocol says which source port an agent sends from, and any process at its address can send to the data port
// that STARTCAP named: another user of the host, another host behind the same NAT, whoever forges addresses. So each source
// port is a path that has to be validated (as in RFC 9000, section 9): by what its datagrams say, by the port that our own
// agent names in STARTCAP_REPLY (rpcap.FlagReportPort), and by STATS, which only the agent can answer.
//
// A stream has one active path in the state below. Each other port of the agent's address that sends readable datagrams is a
// candidate path, see candidate.go. What happens is an event of the stream; pathTable says what follows from it.

// pathState says how far the active path of a stream is validated.
type pathState uint8

const (
	// pathUnanswered: STARTCAP is not answered, so it is not known whether the agent names its port. There is no path.
	pathUnanswered pathState = iota
	// pathReserved: the agent has named its port, and no NAT lies between as far as is known. Only that port may begin.
	pathReserved
	// pathOpen: any port may begin.
	pathOpen
	// pathTentative: one datagram has come, not the beginning of a capture.
	pathTentative
	// pathOpened: one datagram has come, the beginning of a capture (number 0 with frame 1).
	pathOpened
	// pathDoubted: it has brought more frames than the agent has captured, and no candidate fits better yet.
	pathDoubted
	// pathAgreed: two datagrams agree. Datagrams of others cannot displace it.
	pathAgreed
	// pathValidated: STATS agree with it, or the port that the agent has named sends although there is a NAT.
	pathValidated
	// pathNamed: the port that the agent has named sends. Only STATS can show that it has moved.
	pathNamed

	pathStates
)

// settled reports whether no datagram of another port can displace the path.
func (st pathState) settled() bool { return st >= pathAgreed }

// begun reports whether there is an active path.
func (st pathState) begun() bool { return st >= pathTentative }

// pathEvent is what happens to a stream.
type pathEvent uint8

const (
	// Datagrams from a port that is not the stream's. A pair is two datagrams from one port, the second of which follows
	// the first by datagram and by frame number.

	eventNoise       pathEvent = iota // no frame of this stream can be read in it, and readable ones are held
	eventUnreadable                   // the same, and none are held
	eventSingle                       // one that could be the stream's
	eventOpening                      // the beginning of a capture
	eventPair                         // the second of a pair
	eventOpeningPair                  // the second of a pair whose first was the beginning of a capture
	eventContinues                    // goes on where the stream is
	eventFollows                      // a pair goes on there, and the active path is behind or silent; see followsSurely
	eventRefuted                      // from a port that STATS have refuted
	eventNamed                        // from the port that the agent has named
	eventNamedNAT                     // the same, but a NAT lies between, so that the port may be somebody else's

	// Of the stream itself.

	eventSecond // a second datagram of the active path agrees with its first
	eventHeld   // a candidate's single datagram has been held for maxWait
	eventEnd    // the stream ends, a candidate waits

	// Answers of the agent.

	eventUnnamed    // STARTCAP is answered without a port
	eventNames      // with a port
	eventNamesNAT   // with a port, and a NAT lies between
	eventStatsAgree // STATS agree with the active path, and with no candidate
	eventStatsAhead // the active path has more frames than the agent; no candidate agrees
	eventStatsOther // STATS contradict the active path, or there is none, and agree with a candidate
	eventStatsMoved // what the agent has captured has not come from the active path, and a candidate that agrees began then

	pathEvents
)

// pathEffect is what is done with the datagram, or with the candidate that the event is about.
type pathEffect uint8

const (
	effectNone     pathEffect = iota
	effectForeign             // count the datagram as foreign
	effectWatch               // the same, but remember the candidate: STATS may agree with it
	effectHold                // keep the datagram until more is known
	effectAsk                 // keep it, and have the agent asked for STATS soon
	effectReview              // judge the candidates anew: the state is another one now
	effectBegin               // the candidate becomes the first path
	effectRebind              // it becomes the active path; what the one before has brought is the agent's too (rebinding)
	effectDisplace            // it becomes the active path; what the one before has brought was not the agent's
)

// pathStep is what follows from an event.
type pathStep struct {
	next   pathState
	effect pathEffect
}

// pathTable says what follows from each event in each state. The attacks that it answers:
//
//   - Somebody sends before the agent does: one datagram yields to anything better (tentative, opened), two to STATS only
//     (agreed). Whatever STATS have put in its place never yields to datagrams again, so a sender that goes on gains nothing.
//   - Somebody sends in the name of an idle agent: more than the agent has captured is enough to yield to the first
//     datagrams of another port (doubted). STATS of an agent that counts nothing, always 0, do no harm by that alone.
//   - Somebody guesses the numbers of our own agent: the named port counts, others are held. Numbers can be guessed, but only
//     a real rebinding makes the named port silent while the agent captures: that is what STATS are asked for (named).
var pathTable = [pathStates][pathEvents]pathStep{
	pathUnanswered: {
		eventNoise:       {pathUnanswered, effectForeign},
		eventUnreadable:  {pathUnanswered, effectForeign},
		eventSingle:      {pathUnanswered, effectHold},
		eventOpening:     {pathUnanswered, effectHold},
		eventPair:        {pathUnanswered, effectHold},
		eventOpeningPair: {pathUnanswered, effectHold},
		eventContinues:   {pathUnanswered, effectWatch}, // what is not there cannot go on
		eventFollows:     {pathUnanswered, effectWatch},
		eventRefuted:     {pathUnanswered, effectWatch},
		eventNamed:       {pathUnanswered, effectForeign}, // not before the answer
		eventNamedNAT:    {pathUnanswered, effectForeign},
		eventSecond:      {pathUnanswered, effectNone},
		eventHeld:        {pathUnanswered, effectNone},
		eventEnd:         {pathUnanswered, effectNone},
		eventUnnamed:     {pathOpen, effectReview},
		eventNames:       {pathReserved, effectReview},
		eventNamesNAT:    {pathOpen, effectReview},
		eventStatsAgree:  {pathUnanswered, effectNone},
		eventStatsAhead:  {pathUnanswered, effectNone},
		eventStatsOther:  {pathUnanswered, effectNone},
		eventStatsMoved:  {pathUnanswered, effectNone},
	},
	pathReserved: {
		eventNoise:       {pathReserved, effectForeign},
		eventUnreadable:  {pathReserved, effectForeign},
		eventSingle:      {pathReserved, effectHold},
		eventOpening:     {pathReserved, effectHold},
		eventPair:        {pathReserved, effectAsk},
		eventOpeningPair: {pathReserved, effectAsk},
		eventContinues:   {pathReserved, effectWatch},
		eventFollows:     {pathReserved, effectWatch},
		eventRefuted:     {pathReserved, effectWatch},
		eventNamed:       {pathNamed, effectBegin},
		eventNamedNAT:    {pathValidated, effectBegin},
		eventSecond:      {pathReserved, effectNone},
		eventHeld:        {pathReserved, effectNone},
		eventEnd:         {pathReserved, effectNone},
		eventUnnamed:     {pathReserved, effectNone},
		eventNames:       {pathReserved, effectNone},
		eventNamesNAT:    {pathReserved, effectNone},
		eventStatsAgree:  {pathReserved, effectNone},
		eventStatsAhead:  {pathReserved, effectNone},
		eventStatsOther:  {pathAgreed, effectBegin}, // something between has changed the port after all
		eventStatsMoved:  {pathReserved, effectNone},
	},
	pathOpen: {
		eventNoise:       {pathOpen, effectForeign},
		eventUnreadable:  {pathTentative, effectBegin}, // nothing can be taken from it, and anything better displaces it
		eventSingle:      {pathOpen, effectHold},
		eventOpening:     {pathOpened, effectBegin},
		eventPair:        {pathTentative, effectBegin},
		eventOpeningPair: {pathOpened, effectBegin},
		eventContinues:   {pathOpen, effectWatch},
		eventFollows:     {pathOpen, effectWatch},
		eventRefuted:     {pathOpen, effectWatch},
		eventNamed:       {pathNamed, effectBegin},
		eventNamedNAT:    {pathValidated, effectBegin},
		eventSecond:      {pathOpen, effectNone},
		eventHeld:        {pathTentative, effectBegin}, // its first datagrams were lost
		eventEnd:         {pathTentative, effectBegin},
		eventUnnamed:     {pathOpen, effectNone},
		eventNames:       {pathOpen, effectNone},
		eventNamesNAT:    {pathOpen, effectNone},
		eventStatsAgree:  {pathOpen, effectNone},
		eventStatsAhead:  {pathOpen, effectNone},
		eventStatsOther:  {pathOpen, effectNone}, // it begins by itself soon
		eventStatsMoved:  {pathOpen, effectNone},
	},
	pathTentative: {
		eventNoise:       {pathTentative, effectForeign},
		eventUnreadable:  {pathTentative, effectForeign},
		eventSingle:      {pathTentative, effectHold},
		eventOpening:     {pathOpened, effectDisplace},
		eventPair:        {pathTentative, effectDisplace},
		eventOpeningPair: {pathOpened, effectDisplace},
		eventContinues:   {pathTentative, effectHold},
		eventFollows:     {pathAgreed, effectRebind},
		eventRefuted:     {pathTentative, effectWatch},
		eventNamed:       {pathNamed, effectDisplace},
		eventNamedNAT:    {pathValidated, effectDisplace},
		eventSecond:      {pathAgreed, effectNone},
		eventHeld:        {pathTentative, effectNone},
		eventEnd:         {pathAgreed, effectRebind},
		eventUnnamed:     {pathTentative, effectNone},
		eventNames:       {pathTentative, effectNone},
		eventNamesNAT:    {pathTentative, effectNone},
		eventStatsAgree:  {pathTentative, effectNone},
		eventStatsAhead:  {pathDoubted, effectNone},
		eventStatsOther:  {pathAgreed, effectDisplace},
		eventStatsMoved:  {pathAgreed, effectDisplace}, // nothing shows that the first was the agent's
	},
	pathOpened: {
		eventNoise:       {pathOpened, effectForeign},
		eventUnreadable:  {pathOpened, effectForeign},
		eventSingle:      {pathOpened, effectHold},
		eventOpening:     {pathOpened, effectHold},
		eventPair:        {pathOpened, effectHold},
		eventOpeningPair: {pathOpened, effectDisplace},
		eventContinues:   {pathOpened, effectHold},
		eventFollows:     {pathAgreed, effectRebind},
		eventRefuted:     {pathOpened, effectWatch},
		eventNamed:       {pathNamed, effectDisplace},
		eventNamedNAT:    {pathValidated, effectDisplace},
		eventSecond:      {pathAgreed, effectNone},
		eventHeld:        {pathOpened, effectNone},
		eventEnd:         {pathAgreed, effectRebind},
		eventUnnamed:     {pathOpened, effectNone},
		eventNames:       {pathOpened, effectNone},
		eventNamesNAT:    {pathOpened, effectNone},
		eventStatsAgree:  {pathOpened, effectNone},
		eventStatsAhead:  {pathDoubted, effectNone},
		eventStatsOther:  {pathAgreed, effectDisplace},
		eventStatsMoved:  {pathAgreed, effectDisplace},
	},
	pathDoubted: {
		eventNoise:       {pathDoubted, effectForeign},
		eventUnreadable:  {pathDoubted, effectForeign},
		eventSingle:      {pathDoubted, effectHold},
		eventOpening:     {pathOpened, effectDisplace},
		eventPair:        {pathTentative, effectDisplace},
		eventOpeningPair: {pathOpened, effectDisplace},
		eventContinues:   {pathDoubted, effectHold},
		eventFollows:     {pathDoubted, effectRebind},
		eventRefuted:     {pathDoubted, effectWatch},
		eventNamed:       {pathNamed, effectDisplace},
		eventNamedNAT:    {pathValidated, effectDisplace},
		eventSecond:      {pathDoubted, effectNone},
		eventHeld:        {pathTentative, effectDisplace},
		eventEnd:         {pathDoubted, effectRebind},
		eventUnnamed:     {pathDoubted, effectNone},
		eventNames:       {pathDoubted, effectNone},
		eventNamesNAT:    {pathDoubted, effectNone},
		eventStatsAgree:  {pathAgreed, effectNone},
		eventStatsAhead:  {pathDoubted, effectNone},
		eventStatsOther:  {pathAgreed, effectDisplace},
		eventStatsMoved:  {pathAgreed, effectDisplace},
	},
	pathAgreed: {
		eventNoise:       {pathAgreed, effectForeign},
		eventUnreadable:  {pathAgreed, effectForeign},
		eventSingle:      {pathAgreed, effectWatch},
		eventOpening:     {pathAgreed, effectWatch},
		eventPair:        {pathAgreed, effectWatch},
		eventOpeningPair: {pathAgreed, effectWatch},
		eventContinues:   {pathAgreed, effectHold},
		eventFollows:     {pathAgreed, effectRebind},
		eventRefuted:     {pathAgreed, effectWatch},
		eventNamed:       {pathNamed, effectDisplace},
		eventNamedNAT:    {pathValidated, effectDisplace},
		eventSecond:      {pathAgreed, effectNone},
		eventHeld:        {pathAgreed, effectNone},
		eventEnd:         {pathAgreed, effectRebind},
		eventUnnamed:     {pathAgreed, effectNone},
		eventNames:       {pathAgreed, effectNone},
		eventNamesNAT:    {pathAgreed, effectNone},
		eventStatsAgree:  {pathValidated, effectNone},
		eventStatsAhead:  {pathDoubted, effectNone},
		eventStatsOther:  {pathAgreed, effectDisplace},
		eventStatsMoved:  {pathAgreed, effectRebind},
	},
	pathValidated: {
		eventNoise:       {pathValidated, effectForeign},
		eventUnreadable:  {pathValidated, effectForeign},
		eventSingle:      {pathValidated, effectWatch},
		eventOpening:     {pathValidated, effectWatch},
		eventPair:        {pathValidated, effectWatch},
		eventOpeningPair: {pathValidated, effectWatch},
		eventContinues:   {pathValidated, effectHold},
		eventFollows:     {pathValidated, effectRebind},
		eventRefuted:     {pathValidated, effectWatch},
		eventNamed:       {pathNamed, effectDisplace},
		eventNamedNAT:    {pathValidated, effectForeign}, // the NAT has given that port to somebody else
		eventSecond:      {pathValidated, effectNone},
		eventHeld:        {pathValidated, effectNone},
		eventEnd:         {pathValidated, effectRebind},
		eventUnnamed:     {pathValidated, effectNone},
		eventNames:       {pathValidated, effectNone},
		eventNamesNAT:    {pathValidated, effectNone},
		eventStatsAgree:  {pathValidated, effectNone},
		eventStatsAhead:  {pathDoubted, effectNone},
		eventStatsOther:  {pathAgreed, effectDisplace},
		eventStatsMoved:  {pathAgreed, effectRebind},
	},
	pathNamed: {
		eventNoise:       {pathNamed, effectForeign},
		eventUnreadable:  {pathNamed, effectForeign},
		eventSingle:      {pathNamed, effectWatch},
		eventOpening:     {pathNamed, effectWatch},
		eventPair:        {pathNamed, effectWatch},
		eventOpeningPair: {pathNamed, effectWatch},
		eventContinues:   {pathNamed, effectAsk},
		eventFollows:     {pathNamed, effectAsk},
		eventRefuted:     {pathNamed, effectWatch},
		eventNamed:       {pathNamed, effectForeign},
		eventNamedNAT:    {pathNamed, effectForeign},
		eventSecond:      {pathNamed, effectNone},
		eventHeld:        {pathNamed, effectNone},
		eventEnd:         {pathNamed, effectNone},
		eventUnnamed:     {pathNamed, effectNone},
		eventNames:       {pathNamed, effectNone},
		eventNamesNAT:    {pathNamed, effectNone},
		eventStatsAgree:  {pathNamed, effectNone},
		eventStatsAhead:  {pathNamed, effectNone}, // nobody else can have that port
		eventStatsOther:  {pathNamed, effectNone},
		eventStatsMoved:  {pathNamed, effectRebind},
	},
}
