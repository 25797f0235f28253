package browsertest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/kivisdb/kivis/studio"
	"github.com/kivisdb/kivis/studio/browsertest"
)

var pictures = flag.String("pictures", "", "write pictures of the pages into this `folder`, such as ../../docs")

// tooPale finds texts whose contrast with what is behind them is below 4.5.
const tooPale = `(() => {
	const rgb = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
	const out = new Set();
	for (const e of document.querySelectorAll('body *')) {
		if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) out.add(e.tagName + '.' + e.className + ': ' + ((a + 0.05) / (b + 0.05)).toFixed(1) + ' ' + e.textContent.slice(0, 20));
	}
	return [...out];
})()`

// cutOff finds what sticks out of the page to the right, other than what scrolls.
const cutOff = `(() => {
	const w = document.documentElement.clientWidth;
	return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, nav, .unseen, .skip, #preview') && e.checkVisibility() && e.getBoundingClientRect().right > w + 1)
		.map(e => e.tagName + '#' + e.id + '.' + e.className);
})()`

// TestLooks: each page can be used at 360 and at 1600 pixels, light and dark: it
// does not scroll sideways as a whole, and every text can be read.
func TestLooks(t *testing.T) {
	tab, url := open(t, flights(t, 2000), studio.Options{Write: true})
	for _, at := range []struct{ name, path string }{
		{"tables", "/"},
		{"records", "/t/flights?where=Origin+%3D+%27ORD%27+and+Delay+%3E+30&order=-Delay"},
		{"record", "/t/airports/ORD"},
		{"schema", "/schema"},
	} {
		for _, width := range []int64{360, 1600} {
			for _, dark := range []bool{false, true} {
				tab.Size(width, 900, dark)
				tab.Go(url + at.path)
				name := fmt.Sprintf("studio-%s-%d", at.name, width)
				if dark {
					name += "-dark"
				}
				if wide := browsertest.Get[bool](tab, "document.documentElement.scrollWidth > document.documentElement.clientWidth"); wide {
					t.Errorf("%s scrolls sideways: %q", name, browsertest.Get[[]string](tab, cutOff))
				}
				if cut := browsertest.Get[[]string](tab, cutOff); len(cut) > 0 {
					t.Errorf("%s has things cut off: %q", name, cut)
				}
				if pale := browsertest.Get[[]string](tab, tooPale); len(pale) > 0 {
					t.Errorf("%s has texts that are hard to read: %q", name, pale)
				}
				picture(t, tab, name)
			}
		}
	}
	tab.Size(1600, 900, false)
	tab.Go(url + "/t/flights?where=Delay+%3E+100&order=-Delay")
	tab.Focus("td[data-field=Delay]")
	tab.Keys("e", "90", kb.Enter)
	tab.AwaitText("#changes", "90")
	picture(t, tab, "studio-edit-1600")
	tab.Click("#discard")
	tab.Await("document.getElementById('changes').hidden && document.body.dataset.ready === ''")
}

func picture(t *testing.T, tab *browsertest.Tab, name string) {
	t.Helper()
	if *pictures != "" {
		check(t, os.WriteFile(filepath.Join(*pictures, name+".png"), tab.Picture(), 0o644))
	}
}
