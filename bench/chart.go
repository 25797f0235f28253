package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of the chart, in points.
const (
	chartWidth  = 760
	chartHead   = 56 // title and axis
	chartRow    = 17
	chartMargin = 8
	legendWidth = 165
)

// writeChart draws how much dearer each operation is than the same by hand, a
// panel for each field, for the largest table that was measured.
func writeChart(file string, res *Results) error {
	sizes := res.sizes()
	if len(sizes) == 0 {
		return errors.New("nothing was measured that a chart could show")
	}
	r := &report{res: res, stats: statsOf(res)}
	var panels []*panel
	height := vg.Length(2 * chartMargin)
	for _, f := range fields {
		if p := r.panel(f, sizes[len(sizes)-1]); p != nil {
			panels = append(panels, p)
			height += p.height()
		}
	}
	canvas := vgsvg.New(chartWidth, height)
	if err := drawPanels(draw.New(canvas), panels); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = canvas.WriteTo(out)
	return errors.Join(err, out.Close())
}

// panel is the part of a chart with the contenders of a field.
type panel struct {
	title string
	rows  []string // titles of the workloads, from top to bottom
	dots  []dots
}

// dots are the ratios of a contender to the limit; those it has none of are 0.
type dots struct {
	name   string
	title  string
	ratios []float64
}

// height returns how much room the panel takes, for its legend too.
func (p *panel) height() vg.Length {
	return chartHead + chartRow*vg.Length(max(len(p.rows), len(p.dots)))
}

// panel returns what there is to draw of a field, or nil.
func (r *report) panel(f *Field, n int) *panel {
	// The axis has no label: gonum places it wrongly beside a logarithmic scale.
	p := &panel{title: fmt.Sprintf("%s records %s: time of an operation as a multiple of the same by hand (left is faster)",
		thousands(n), f.Title)}
	list := r.contenders(f, n)
	if len(list) == 0 || list[0].Name != f.Baseline {
		return nil
	}
	for _, e := range list[1:] {
		p.dots = append(p.dots, dots{name: e.Name, title: e.Title})
	}
	for _, w := range workloads() {
		base := Cell{n, f.Baseline, w.Name}
		if w.Unit != perOp || len(r.stats[base]) == 0 {
			continue
		}
		p.rows = append(p.rows, w.Title)
		for i := range p.dots {
			ratio := r.stats.ratio(Cell{n, p.dots[i].name, w.Name}, base, w.Unit.Cost)
			p.dots[i].ratios = append(p.dots[i].ratios, ratio.Median)
		}
	}
	if len(p.rows) == 0 || len(p.dots) == 0 {
		return nil
	}
	return p
}

// drawPanels draws panels below each other.
func drawPanels(c draw.Canvas, panels []*panel) error {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	top := c.Max.Y - chartMargin
	for _, p := range panels {
		bottom := top - p.height()
		if err := p.draw(draw.Crop(c, chartMargin, -chartMargin, bottom-c.Min.Y, top-c.Max.Y)); err != nil {
			return err
		}
		top = bottom
	}
	return nil
}

// draw draws the panel with its legend on the right.
func (p *panel) draw(c draw.Canvas) error {
	pl, legend := p.axes(), plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.TextStyle.Font = sans(9)
	legend.Padding, legend.ThumbnailWidth = vg.Points(2), vg.Points(14)
	for i := len(p.dots) - 1; i >= 0; i-- { // Kivis, which is first, on top of the others
		s, err := plotter.NewScatter(p.points(&p.dots[i]))
		if err != nil {
			return err
		}
		s.GlyphStyle = glyphOf(p.dots[i].name)
		pl.Add(s)
	}
	for _, d := range p.dots {
		legend.Add(d.title, &plotter.Scatter{GlyphStyle: glyphOf(d.name)})
	}
	pl.Draw(draw.Crop(c, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(c, c.Max.X-c.Min.X-legendWidth+chartMargin, 0, 0, -30))
	return nil
}

// points returns the dots that there are. The first row is at the top.
func (p *panel) points(d *dots) plotter.XYs {
	var xys plotter.XYs
	for i, x := range d.ratios {
		if x > 0 {
			xys = append(xys, plotter.XY{X: x, Y: float64(len(p.rows) - 1 - i)})
		}
	}
	return xys
}

// axes returns the plot without its dots.
func (p *panel) axes() *plot.Plot {
	pl := plot.New()
	pl.Title.Text = p.title
	pl.Title.TextStyle.Font = sans(10)
	pl.Title.Padding = vg.Points(6)
	pl.X.Scale = plot.LogScale{}
	lo, hi := p.bounds()
	pl.X.Min, pl.X.Max = lo, hi
	pl.X.Tick.Marker = powers(lo, hi)
	pl.X.Tick.Label.Font = sans(9)
	pl.Y.Min, pl.Y.Max = -0.6, float64(len(p.rows))-0.4
	pl.Y.Tick.Marker = p.ticks()
	pl.Y.Tick.Label.Font = sans(9)
	pl.Y.Tick.Length = 0
	pl.Y.LineStyle.Width = 0

	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xe4}, color.Gray{0xe4}
	pl.Add(grid, &plotter.Line{
		XYs:       plotter.XYs{{X: 1, Y: pl.Y.Min}, {X: 1, Y: pl.Y.Max}},
		LineStyle: draw.LineStyle{Color: color.Gray{0x40}, Width: vg.Points(1)},
	})
	return pl
}

// bounds returns the powers of ten around all ratios.
func (p *panel) bounds() (lo, hi float64) {
	lo, hi = 0.5, 2
	for _, d := range p.dots {
		for _, x := range d.ratios {
			if x > 0 {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	return lo / 1.6, hi * 1.6
}

// powers returns a tick for each power of ten, and one for each of 2 and 5
// where they fit.
func powers(lo, hi float64) plot.ConstantTicks {
	steps := []float64{1}
	if hi/lo < 2000 {
		steps = []float64{1, 2, 5}
	}
	var ticks plot.ConstantTicks
	for power := math.Pow(10, math.Floor(math.Log10(lo))); power <= hi; power *= 10 {
		for _, s := range steps {
			if x := s * power; x >= lo && x <= hi {
				ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%g×", math.Round(x*1000)/1000)})
			}
		}
	}
	return ticks
}

// ticks names the rows.
func (p *panel) ticks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, row := range p.rows {
		ticks = append(ticks, plot.Tick{Value: float64(len(p.rows) - 1 - i), Label: row})
	}
	return ticks
}

// sans returns a font without serifs.
func sans(size float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// glyphs are how contenders are drawn: Kivis bold, what is by hand hollow, the
// libraries each in a colour.
var glyphs = map[string]draw.GlyphStyle{
	"kivis-badger": glyph(draw.CircleGlyph{}, 4, 0xd5, 0x3e, 0x1f),
	"kivis-memory": glyph(draw.CircleGlyph{}, 4, 0xd5, 0x3e, 0x1f),
	"raw-bbolt":    glyph(draw.RingGlyph{}, 3, 0x77, 0x77, 0x77),
	"raw-pebble":   glyph(draw.SquareGlyph{}, 2.5, 0x77, 0x77, 0x77),
	"raw-sqlite":   glyph(draw.PlusGlyph{}, 3, 0x77, 0x77, 0x77),
	"kivis-bolt":   glyph(draw.CircleGlyph{}, 4, 0xf2, 0xa9, 0x00),
	"kivis-pebble": glyph(draw.CircleGlyph{}, 4, 0x8c, 0x1d, 0x40),
	"kivis-sqlite": glyph(draw.CircleGlyph{}, 3, 0xe8, 0x8a, 0x6f),
	"badgerhold":   glyph(draw.TriangleGlyph{}, 3, 0x1b, 0x7d, 0x46),
	"bolthold":     glyph(draw.PyramidGlyph{}, 3, 0x5a, 0xae, 0x61),
	"storm":        glyph(draw.CrossGlyph{}, 3, 0x5a, 0xae, 0x61),
	"gorm-cgo":     glyph(draw.BoxGlyph{}, 2.5, 0x76, 0x2a, 0x83),
	"gorm-pure":    glyph(draw.BoxGlyph{}, 2.5, 0xb0, 0x8a, 0xc0),
	"sqlite-cgo":   glyph(draw.PlusGlyph{}, 3, 0x21, 0x66, 0xac),
	"sqlite-pure":  glyph(draw.PlusGlyph{}, 3, 0x7f, 0xb0, 0xd8),
	"go-memdb":     glyph(draw.TriangleGlyph{}, 3, 0x1b, 0x7d, 0x46),
}

func glyph(shape draw.GlyphDrawer, radius float64, r, g, b uint8) draw.GlyphStyle {
	return draw.GlyphStyle{Shape: shape, Radius: vg.Points(radius), Color: color.RGBA{r, g, b, 0xff}}
}

// glyphOf returns how a contender is drawn.
func glyphOf(name string) draw.GlyphStyle {
	if g, ok := glyphs[name]; ok {
		return g
	}
	return glyph(draw.RingGlyph{}, 3, 0, 0, 0)
}
