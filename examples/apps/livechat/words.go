package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/chatlifecycle/convo"
)

// refusal is an answer that says no, and why.
type refusal struct {
	status     int
	code, text string
}

func (r refusal) Error() string { return r.text }

var (
	errNoPage         = refusal{http.StatusNotFound, "not_found", "There is nothing here."}
	errBlockedVisitor = refusal{http.StatusForbidden, "blocked",
		"This chat takes no messages from you."}
)

// unfit refuses what a field holds.
func unfit(text string) refusal {
	return refusal{http.StatusUnprocessableEntity, "invalid", text}
}

// stateWords say to people what the errors of a state say to programmers.
var stateWords = []struct {
	err  error
	text string
}{
	{convo.ErrNotActive, "The conversation is closed. Reopen it first."},
	{convo.ErrNotClosed, "The conversation is not closed."},
	{convo.ErrActiveExists, "This contact has another conversation in that topic, which is not " +
		"closed. Use that one, or close it first."},
	{convo.ErrMerged, "That contact was merged into another one already. Load the page again."},
	{convo.ErrTooManyActive, "That contact has too many open conversations. Close some first."},
	{convo.ErrAddressTaken, "That address belongs to another contact."},
	{convo.ErrOutOfOrder, "The time is before the last thing that happened here."},
}

// refuse says what err means to the client.
func refuse(err error) refusal {
	var no refusal
	var invalid *convo.ValidationError
	var state *convo.StateError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &invalid):
		return unfit(inWords(invalid))
	case errors.Is(err, convo.ErrKeyReused):
		return refusal{http.StatusConflict, "key_reused",
			"This was sent before, with another text. Load the page again."}
	case errors.Is(err, convo.ErrNotFound):
		return errNoPage
	case errors.Is(err, convo.ErrBlocked):
		return refusal{http.StatusForbidden, "blocked", "The contact is blocked. Unblock it first."}
	case errors.Is(err, convo.ErrClosed):
		return refusal{http.StatusConflict, "closed",
			"The conversation is closed. Restart it to write again."}
	case errors.As(err, &state):
		for _, w := range stateWords {
			if errors.Is(err, w.err) {
				return refusal{http.StatusConflict, "conflict", w.text}
			}
		}
		return refusal{http.StatusConflict, "conflict",
			"The conversation has changed meanwhile. Load the page again."}
	case errors.Is(err, convo.ErrConflict), errors.Is(err, convo.ErrCommitUnknown):
		return refusal{http.StatusServiceUnavailable, "again",
			"Somebody else was faster. Try again."}
	}
	return refusal{http.StatusInternalServerError, "internal", "Something went wrong here."}
}

// fieldWords are what the fields of commands are called on the pages.
var fieldWords = map[string]string{
	"body": "The message", "summary": "The summary", "category": "The category",
	"add": "The label", "remove": "The label", "priority": "The priority", "name": "The name",
	"contact": "The contact", "lane": "The topic", "assignee": "The agent", "reason": "The reason",
	"after.at": "The page", "key": "The request's key", "score": "The rating",
	"comment": "The comment",
}

// inWords is what is wrong with an input, as a sentence.
func inWords(e *convo.ValidationError) string {
	switch {
	case e.Field == "until":
		return "Choose a time that is still to come."
	case e.Field == "body" && strings.Contains(e.Rule, "needs"):
		return "Write something first."
	case e.Field == "category":
		return "Choose a category from the list."
	case e.Field == "summary" && strings.Contains(e.Rule, "required"):
		return "Write a summary first."
	case e.Field == "secondary":
		return "A contact cannot be merged with itself."
	case e.Field == "add" && strings.HasPrefix(e.Rule, "at most"):
		return "A conversation has up to 32 labels. Take one off first."
	case strings.Contains(e.Rule, "at most"):
		return fieldWord(e.Field) + " is too long."
	case strings.Contains(e.Rule, "UTF-8"), strings.Contains(e.Rule, "control character"),
		strings.Contains(e.Rule, "NUL"):
		return fieldWord(e.Field) + " has characters that cannot be kept. Write it anew."
	case strings.Contains(e.Rule, "empty"):
		return fieldWord(e.Field) + " must not be empty."
	}
	return fieldWord(e.Field) + " does not fit here. Choose or write another one."
}

func fieldWord(field string) string {
	if word := fieldWords[field]; word != "" {
		return word
	}
	return "What was sent"
}
