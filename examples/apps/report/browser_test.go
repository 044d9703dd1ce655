package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/examples/apps/internal/browser"
	"github.com/chatlifecycle/convo/examples/apps/internal/chart"
	"github.com/chatlifecycle/convo/report"
)

// hardPage has what is hard to find room for: names as long as they get, of letters wide and
// narrow, numbers of one figure and of many, dates up to the last.
func hardPage(t testing.TB) string {
	t.Helper()
	p := page{Title: "Conversations of " + strings.Repeat("w", 80), Period: "always", Zone: "UTC"}
	add := func(title string, lines []chart.Series, svg template.HTML, err error) {
		require.NoError(t, err)
		p.Charts = append(p.Charts, drawing{Title: title, Lines: lines, SVG: svg})
	}
	bars := func(title string, names []string, values ...float64) {
		svg, err := chart.Bars(title, "closings", "first_responder", names, values)
		add(title, nil, svg, err)
	}
	names := []string{"Value 10", "≤ 1m", "WWWWWWWWWWWWWWWWWWWW", "iiiiiiiiiiiiiiiiiiiiii",
		"ana.maria@example.com", strings.Repeat("張偉", 9), "Ωμέγα", "(none)"}
	bars("few", names, 1, 0, 2, 1, 3, 1, 1, 2)
	bars("many", names, 1_450_000, 0, 1, 99, 1_000, 999_999, 12_345, 7)
	bars("one", names[3:4], 1_234_567)
	bars("none", names[:1], 0)
	bars("within", chart.Bands(), 3, 9, 11, 12, 4, 0, 1, 0)
	for bucket, step := range map[report.Bucket]time.Duration{report.Hour: time.Hour,
		report.Day: 24 * time.Hour, report.Month: 31 * 24 * time.Hour} {
		for _, n := range []int{1, 4, 24, 28, 61, 700} {
			for _, most := range []float64{0, 1, 7, 1_234_567} {
				var dates []string
				lines := []chart.Series{{Name: strings.Repeat("w", 50)}}
				for i := range n {
					at := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * step)
					dates = append(dates, axisName(at, bucket))
					lines[0].Values = append(lines[0].Values, most/float64(i+1))
				}
				axes := chart.Axes{Title: fmt.Sprintf("%d of %s to %.0f", n, bucket, most),
					X: "day (America/Argentina/Buenos_Aires)", Y: "conversations", Apart: 1}
				svg, err := chart.Lines(axes, bucket, dates, lines)
				add(axes.Title, lines, svg, err)
			}
		}
	}
	var out bytes.Buffer
	require.NoError(t, pageTemplate.Execute(&out, p))
	return out.String()
}

// serve gives pages by the name of their path.
func serve(t testing.TB, pages map[string]string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(pages[r.URL.Path]))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func demoPage(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "demo.html")
	status, _, stderr := command(t, "", "--demo", "--bucket", "day", "--html", file)
	require.Zero(t, status, stderr)
	html, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(html)
}

// usesFont has the whole page in a font, and says how wide a text is in it.
const usesFont = `(font) => {
	document.getElementById("font")?.remove();
	const style = document.head.appendChild(document.createElement("style"));
	style.id = "font";
	style.textContent = 'html body, html body * { font-family: "' + font + '" !important }';
	const wide = document.body.appendChild(document.createElement("span"));
	wide.textContent = "Value 10 fits it";
	const width = wide.getBoundingClientRect().width;
	wide.remove();
	return width;
}`

// faults are the labels of charts that run into something or are cut off. Two beside each other
// need a gap, or they read as one.
const faults = `() => {
	const found = [];
	const page = document.documentElement;
	if (page.scrollWidth > innerWidth) found.push("the page scrolls sideways");
	const meet = (a, b, gap) => a.left - gap < b.right && b.left < a.right + gap &&
		a.top < b.bottom && b.top < a.bottom;
	for (const chart of document.querySelectorAll("figure svg")) {
		const say = (text) => found.push(chart.getAttribute("aria-label") + ": " + text);
		const frame = chart.getBoundingClientRect();
		const drawn = [...chart.querySelectorAll("path")].map((p) => p.getBoundingClientRect());
		const labels = [...chart.querySelectorAll("text")].filter((t) => t.textContent !== "")
			.map((t) => [t.textContent, t.getBoundingClientRect()]);
		if (labels.length < 2) say("it has no labels");
		labels.forEach(([text, at], i) => {
			if (at.left < frame.left || at.right > frame.right || at.top < frame.top ||
				at.bottom > frame.bottom || at.left < 0 || at.right > page.clientWidth)
				say(text + " is cut off");
			if (drawn.some((d) => meet(at, d, 0))) say(text + " runs into a line or a bar");
			for (const [other, there] of labels.slice(i + 1))
				if (meet(at, there, 3)) say(text + " and " + other + " run together");
		});
	}
	return found;
}`

func evaluate[T any](ctx context.Context, t testing.TB, function, arg string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s)(%q)", function, arg)))
	require.NoError(t, err)
	return v
}

// A reader has other fonts than the one that texts are measured in.
func TestNoLabelRunsIntoAnythingInAnyFontAtAnyWidth(t *testing.T) {
	pages := map[string]string{"/demo": demoPage(t), "/hard": hardPage(t)}
	url, tab := serve(t, pages), browser.Launch(t)
	for path := range pages {
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(url+path)))
		fonts := map[float64]bool{}
		for _, font := range []string{"DejaVu Sans", "DejaVu Sans Mono", "DejaVu Sans Condensed",
			"DejaVu Serif", "Liberation Sans", "Arial", "Verdana", "Courier New", "Noto Sans"} {
			width := evaluate[float64](tab, t, usesFont, font)
			if fonts[width] { // it is not on this machine, and another one stands in for it
				continue
			}
			fonts[width] = true
			for _, width := range []int64{360, 800, 1400} {
				require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(width, 900)))
				found := evaluate[[]string](tab, t, faults, "")
				assert.Empty(t, found[:min(len(found), 5)], "%d of %s in %s, %d wide", len(found),
					path, font, width)
				keep(tab, t, fmt.Sprintf("%s_%s_%d", path[1:], font, width))
			}
		}
		assert.GreaterOrEqual(t, len(fonts), 2, "two fonts")
	}
}

// keep keeps a picture in the folder of CONVO_SCREENSHOTS, if somebody wants to look at it.
func keep(tab context.Context, t testing.TB, name string) {
	t.Helper()
	dir := os.Getenv("CONVO_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	name = strings.ReplaceAll(name, " ", "") + ".png"
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), picture, 0o644))
}

// pale are the texts, lines and bars that have less contrast to the page than WCAG 2 asks for, and
// before them whether the page is dark.
const pale = `() => {
	const parts = (color) => color.match(/[\d.]+/g).map(Number);
	const light = (color) => {
		const [r, g, b] = parts(color).map((v) => v / 255)
			.map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const page = light(getComputedStyle(document.body).backgroundColor);
	const contrast = (color) =>
		(Math.max(light(color), page) + 0.05) / (Math.min(light(color), page) + 0.05);
	const found = [];
	const check = (what, least, css, property) => {
		const all = [...document.querySelectorAll(css)].map((e) => getComputedStyle(e));
		if (all.length === 0) found.push("no " + what);
		for (const style of all) {
			const color = style[property];
			if (color !== "none" && style.strokeOpacity === "1" && contrast(color) < least)
				found.push(what + " in " + color);
		}
	};
	check("text", 4.5, "h1, h2, p, th, td, caption, summary, li, dt, dd", "color");
	check("label", 4.5, "svg text", "fill");
	check("line", 3, "svg path", "stroke");
	check("bar", 3, "svg path", "fill");
	check("sign of a line", 3, ".legend span", "color");
	return [page < 0.5 ? "dark" : "light", ...new Set(found)];
}`

func TestAPageIsReadableInTheDarkAndInTheLight(t *testing.T) {
	url := serve(t, map[string]string{"/demo": demoPage(t)})
	for i, scheme := range []string{"dark", "light"} {
		tab := browser.Launch(t, chromedp.Flag("blink-settings", fmt.Sprint("preferredColorScheme=",
			i)))
		require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(800, 900),
			chromedp.Navigate(url+"/demo")))
		assert.Equal(t, []string{scheme}, evaluate[[]string](tab, t, pale, ""))
		keep(tab, t, scheme)
	}
}
