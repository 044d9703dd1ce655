package workflow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATemplateStopsWhenItsFieldIsFull(t *testing.T) {
	c, err := compile(strings.Repeat("{{.Contact.Attributes.big}}", 100), 10)
	require.NoError(t, err)
	b := bounded{limit: 10}
	d := Data{Contact: ContactData{Attributes: map[string]string{"big": "seven b"}}}
	require.ErrorIs(t, c.t.Execute(&b, d), errFull)
	require.Equal(t, "seven bsev", b.String())

	for limit, want := range map[int]string{0: "", 1: "", 2: "ä", 3: "ä", 4: "ää", 5: "ääb",
		6: "ääb"} {
		c, err := compile("{{.Contact.Name}}", limit)
		require.NoError(t, err)
		s, err := c.render(&Data{Contact: ContactData{Name: "ääb"}})
		require.NoError(t, err)
		require.Equal(t, want, s, limit)
	}
}
