package dialect

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// What a snapshot or an event is read out of as one text is what its columns hold, also where the
// row before had something else there, and what no column holds is refused.
func TestATextIsReadAsItsColumnIs(t *testing.T) {
	someID := uuid.New()
	fields := map[string][]Field{
		"ann":                    {new(Text), new(KeyText), new(FreeText), new(PlainText), new(JSON)},
		`"two\nlines"`:           {new(Quoted)},
		"-9007199254740993":      {new(Int), new(Count), new(Micros)},
		"3":                      {new(Rank), new(Flag)},
		"0":                      {new(Flag), new(Rank)},
		someID.String():          {new(ID)},
		"message_received":       {new(EventKind)},
		string(convo.StatusOpen): {new(Text)},
	}
	for text, all := range fields {
		for _, f := range all {
			read := func(text string) any {
				require.NoError(t, OneColumn{f}.Scan(text))
				return f.arg(&SQLite, false)
			}
			scanned := func(v any) any {
				require.NoError(t, f.Scan(v))
				return f.arg(&SQLite, false)
			}
			empty := scanned(nil)
			require.Equal(t, scanned(text), read(text), "%T", f)
			require.Equal(t, empty, read(""), "%T", f)
		}
	}
	for _, f := range []Field{
		new(Int), new(Count), new(Rank), new(Flag), new(Micros), new(ID), new(Quoted),
	} {
		require.Error(t, OneColumn{f}.Scan("no number"), "%T", f)
	}
}
