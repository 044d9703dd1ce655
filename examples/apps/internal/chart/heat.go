package chart

import (
	"html/template"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/chatlifecycle/convo/report"
)

// shades are how many there are in a heat map.
const shades = 20

// grid are the values of a heat map; its rows are from the bottom to the top.
type grid struct{ values *[7][24]float64 }

func (g grid) Dims() (columns, rows int) { return 24, 7 }
func (g grid) X(column int) float64      { return float64(column) }
func (g grid) Y(row int) float64         { return float64(row) }

// Z is NaN, which is not drawn, where there is nothing.
func (g grid) Z(column, row int) float64 {
	if v := g.values[6-row][column]; v > 0 {
		return v
	}
	return math.NaN()
}

// HeatMap draws what there is at each hour of each weekday: the more, the less one sees through it.
func HeatMap(title string, values *[7][24]float64) (template.HTML, error) {
	p, texts := newPlot("hour", "", height)
	most := 1.
	for _, day := range values {
		for _, v := range day {
			most = max(most, v)
		}
	}
	heat := plotter.NewHeatMap(grid{values}, seeThrough{})
	heat.Min, heat.Max = 0, most
	p.Add(heat)
	var hours, days plot.ConstantTicks
	for h := 0; h < 24; h += 3 {
		hours = append(hours, plot.Tick{Value: float64(h), Label: Number(float64(h))})
	}
	for d := report.Monday; d <= report.Sunday; d++ {
		days = append(days, plot.Tick{Value: float64(6 - d), Label: Weekday(d)})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker, p.Y.Tick.Width = hours, days, 0
	return svg(p, texts, title)
}

// seeThrough are shades of one color, which are seen on light and on dark.
type seeThrough struct{}

func (seeThrough) Colors() []color.Color {
	all := make([]color.Color, shades)
	for i := range all {
		all[i] = color.NRGBA{0x00, 0x72, 0xb2, uint8(0xff * (i + 1) / shades)}
	}
	return all
}

// Weekday is a short name.
func Weekday(d report.Weekday) string {
	return [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}[d]
}
