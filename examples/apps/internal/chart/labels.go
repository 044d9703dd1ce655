package chart

import (
	"fmt"
	"html"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// labels are the texts of a picture. The library would place each by its width in a font that it
// has, and the reader's browser has another one. So each is anchored where it belongs, at its end,
// middle or beginning, and there is room around it for about any font.
type labels struct {
	text.Plain
	height vg.Length // of the picture, whose y grows upwards
	svg    strings.Builder
}

// ascent and descent are generous: those of common fonts are up to 1.08 and 0.3.
const (
	ascent  = 1.1 * textSize
	descent = 0.4 * textSize
)

// wide is what a text takes in a wide font. Letters of fixed-pitch fonts have 0.6 of the size, and
// those of other wide ones a quarter more than Liberation's, which is as wide as Arial. Chinese,
// Japanese and Korean letters are as wide as high.
func wide(s string) vg.Length {
	letters := vg.Length(0)
	for _, r := range s {
		letters++
		if r >= 0x1100 && (r < 0x2000 || r >= 0x2e80) {
			letters++
		}
	}
	face := font.DefaultCache.Lookup(plot.DefaultFont, textSize)
	return max(letters*0.62*textSize, face.Width(s)*1.25)
}

// Extents implements text.Handler.
func (*labels) Extents(font.Font) font.Extents {
	return font.Extents{Ascent: ascent, Descent: descent, Height: ascent + descent}
}

// Box implements text.Handler.
func (*labels) Box(s string, _ font.Font) (width, height, depth vg.Length) {
	return wide(s), ascent, descent
}

// Draw implements text.Handler.
func (l *labels) Draw(_ vg.Canvas, s string, style text.Style, at vg.Point) {
	anchor := map[text.XAlignment]string{text.XLeft: "start", text.XCenter: "middle",
		text.XRight: "end"}[style.XAlign]
	up := vg.Length(style.YAlign) * (ascent + descent)
	turn := ""
	x, y := at.X, l.height-at.Y-up
	if style.Rotation != 0 { // a quarter, to be read upwards
		x, y = at.X-up, l.height-at.Y
		turn = fmt.Sprintf(` transform="rotate(%g %.5g %.5g)"`, -style.Rotation*180/math.Pi, x, y)
	}
	fmt.Fprintf(&l.svg, `<text x="%.5g" y="%.5g" text-anchor="%s"%s>%s</text>`, x, y, anchor,
		turn, html.EscapeString(s))
}
