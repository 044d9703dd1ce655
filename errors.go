package convo

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// The reasons why a command is refused. They come wrapped in a *StateError, which names the
// conversations it is about; match them with errors.Is. ErrOutOfOrder looks at the conversation
// that the command is addressed to, not at later ones of the contact.
var (
	ErrNotFound = errors.New(
		"not found: check the id, or open a conversation first to make the contact known")
	ErrNotActive = errors.New("no active conversation: open or reopen it first")
	ErrClosed    = errors.New(
		"the conversation is closed and takes no messages: reopen it first")
	ErrNotClosed    = errors.New("the conversation is not closed: close it first")
	ErrActiveExists = errors.New("another conversation of the contact is active in the lane: " +
		"use that one or close it first")
	ErrBlocked    = errors.New("the contact is blocked: unblock it first")
	ErrOutOfOrder = errors.New("the given time is before the conversation's last event: " +
		"give commands in order of time, or, except in an import, leave it zero for now")
	ErrMerged       = errors.New("the contact was merged into another one already")
	ErrErased       = errors.New("the contact was erased: nothing is written of it any more")
	ErrAddressTaken = errors.New(
		"the address belongs to another contact: merge the two, or address only one")
	ErrTooManyActive = errors.New("more active conversations than one commit changes: " +
		"close some first, or raise WithMaxMerged")
)

// The errors of bad input, of a store, and of carrying commands to it.
var (
	// ErrInvalid is what every *ValidationError is, for errors.Is.
	ErrInvalid = errors.New("invalid input")
	// ErrConflict: something else changed the same contact or conversation meanwhile; nothing was
	// written. The engine retries it within its bound.
	ErrConflict = errors.New("changed by another call meanwhile: try again")
	// ErrDuplicate: a store answers it to a change whose key it knows; nothing was written. The
	// engine turns it into the first result, marked OutcomeDuplicate.
	ErrDuplicate = errors.New("applied before")
	// ErrKeyReused: the idempotency key was used for another request; nothing was written.
	ErrKeyReused = errors.New("the idempotency key was used for another request: take a new key")
	// ErrTransactionLost: the database ended the host's transaction, with all that was in it, or
	// takes no more in it but its rollback. Going on without this call is not possible: roll it
	// back and begin it again.
	ErrTransactionLost = errors.New("the database ended the transaction, and all that was " +
		"written in it is undone: roll it back and begin it again")
	// ErrCommitUnknown: whether the change was written cannot be told. Repeat the call with the
	// same idempotency key.
	ErrCommitUnknown = errors.New("whether the change was committed is unknown: " +
		"repeat it with the same idempotency key")
)

// codes names the errors for programs. An error that is several of them has the first name.
var codes = [...]struct {
	err  error
	code string
}{
	{ErrInvalid, "invalid"},
	{ErrTransactionLost, "transaction_lost"},
	{ErrNotActive, "not_active"},
	{ErrClosed, "closed"},
	{ErrNotClosed, "not_closed"},
	{ErrActiveExists, "active_exists"},
	{ErrBlocked, "blocked"},
	{ErrOutOfOrder, "out_of_order"},
	{ErrMerged, "merged"},
	{ErrErased, "erased"},
	{ErrAddressTaken, "address_taken"},
	{ErrTooManyActive, "too_many_active"},
	{ErrNotFound, "not_found"},
	{ErrCommitUnknown, "commit_unknown"},
	{ErrConflict, "conflict"},
	{ErrDuplicate, "duplicate"},
	{ErrKeyReused, "key_reused"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "deadline_exceeded"},
}

// Code is a short stable name for what err is, for metrics and for answers to clients, one for each
// error of this package and for the two of contexts: invalid, transaction_lost, not_active, closed,
// not_closed, active_exists, blocked, out_of_order, merged, erased, address_taken,
// too_many_active, not_found, commit_unknown, conflict, duplicate, key_reused, canceled,
// deadline_exceeded. It is ""
// for nil, and "other" for anything else, such as an error of a driver.
func Code(err error) string {
	if err == nil {
		return ""
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return "other"
}

// ValidationError is bad input: nothing was written.
type ValidationError struct {
	Field string // the field, as it is called in JSON
	Rule  string // what it must be
}

func (e *ValidationError) Error() string { return "convo: " + e.Field + ": " + e.Rule }

// Unwrap is ErrInvalid.
func (e *ValidationError) Unwrap() error { return ErrInvalid }

// MarshalJSON implements json.Marshaler: the code, the message, the field and the rule.
func (e *ValidationError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field"`
		Rule    string `json:"rule"`
	}{Code(e), e.Error(), e.Field, e.Rule})
}

func invalid(field, rule string) error { return &ValidationError{Field: field, Rule: rule} }

// within is err, about a field of a field.
func within(field string, err error) error {
	var v *ValidationError
	if errors.As(err, &v) {
		return invalid(field+"."+v.Field, v.Rule)
	}
	return err
}

// StateError says why a command cannot be done in the state that its snapshot is in: nothing was
// written. Err is the reason, for errors.Is.
type StateError struct {
	Err     error
	Command CommandName
	Contact string
	// Conversation is the one that the command was about; nil when there is none.
	Conversation uuid.UUID
	// Active is the contact's active conversation when it is another one, else nil.
	Active uuid.UUID
	// Closing is the closing that stands, when a Close found the conversation closed.
	Closing *Closing
	// Unknown says that the contact is not known at all; then errors.Is(err, ErrNotFound) holds
	// too.
	Unknown bool
}

func (e *StateError) Error() string {
	var b strings.Builder
	b.WriteString("convo")
	if e.Command != "" {
		b.WriteString(": " + string(e.Command))
	}
	if e.Contact != "" {
		b.WriteString(": contact " + e.Contact)
	}
	if e.Conversation != uuid.Nil {
		b.WriteString(": conversation " + e.Conversation.String())
	}
	b.WriteString(": " + e.Err.Error())
	if e.Unknown && !errors.Is(e.Err, ErrNotFound) {
		b.WriteString(" (the contact is not known)")
	}
	if e.Closing != nil {
		b.WriteString(" (closed " + e.Closing.At.Format("2006-01-02T15:04:05Z07:00") +
			" by " + string(e.Closing.By.Type) + ")")
	}
	if e.Active != uuid.Nil {
		b.WriteString(" (active: " + e.Active.String() + ")")
	}
	return b.String()
}

// Unwrap gives the reasons.
func (e *StateError) Unwrap() []error {
	if e.Unknown {
		return []error{e.Err, ErrNotFound}
	}
	return []error{e.Err}
}

// MarshalJSON implements json.Marshaler: the code, the message, and what the error is about.
func (e *StateError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code         string      `json:"code"`
		Message      string      `json:"message"`
		Command      CommandName `json:"command,omitempty"`
		Contact      string      `json:"contact,omitempty"`
		Conversation uuid.UUID   `json:"conversation,omitzero"`
		Active       uuid.UUID   `json:"active,omitzero"`
		Closing      *Closing    `json:"closing,omitempty"`
		Unknown      bool        `json:"unknown,omitempty"`
	}{Code(e), e.Error(), e.Command, e.Contact, e.Conversation, e.Active, e.Closing, e.Unknown})
}
