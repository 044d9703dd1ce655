// Package chart draws answers of reports as SVG for web pages, and writes their numbers for people.
package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/chatlifecycle/convo/report"
)

// Sizes are in units of a picture that is scaled to the width of a phone, or of half a screen.
const (
	width     = 370
	height    = 250
	barHeight = 22
	textSize  = 11
)

// Series is a line of a chart: its values by bucket, NaN where there is none.
type Series struct {
	Name   string
	Values []float64
	Color  template.CSS // for a legend; Lines sets it
	color  color.Color
	dashes []vg.Length
}

// palette is Okabe and Ito's, which color-blind people can tell apart; the dashes are for black and
// white.
var palette = []Series{
	{Color: "#0072b2", color: color.RGBA{0x00, 0x72, 0xb2, 0xff}},
	{Color: "#d55e00", color: color.RGBA{0xd5, 0x5e, 0x00, 0xff}, dashes: []vg.Length{5, 2}},
	{Color: "#009e73", color: color.RGBA{0x00, 0x9e, 0x73, 0xff}, dashes: []vg.Length{1.5, 1.5}},
}

var (
	ink  = color.RGBA{0x33, 0x33, 0x33, 0xff}
	pale = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

// once: charts may be drawn at once
func init() { plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"} }

func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = ink, ink
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = textSize, textSize
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		axis.Label.Padding, axis.Padding = 5, 0
	}
	return p
}

// Axes say what a chart is about.
type Axes struct {
	Title, X, Y string
	Apart       float64 // the least step of y
}

// Lines draws up to three lines over the buckets with these names, and sets their colors.
func Lines(a Axes, b report.Bucket, buckets []string, lines []Series) (template.HTML, error) {
	p := newPlot(a.X, a.Y)
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, pale
	p.Add(grid)
	most, thick := 0., vg.Length(1.5)
	if len(buckets) > 100 {
		thick /= 2
	}
	for i := range lines {
		l := &lines[i]
		l.Color, l.color, l.dashes = palette[i].Color, palette[i].color, palette[i].dashes
		for _, segment := range segments(l.Values) {
			line, points, err := plotter.NewLinePoints(segment)
			if err != nil {
				return "", err
			}
			line.Color, line.Width, line.Dashes = l.color, thick, l.dashes
			// also for what stands alone
			points.Color, points.Shape, points.Radius = l.color, draw.CircleGlyph{}, thick
			p.Add(line, points)
		}
		for _, v := range l.Values {
			if v > most { // NaN is not
				most = v
			}
		}
	}
	p.X.Min, p.X.Max = -0.5, float64(len(buckets))-0.5
	p.Y.Min, p.Y.Max = 0, most*1.05
	if most == 0 {
		p.Y.Max = 1
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = someOf(b, buckets), numbers(a.Apart)
	return svg(p, a.Title, height)
}

// segments are the runs of values without a gap.
func segments(values []float64) (all []plotter.XYs) {
	var run plotter.XYs
	for i, v := range values {
		if math.IsNaN(v) {
			if len(run) > 0 {
				all, run = append(all, run), nil
			}
			continue
		}
		run = append(run, plotter.XY{X: float64(i), Y: v})
	}
	if len(run) > 0 {
		all = append(all, run)
	}
	return all
}

// Bars draws a bar for each name, from top to bottom, with its number.
func Bars(title, x, y string, names []string, values []float64) (template.HTML, error) {
	n := len(names)
	p := newPlot(x, y)
	upwards, labels := make(plotter.Values, n), plotter.XYLabels{XYs: make(plotter.XYs, n),
		Labels: make([]string, n)}
	ticks := make([]plot.Tick, n)
	most := 0.
	for i, v := range values {
		at := n - 1 - i
		upwards[at] = v
		labels.XYs[at] = plotter.XY{X: v, Y: float64(at)}
		labels.Labels[at] = Number(v)
		ticks[at] = plot.Tick{Value: float64(at), Label: short(names[i])}
		most = max(most, v)
	}
	bars, err := plotter.NewBarChart(upwards, barHeight*0.6)
	if err != nil {
		return "", err
	}
	bars.Horizontal, bars.Color, bars.Width = true, palette[0].color, barHeight*0.6
	bars.LineStyle.Width = 0
	texts, err := plotter.NewLabels(labels)
	if err != nil {
		return "", err
	}
	for i := range texts.TextStyle {
		t := &texts.TextStyle[i]
		t.Font, t.Color, t.YAlign = font.From(plot.DefaultFont, textSize), ink, draw.YCenter
	}
	texts.Offset = vg.Point{X: 3, Y: 1}
	p.Add(bars, texts)
	p.X.Min, p.X.Max = 0, max(most, 1)*1.15 // with room for the numbers
	p.Y.Min, p.Y.Max = -0.6, float64(n)-0.4
	p.X.Tick.Marker, p.Y.Tick.Marker = numbers(1), plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.Tick.Width = 5, 0 // the names keep away from the bars
	return svg(p, title, float64(50+barHeight*n))
}

const longest = 18 // letters of a name beside a bar

func short(name string) string {
	if letters := []rune(name); len(letters) > longest {
		return string(letters[:longest-1]) + "…"
	}
	return name
}

// steps are how many buckets there may be from one name to the next, so that the names are easy to
// count on.
var steps = map[report.Bucket][]int{
	report.Hour: {1, 3, 6, 12, 24, 48, 168}, report.Day: {1, 2, 7, 14, 28, 91, 182,
		365}, report.Week: {1, 2, 4, 13, 26, 52},
	report.Month: {1, 2, 3, 6, 12, 24, 48}, report.Quarter: {1, 2, 4, 8, 20}, report.Year: {1, 2,
		5},
}

// someOf names as many buckets as there is room for.
func someOf(b report.Bucket, names []string) plot.ConstantTicks {
	longest := 1
	for _, n := range names {
		longest = max(longest, len([]rune(n)))
	}
	room := max(1, int((width-60)/(float64(longest)*textSize*0.6+14)))
	step := (len(names) + room - 1) / room
	for _, round := range steps[b] {
		if round >= step {
			step = round
			break
		}
	}
	var ticks plot.ConstantTicks
	for i := 0; i < len(names); i += step {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: names[i]})
	}
	return ticks
}

// numbers are at most seven round ones, which are so far apart at least.
func numbers(apart float64) plot.TickerFunc {
	return func(least, most float64) []plot.Tick {
		unit := math.Pow(10, math.Floor(math.Log10((most-least)/5)))
		step := unit
		for _, f := range []float64{1, 2, 5, 10} {
			if step = max(apart, f*unit); (most-least)/step <= 6 {
				break
			}
		}
		var ticks []plot.Tick
		for i := math.Ceil(least / step); i*step <= most; i++ {
			ticks = append(ticks, plot.Tick{Value: i * step, Label: Number(i * step)})
		}
		return ticks
	}
}

var styles = regexp.MustCompile(`style="([^"]*)"`)

// svg draws p for a page: without a size of its own, with a name for who cannot see it, and without
// styles, which a page's content security policy may forbid.
func svg(p *plot.Plot, title string, height float64) (template.HTML, error) {
	canvas := vgsvg.New(width, vg.Length(height))
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	_, drawing, _ := strings.Cut(out.String(), "<svg")
	_, drawing, ok := strings.Cut(drawing, ">")
	if !ok {
		return "", fmt.Errorf("the chart library wrote no SVG")
	}
	open := fmt.Sprintf(`<svg viewBox="0 0 %d %g" role="img" aria-label="%s">`, width, height,
		template.HTMLEscapeString(title))
	drawing = styles.ReplaceAllStringFunc(drawing, func(style string) string {
		var attributes []string
		for property := range strings.SplitSeq(styles.FindStringSubmatch(style)[1], ";") {
			name, value, _ := strings.Cut(property, ":")
			attributes = append(attributes, name+`="`+value+`"`)
		}
		return strings.Join(attributes, " ")
	})
	return template.HTML(open + drawing), nil
}
