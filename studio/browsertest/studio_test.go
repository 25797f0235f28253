package browsertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
	"github.com/kivisdb/kivis/studio/browsertest"
)

// text returns what the element shows that a selector finds.
func text(tab *browsertest.Tab, selector string) string {
	return browsertest.Get[string](tab, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// rows returns how many records the grid has.
func rows(tab *browsertest.Tab) int {
	return browsertest.Get[int](tab, "document.querySelectorAll('#grid tbody tr').length")
}

// TestBrowse: by clicks alone, from the tables to a page of records, on to the
// next page and back.
func TestBrowse(t *testing.T) {
	tab, url := open(t, flights(t, 300), studio.Options{})
	if at := browsertest.Get[string](tab, "location.href"); at != url+"/" {
		t.Errorf("the first URL leads to %s, which may not have the token", at)
	}
	if cookies := browsertest.Get[string](tab, "document.cookie"); cookies != "" {
		t.Errorf("scripts can read the cookie: %s", cookies)
	}
	tab.AwaitText("#grid", "3,376")
	tab.Click("#grid a[href='/t/flights']")
	tab.AwaitText("h1", "flights")
	if n := rows(tab); n != 50 {
		t.Errorf("%d rows", n)
	}
	first := text(tab, "#grid tbody tr")
	tab.Click("a[rel=next]")
	tab.Await("document.querySelector('a[rel=prev]')")
	if text(tab, "#grid tbody tr") == first {
		t.Error("the next page is the same")
	}
	tab.Click("a[rel=prev]")
	tab.Await("!document.querySelector('a[rel=prev]') && document.querySelector('a[rel=next]')")
	if again := text(tab, "#grid tbody tr"); again != first {
		t.Errorf("back on the first page it begins with %s, and began with %s", again, first)
	}
	tab.Click("#grid thead th:nth-child(4) a") // by Delay
	tab.AwaitText("#plan", "Delay")
}

// TestFilterByKeys: a filter is typed with completion of fields and of values that
// facets have, and a mistake is shown in its place.
func TestFilterByKeys(t *testing.T) {
	tab, url := open(t, flights(t, 300), studio.Options{})
	tab.Go(url + "/t/flights")
	tab.Keys("/", "Ori")
	tab.Await("!document.getElementById('words').hidden")
	tab.Keys(kb.Tab)
	tab.Await("document.getElementById('where').value === 'Origin '")
	tab.Keys("= ")
	tab.Await("document.querySelectorAll('#words li').length > 3")
	value := text(tab, "#words li")
	tab.Keys(kb.ArrowDown, kb.Enter)
	tab.Await(fmt.Sprintf("document.getElementById('where').value === %q", "Origin = "+value+" "))
	tab.Keys(kb.Enter)
	tab.Await("location.search.includes('Origin')")
	tab.AwaitText("#plan", "Origin")
	if n := rows(tab); n == 0 || n >= 50 {
		t.Errorf("the filter finds %d", n)
	}
	tab.Go(url + "/t/flights?where=Delay+%3E+5+and+Orign+%3D+%27ORD%27")
	if mark := text(tab, "mark"); !strings.HasPrefix(mark, "Orign") {
		t.Errorf("the mistake is marked as %q", mark)
	}
	tab.AwaitText("[role=alert]", "Origin")
	tab.Complaints() // the status 400
	tab.Go(url + "/t/flights")
	tab.Click(".facet[data-field=Origin] li a")
	tab.Await("document.getElementById('where').value.startsWith('Origin = ')")
	want := browsertest.Get[string](tab, "document.querySelector('.facet[data-field=Origin] li span').innerText")
	if got := text(tab, ".count"); got != want+" records" {
		t.Errorf("the facet leads to %s, and says %s", got, want)
	}
}

// TestFollow: references are followed both ways by keys alone, with a preview.
func TestFollow(t *testing.T) {
	tab, url := open(t, flights(t, 300), studio.Options{})
	tab.Go(url + "/t/flights")
	tab.Keys("j", "j")
	tab.Await("document.activeElement.matches('#grid tbody tr:nth-child(2) td')")
	tab.Keys("o")
	tab.Await("document.getElementById('references')")
	tab.Await("location.pathname === '/t/flights/2'")
	tab.Ready()
	origin := browsertest.Get[string](tab, "document.querySelector('#references a').textContent")
	tab.Focus("#references a")
	tab.AwaitText("#preview", "Latitude")
	tab.Keys(kb.Enter)
	tab.AwaitText("h1", strings.Trim(strings.TrimPrefix(origin, "airports "), `"'`))
	count := text(tab, "#referrers li:first-child b")
	tab.Click("#referrers li:first-child a")
	tab.AwaitText(".count", count+" records")
	tab.Back()
	tab.AwaitText("#referrers", count)
}

// TestEdit: values are typed in the grid, shown as a difference and committed;
// what is discarded is not.
func TestEdit(t *testing.T) {
	db := flights(t, 60)
	table := kivis.TableOf[Flight](db)
	tab, url := open(t, db, studio.Options{Write: true})
	tab.Go(url + "/t/flights")
	edit := func(row int, field, value string) {
		t.Helper()
		tab.Focus(fmt.Sprintf("#grid tbody tr:nth-child(%d) td[data-field=%s]", row, field))
		tab.Keys("e")
		tab.Await("document.querySelector('td input') === document.activeElement")
		tab.Keys(value, kb.Enter)
	}
	edit(1, "Delay", "777")
	edit(2, "Note", `"de-iced"`)
	tab.AwaitText("#changes", "777")
	if diff := text(tab, "#changes"); !strings.Contains(diff, "flights 1 Delay: 66 → 777") || !strings.Contains(diff, `Note: null → "de-iced"`) {
		t.Errorf("the difference is %s", diff)
	}
	if f, err := table.Get(bg, 1); err != nil || f.Delay == 777 {
		t.Fatalf("before the commit: %+v, %v", f, err)
	}
	tab.Save()
	tab.AwaitText("#state", "committed")
	a, errA := table.Get(bg, 1)
	b, errB := table.Get(bg, 2)
	if errA != nil || errB != nil || a.Delay != 777 || b.Note == nil || *b.Note != "de-iced" {
		t.Errorf("after the commit: %+v, %+v", a, b)
	}
	edit(3, "Delay", "5")
	tab.Click("#discard")
	tab.Await("document.getElementById('changes').hidden && document.body.dataset.ready === ''")
	edit(3, "Origin", "XXX")
	tab.Click("#commit")
	tab.AwaitText("#outcome", "no record with key")
	tab.Complaints() // the status 422
	tab.Click("#discard")
	tab.Await("document.getElementById('changes').hidden && document.body.dataset.ready === ''")

	tab.Keys("n")
	tab.Await("document.querySelector('dialog textarea') === document.activeElement")
	tab.Fill("dialog textarea", `{"Origin": "ORD", "Destination": "LAX", "Delay": 1}`)
	tab.Click("#add")
	tab.Focus("#grid tbody tr:nth-child(4) td[data-field=Delay]")
	tab.Keys("d")
	tab.AwaitText("#changes", "deleted")
	tab.Click("#commit")
	tab.AwaitText("#state", "committed")
	if ok, err := table.Has(bg, 4); ok || err != nil {
		t.Errorf("flight 4 is there: %t, %v", ok, err)
	}
	if f, err := table.Get(bg, 61); err != nil || f.Destination != "LAX" {
		t.Errorf("the new flight is %+v, %v", f, err)
	}
}

// TestCommitShownOnce: a commit shows the page anew itself; the page's watch, which
// sees the commit too, does not show it again, and its message stays.
func TestCommitShownOnce(t *testing.T) {
	tab, url := open(t, flights(t, 60), studio.Options{Write: true})
	tab.Go(url + "/t/flights")
	// The page comes a second late, in which the watch would have shown it.
	tab.Eval(`const ask = fetch; window.shows = 0; window.fetch = async (url, ...how) => {
		if (url === location.href) { window.shows++; await new Promise(r => setTimeout(r, 1000)); }
		return ask(url, ...how);
	}`)
	tab.Focus("#grid tbody tr:nth-child(1) td[data-field=Delay]")
	tab.Keys("e", "777", kb.Enter)
	tab.AwaitText("#changes", "777")
	tab.Save()
	tab.AwaitText("#state", "committed")
	if n := browsertest.Get[int](tab, "window.shows"); n != 1 {
		t.Errorf("a commit has the page shown %d times", n)
	}
}

// TestConflict: an edit of what another changes meanwhile is refused, and can be
// made again on what is there then.
func TestConflict(t *testing.T) {
	db := flights(t, 60)
	table := kivis.TableOf[Flight](db)
	tab, url := open(t, db, studio.Options{Write: true})
	tab.Go(url + "/t/flights/7")
	tab.Focus("td[data-field=Delay]")
	tab.Keys("e", "500", kb.Enter)
	tab.AwaitText("#changes", "500")
	before := browsertest.Get[string](tab, "document.querySelector('#changes del').innerText")
	_, err := table.Modify(bg, 7, func(f *Flight) error { f.Delay = 404; return nil })
	check(t, err)
	tab.AwaitText("#outcome", "has changed") // without a commit: the page is watched
	tab.Click("#commit")
	tab.AwaitText("#outcome", "what the page showed has changed")
	tab.Complaints() // the status 409
	if f, err := table.Get(bg, 7); err != nil || f.Delay != 404 {
		t.Fatalf("the refused edit has made %+v, %v", f, err)
	}
	tab.Click("#again")
	tab.AwaitText("#changes", "changed by another since you saw "+before)
	tab.AwaitText("#changes", "404 → 500")
	tab.Click("#commit")
	tab.AwaitText("#state", "committed")
	if f, err := table.Get(bg, 7); err != nil || f.Delay != 500 {
		t.Errorf("the edit made again has made %+v, %v", f, err)
	}
}

// TestLive: a page shows what others commit, keeps what is typed and where the
// focus is, and is left alone by what does not concern it.
func TestLive(t *testing.T) {
	db := flights(t, 300)
	table := kivis.TableOf[Flight](db)
	tab, url := open(t, db, studio.Options{Write: true})
	tab.Go(url + "/t/flights?where=Delay+%3E+100&order=-Delay")
	n := rows(tab)
	tab.Keys("j", "j")
	id, err := table.Insert(bg, &Flight{Delay: 4242, Origin: "ORD", Destination: "LAX"})
	check(t, err)
	tab.AwaitText("#grid", "4242")
	tab.AwaitText(".count", fmt.Sprint(n+1))
	tab.Await("document.activeElement.matches('#grid tbody tr:nth-child(2) td')")
	tab.Eval("document.body.dataset.same = ''; document.querySelector('#grid').dataset.same = ''")
	_, err = table.Modify(bg, 1, func(f *Flight) error { f.Delay = 1; return nil }) // not on the page
	check(t, err)

	tab.Keys("/", "Distance")
	check(t, table.Delete(bg, id))
	tab.Await("!document.getElementById('grid').innerText.includes('4242')")
	tab.Await("document.activeElement.id === 'where' && document.getElementById('where').value.endsWith('Distance')")
	tab.Await("'same' in document.body.dataset") // it has not been loaded again

	tab.Go(url + "/t/flights/9")
	_, err = table.Modify(bg, 9, func(f *Flight) error { f.Distance = 31337; return nil })
	check(t, err)
	tab.AwaitText("#grid", "31337")
	check(t, table.Delete(bg, 9))
	tab.AwaitText("main", "404")
	tab.Complaints() // the status 404
}

// TestSchemaDrawing: the drawing has the tables, and leads to them.
func TestSchemaDrawing(t *testing.T) {
	tab, _ := open(t, flights(t, 60), studio.Options{})
	tab.Keys("s")
	tab.Await("document.getElementById('drawing')")
	tab.Ready() // scripts run once the styles are there
	if boxes, arrows := browsertest.Get[int](tab, "document.querySelectorAll('.box').length"), browsertest.Get[int](tab, "document.querySelectorAll('.arrow').length"); boxes != 3 || arrows != 3 {
		t.Errorf("%d boxes and %d arrows", boxes, arrows)
	}
	outside := "[...document.querySelectorAll('#drawing text, #drawing path.arrow')].filter(e => { const b = e.getBBox(), s = document.getElementById('drawing').viewBox.baseVal; return b.x < 0 || b.y < 0 || b.x + b.width > s.width || b.y + b.height > s.height }).length"
	if n := browsertest.Get[int](tab, outside); n != 0 {
		t.Errorf("%d things are outside of the drawing", n)
	}
	tab.Eval("document.querySelectorAll('link[rel=stylesheet]').forEach(l => l.remove())")
	if n := browsertest.Get[int](tab, outside); n != 0 {
		t.Errorf("without styles %d things are outside of the drawing", n)
	}
	tab.Click("#drawing a[href='/t/claims'], #drawing a")
	tab.Await("location.pathname.startsWith('/t/')")
}

// TestExport: a click saves what the filter finds.
func TestExport(t *testing.T) {
	tab, url := open(t, flights(t, 300), studio.Options{})
	dir := t.TempDir()
	tab.SaveInto(dir)
	tab.Go(url + "/t/flights?where=Delay+%3E+100")
	n := rows(tab)
	tab.Click("#csv")
	name := filepath.Join(dir, "flights.csv")
	tab.Await("true")
	got := ""
	for range 1000 {
		b, _ := os.ReadFile(name)
		if got = string(b); got != "" {
			break
		}
		tab.Await("new Promise(done => setTimeout(done, 10, true))")
	}
	if lines := strings.Count(got, "\n"); lines != n+1 {
		t.Errorf("the file has %d lines, the page %d records: %.300s", lines, n, got)
	}
}

// TestHostile: nothing that a record holds runs or leads away.
func TestHostile(t *testing.T) {
	db := flights(t, 60)
	airports := kivis.TableBy[Airport, IATA](db)
	for i, s := range []string{
		"javascript:alert(1)", `"><img src=x onerror="document.title='owned'">`, "<script>document.title='owned'</script>", `' autofocus onfocus='document.title="owned"`,
	} {
		code := IATA(fmt.Sprintf("!%d%s", i, s))
		_, err := airports.Insert(bg, &Airport{Code: code, Name: s, City: s})
		check(t, err)
		_, err = kivis.TableOf[Flight](db).Insert(bg, &Flight{Origin: code, Destination: code, Note: &s})
		check(t, err)
	}
	tab, url := open(t, db, studio.Options{Write: true})
	for _, path := range []string{"/t/airports?order=Code", "/t/flights?order=-ID", "/t/flights/61", "/t/flights/62", "/t/flights/63", "/t/flights/64"} {
		tab.Go(url + path)
		tab.Keys("j", "j", "e", kb.Escape)
		bad := browsertest.Get[[]string](tab, "[...document.querySelectorAll('a')].map(a => a.href).filter(h => !h.startsWith(location.origin))")
		if title := browsertest.Get[string](tab, "document.title"); len(bad) > 0 || strings.Contains(title, "owned") {
			t.Errorf("%s: title %q, links %q", path, title, bad)
		}
		if n := browsertest.Get[int](tab, "document.querySelectorAll('main img, main script, main [onerror], main [onfocus]').length"); n != 0 {
			t.Errorf("%s has %d elements out of records", path, n)
		}
	}
	tab.Go(url + "/t/flights/61")
	tab.Eval("document.querySelector('#references a').click()")
	tab.Await("location.pathname.startsWith('/t/airports/')")
	if at := browsertest.Get[string](tab, "location.origin"); at != url {
		t.Errorf("the reference leads to %s", at)
	}
}
