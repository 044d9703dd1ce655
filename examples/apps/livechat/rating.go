package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// score is what a visitor can give a conversation.
type score struct {
	Value int
	Name  string
}

// scores are those of the policy, from 1 to 5.
var scores = []score{{1, "Very bad"}, {2, "Bad"}, {3, "All right"}, {4, "Good"}, {5, "Very good"}}

// ratingForm invites a visitor to rate a cycle of a conversation, or to change that.
type ratingForm struct {
	Conversation uuid.UUID
	Cycle        int
	Rating       convo.Rating
	Scores       []score
}

// ratingOf is the invitation to rate c. What an agent has merged into the visitor's, or moved to
// somebody else, is rated by the one whose it is.
func ratingOf(c *convo.Conversation, v visitor) *ratingForm {
	if c.Status != convo.StatusClosed || c.Origin != v.contact {
		return nil
	}
	return &ratingForm{c.ID, c.Cycle.Number, c.Cycle.Rating, scores}
}

// rating is what a visitor sends. It names the conversation and its cycle: by now, the visitor may
// be in another one.
type rating struct {
	keyed
	Conversation uuid.UUID `json:"conversation"`
	Cycle        int       `json:"cycle"`
	Score        int       `json:"score"`
	Comment      string    `json:"comment"`
}

func (s *server) rate(w http.ResponseWriter, r *http.Request, v visitor) error {
	in, err := read[rating](w, r)
	if err != nil {
		return err
	}
	if in.Conversation == uuid.Nil {
		return errNoPage
	}
	result, err := s.engine.DoFunc(r.Context(), convo.ToConversation(v.workspace, in.Conversation),
		in.scoped(v.contact), func(now convo.Snapshot) ([]convo.Command, error) {
			switch c := &now.Conversation; {
			case c.Origin != v.contact, in.Cycle < 1, in.Cycle > c.Cycle.Number:
				return nil, errNoPage
			case c.Status.Active() && in.Cycle == c.Cycle.Number:
				return nil, refusal{http.StatusConflict, "conflict",
					"The conversation goes on. Rate it when it is closed."}
			}
			return []convo.Command{convo.Rate{By: v.actor(), Cycle: in.Cycle, Score: in.Score,
				Comment: strings.TrimSpace(in.Comment)}}, nil
		})
	if errors.Is(err, convo.ErrBlocked) {
		return errBlockedVisitor
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]convo.Outcome{"outcome": result.Outcome})
}
