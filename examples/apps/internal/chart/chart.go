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
	textSize  = 12
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

// ink stands for the color of the page's text, so that a chart can be read in the dark too.
var (
	ink  = color.NRGBA{0x33, 0x33, 0x33, 0xff}
	pale = color.NRGBA{0x33, 0x33, 0x33, 0x30}
)

// once: charts may be drawn at once
func init() { plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"} }

func newPlot(x, y string, height float64) (*plot.Plot, *labels) {
	p, l := plot.New(), &labels{height: vg.Length(height)}
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = ink, ink
		axis.Label.TextStyle.Handler, axis.Tick.Label.Handler = l, l
		axis.Label.Padding, axis.Padding = 2, 0
	}
	return p, l
}

// Axes say what a chart is about.
type Axes struct {
	Title, X, Y string
	Apart       float64 // the least step of y
}

// Lines draws up to three lines over the buckets with these names, and sets their colors.
func Lines(a Axes, b report.Bucket, buckets []string, lines []Series) (template.HTML, error) {
	p, texts := newPlot(a.X, a.Y, height)
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
	p.X.Tick.Marker, p.Y.Tick.Marker = someOf(b, buckets), numbers(a.Apart, 6)
	return svg(p, texts, a.Title)
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
	p, texts := newPlot(x, y, max(barHeight*float64(n), float64(wide(y)))+60)
	upwards, labels := make(plotter.Values, n), plotter.XYLabels{XYs: make(plotter.XYs, n),
		Labels: make([]string, n)}
	ticks := make([]plot.Tick, n)
	most, namesWidth := 0., vg.Length(0)
	for i, v := range values {
		at := n - 1 - i
		upwards[at] = v
		labels.XYs[at] = plotter.XY{X: v, Y: float64(at)}
		labels.Labels[at] = Number(v)
		ticks[at] = plot.Tick{Value: float64(at), Label: short(names[i])}
		most, namesWidth = max(most, v), max(namesWidth, wide(ticks[at].Label))
	}
	bars, err := plotter.NewBarChart(upwards, barHeight*0.6)
	if err != nil {
		return "", err
	}
	bars.Horizontal, bars.Color, bars.Width = true, palette[0].color, barHeight*0.6
	bars.LineStyle.Width = 0
	beside, err := plotter.NewLabels(labels)
	if err != nil {
		return "", err
	}
	for i := range beside.TextStyle {
		beside.TextStyle[i].Handler, beside.TextStyle[i].YAlign = texts, draw.YCenter
	}
	beside.Offset = vg.Point{X: 4, Y: descent} // a text is centered so far below its point
	p.Add(bars, beside)
	p.X.Min, p.X.Max = 0, max(most, 1)*1.15 // with room for the numbers
	p.Y.Min, p.Y.Max = -0.6, float64(n)-0.4
	number := wide(Number(most))
	room := math.Floor(float64((width - namesWidth - number - 50) / (number + between)))
	p.X.Tick.Marker, p.Y.Tick.Marker = numbers(1, max(1, min(6, room))), plot.ConstantTicks(ticks)
	p.Y.Tick.Width = 0
	return svg(p, texts, title)
}

const (
	longest = 140 // a name beside a bar
	between = 14  // from one label of an axis to the next
)

func short(name string) string {
	letters := []rune(name)
	if wide(name) <= longest {
		return name
	}
	for wide(string(letters)+"…") > longest {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
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
	longest := vg.Length(0)
	for _, n := range names {
		longest = max(longest, wide(n))
	}
	room := max(1, int((width-60)/(longest+between)))
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

// numbers are round ones, which are so far apart at least, and so many steps at most.
func numbers(apart, steps float64) plot.TickerFunc {
	return func(least, most float64) []plot.Tick {
		unit := math.Pow(10, math.Floor(math.Log10((most-least)/5)))
		step := unit
		for _, f := range []float64{1, 2, 5, 10, 20, 50} {
			if step = max(apart, f*unit); math.Floor((most-least)/step) <= steps {
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
func svg(p *plot.Plot, l *labels, title string) (template.HTML, error) {
	canvas := vgsvg.New(width, l.height)
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
	drawing = styles.ReplaceAllStringFunc(drawing, func(style string) string {
		var attributes []string
		for property := range strings.SplitSeq(styles.FindStringSubmatch(style)[1], ";") {
			name, value, _ := strings.Cut(property, ":")
			attributes = append(attributes, name+`="`+value+`"`)
		}
		return strings.Join(attributes, " ")
	})
	drawing = strings.ReplaceAll(drawing, "#333333", "currentColor")
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %.5g" role="img" aria-label="%s">`+
		`<g fill="currentColor" font-size="%dpx">%s</g>%s`, width, l.height,
		template.HTMLEscapeString(title), textSize, l.svg.String(), drawing)), nil
}
