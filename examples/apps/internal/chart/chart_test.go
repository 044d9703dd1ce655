package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"

	"github.com/chatlifecycle/convo/report"
)

// Charts stand in pages whose security policy forbids styles, and are drawn for many requests at
// once.
func TestChartsAreWholeAndWithoutStyles(t *testing.T) {
	const evil = `<b style="color: red">`
	var draw sync.WaitGroup
	for range 4 {
		draw.Go(func() {
			lines := []Series{{Name: "a", Values: []float64{1, math.NaN(), 3}},
				{Name: "b", Values: []float64{0, 2, 1}}}
			over, err := Lines(Axes{Title: evil, X: "day", Y: evil, Apart: 1}, report.Day,
				[]string{"1 Mar", evil, "3 Mar"}, lines)
			assert.NoError(t, err)
			bars, err := Bars(evil, "cycles", evil, []string{"short", evil}, []float64{3, 0})
			assert.NoError(t, err)
			assert.NotEmpty(t, lines[1].Color)
			for _, svg := range []string{string(over), string(bars)} {
				assert.Contains(t, svg, `fill="`)
				assert.Contains(t, svg, `font-size="12px"`)
				d := xml.NewDecoder(strings.NewReader(svg))
				for {
					token, err := d.Token()
					if errors.Is(err, io.EOF) {
						break
					}
					if !assert.NoError(t, err) {
						return
					}
					element, _ := token.(xml.StartElement)
					assert.NotEqual(t, "b", element.Name.Local)
					for _, a := range element.Attr {
						assert.NotEqual(t, "style", a.Name.Local)
					}
				}
			}
		})
	}
	draw.Wait()
}

func TestAxesHaveRoundNumbersAndFewNames(t *testing.T) {
	for most, want := range map[float64]string{
		0.7: "0", 1: "0 1", 1.05: "0 1", 7: "0 2 4 6", 61: "0 10 20 30 40 50 60", 71: "0 20 40 60",
		262:  "0 50 100 150 200 250",
		4000: "0 1\u2009000 2\u2009000 3\u2009000 4\u2009000",
		2e6:  "0 500\u2009000 1\u2009000\u2009000 1\u2009500\u2009000 2\u2009000\u2009000",
	} {
		var got []string
		for _, tick := range numbers(1, 6)(0, most) {
			got = append(got, tick.Label)
		}
		assert.Equal(t, want, strings.Join(got, " "))
	}
	var months, hours []string
	for i := range 48 {
		months = append(months, time.Date(2010, time.January+time.Month(i), 1, 0, 0, 0, 0,
			time.UTC).Format("2006-01"))
	}
	for i := range 1000 {
		hours = append(hours, time.Date(2010, 1, 1, i, 0, 0, 0, time.UTC).Format("01-02 15:04"))
	}
	ticks := someOf(report.Month, months)
	require.Len(t, ticks, 4)
	assert.Equal(t, "2011-01", ticks[1].Label)
	assert.LessOrEqual(t, len(someOf(report.Hour, hours)), 4)
	assert.Empty(t, someOf(report.Day, nil))
}

func TestDurationsAreShortForPeople(t *testing.T) {
	for micros, want := range map[float64]string{
		0: "0s", 999: "0s", 1500: "1ms", 59.9e6: "59.9s", 60e6: "1m 0s", 3599e6: "59m 59s",
		3600e6: "1h 0m", 86400e6: "1d 0h",
	} {
		assert.Equal(t, want, Duration(micros))
	}
}

// In em, as in fonts that this machine may not have: of fixed pitch, DejaVu Serif, Noto Sans CJK.
func TestThereIsRoomForTextsInOtherFonts(t *testing.T) {
	for s, least := range map[string]float64{"iiii": 4 * 0.6, "mmmm": 4 * 0.94, "WWWW": 4 * 1.03,
		"張偉": 2, "ᄀ": 1, "1\u2009000": 5 * 0.6, "…": 1} {
		assert.GreaterOrEqual(t, float64(wide(s)), least*textSize, s)
	}
}

func TestALongNameIsCutToItsWidth(t *testing.T) {
	assert.Equal(t, "Ana Maria", short("Ana Maria"))
	assert.Equal(t, strings.Repeat("i", 18), short(strings.Repeat("i", 18)))
	for _, letter := range []string{"i", "W", "é", "偉"} {
		name := short(strings.Repeat(letter, 30))
		assert.LessOrEqual(t, wide(name), vg.Length(longest))
		assert.Greater(t, wide(name+letter), vg.Length(longest))
		assert.True(t, strings.HasSuffix(name, letter+"…"), name)
	}
}
