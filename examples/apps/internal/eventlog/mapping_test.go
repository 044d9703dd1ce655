package eventlog

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestTheDefaultMappingIsOfTheHelpDesk(t *testing.T) {
	m, err := ReadMapping("")
	require.NoError(t, err)
	for activity, command := range map[string]convo.CommandName{
		"Insert ticket": convo.CommandOpen, "Take in charge ticket": convo.CommandAssign,
		"Wait":   convo.CommandSetPending,
		"Closed": convo.CommandClose, "closed": convo.CommandNote,
		"Resolve ticket": convo.CommandNote,
	} {
		assert.Equal(t, command, m.command(activity), activity)
	}
}

func TestAMappingIsReadStrictly(t *testing.T) {
	const columns = `"columns": {"case": "c", "activity": "a", "time": "t"}, ` +
		`"time_layouts": ["2006"]`
	_, err := parseMapping([]byte("{" + columns + "}"))
	require.NoError(t, err, "no resource, no activities")

	for mapping, problem := range map[string]string{
		``:                              "EOF",
		`[]`:                            "cannot unmarshal array",
		`{` + columns + `} x`:           "something follows",
		`{` + columns + `} {}`:          "something follows",
		`{"columns": {"cas": ""}}`:      `columns: ["cas"] are none of ["case" "contact"`,
		`{"acts": {}, ` + columns + `}`: `unknown field "acts"`,
		`{"activities": {"Closed": "clos"}, ` + columns + `}`:        `activities: "Closed": "clos" is not one of ["open" "close" `,
		`{"activities": {"Closed": "block"}, ` + columns + `}`:       `"block" is not one of`,
		`{"activities": {"Closed": ""}, ` + columns + `}`:            `"" is not one of`,
		`{"time_layouts": ["2006"]}`:                                 "columns: name that of the case",
		`{"columns": {"case": "c", "activity": "a", "time": "t"}}`:   "time_layouts: name at least one",
		`{` + columns + `, "delimiter": ";;"}`:                       "delimiter",
		`{` + columns + `, "delimiter": ""}`:                         "delimiter",
		`{` + columns + `, "delimiter": "\""}`:                       "delimiter",
		`{` + columns + `, "encoding": "ebcdic"}`:                    `encoding: "ebcdic"`,
		`{` + columns + `, "zone": "Rome"}`:                          "zone: unknown time zone Rome",
		`{` + columns + `, "others": "merge"}`:                       `others: "merge" is not one of`,
		`{"columns": {"case": "c"}}`:                                 "or that of opened",
		`{"columns": {"case": "c", "time": ""}}`:                     "time: must not be empty",
		`{"columns": {"case": "c", "activity": "a", "opened": "o"}}`: "the time of each activity",
		`{"columns": {"case": "c", "opened": "o"}, "activities": {"x": "close"}}`: "name that of " +
			"the activity",
		`{"columns": {"case": "c", "opened": "o", "external_id": "e"}}`:         "needs a channel",
		`{` + columns + `, "time_layouts": ["2006", ""]}`:                       "and no empty one",
		`{"columns": {"case": "c", "activity": "a"}, "time_layouts": ["2006"]}`: "columns:",
	} {
		_, err := parseMapping([]byte(mapping))
		assert.ErrorContains(t, err, problem, mapping)
	}
}
