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
		assert.Equal(t, command, commandOf(m, activity), activity)
	}
}

func TestAMappingIsReadStrictly(t *testing.T) {
	const columns = `"columns": {"case": "c", "activity": "a", "time": "t"}, "time_layouts": ["2006"]`
	_, err := parseMapping([]byte("{" + columns + "}"))
	require.NoError(t, err, "no resource, no activities")

	for mapping, problem := range map[string]string{
		``:                              "EOF",
		`[]`:                            "cannot unmarshal array",
		`{` + columns + `} x`:           "something follows",
		`{` + columns + `} {}`:          "something follows",
		`{"columns": {"cas": ""}}`:      `unknown field "cas"`,
		`{"acts": {}, ` + columns + `}`: `unknown field "acts"`,
		`{"activities": {"Closed": "clos"}, ` + columns + `}`:                   `activities: "Closed": "clos" is not one of ["open" "close" `,
		`{"activities": {"Closed": "block"}, ` + columns + `}`:                  `"block" is not one of`,
		`{"activities": {"Closed": ""}, ` + columns + `}`:                       `"" is not one of`,
		`{"time_layouts": ["2006"]}`:                                            "columns: name those of case, activity and time",
		`{"columns": {"case": "c", "activity": "a", "time": "t"}}`:              "time_layouts: name at least one",
		`{` + columns + `, "time_layouts": ["2006", ""]}`:                       "and no empty one",
		`{"columns": {"case": "c", "activity": "a"}, "time_layouts": ["2006"]}`: "columns:",
	} {
		_, err := parseMapping([]byte(mapping))
		assert.ErrorContains(t, err, problem, mapping)
	}
}

func commandOf(m *Mapping, activity string) convo.CommandName {
	c, _ := m.command(activity)
	return c
}
