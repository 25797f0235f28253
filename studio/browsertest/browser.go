// Package browsertest drives a real browser, for tests of pages. It is a module
// of its own so that what serves the pages needs no browser.
package browsertest

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// names are those that a browser may have in PATH.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// patience is how long a page may take to come to what a test waits for.
const patience = time.Minute

// shared is the browser that the tests of one process have in common.
var shared struct {
	sync.Mutex
	ctx  context.Context
	stop []context.CancelFunc
}

// Main runs the tests, each with a tab of its own in one browser, and closes that:
// what TestMain calls.
func Main(m *testing.M) int {
	defer func() {
		for _, stop := range slices.Backward(shared.stop) {
			stop()
		}
	}()
	return m.Run()
}

// A Tab is one page of a browser.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	messages []string // errors of the page and of its scripts
}

// Open opens a tab. Without a browser the test is skipped.
func Open(t testing.TB) *Tab {
	t.Helper()
	i := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		t.Skip("there is no browser in PATH: `apt-get install chromium`, or any Chrome, is enough")
	}
	tab := &Tab{t: t}
	var stop context.CancelFunc
	tab.ctx, stop = chromedp.NewContext(start(t, names[i]))
	t.Cleanup(stop)
	if err := chromedp.Listen(tab.ctx, tab.note); err != nil {
		t.Fatalf("the browser %s opens no tab: %v", names[i], err)
	}
	tab.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err // as in a window that has the focus
	}))
	return tab
}

// start starts the browser, if it does not run yet.
func start(t testing.TB, path string) context.Context {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx != nil {
		return shared.ctx
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(ctx)
	shared.stop = []context.CancelFunc{stopAllocator, stop}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser %s does not start: %v", path, err)
	}
	shared.ctx = ctx
	return ctx
}

// note keeps what the browser complains of.
func (tab *Tab) note(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.messages = append(tab.messages, fmt.Sprint(e.Entry.Text, " ", e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		tab.messages = append(tab.messages, text)
	}
}

// Complaints returns what the browser has complained of since the last call, such
// as errors of scripts and what a policy has forbidden.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	list := tab.messages
	tab.messages = nil
	return list
}

// do has the browser do something, which must come to its end.
func (tab *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("the browser: %v; it shows %s", err, tab.whatIsShown())
	}
}

// whatIsShown returns the text of the page, for a message.
func (tab *Tab) whatIsShown() string {
	ctx, cancel := context.WithTimeout(tab.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body?.innerText ?? ''"))
	if err != nil {
		return "nothing"
	}
	return fmt.Sprintf("%.300q", strings.Join(strings.Fields(text), " "))
}

// Go opens a page and waits for its scripts, which set data-ready of the body.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(url))
	tab.Ready()
}

// Ready waits for the scripts of the page that has just been opened.
func (tab *Tab) Ready() {
	tab.t.Helper()
	tab.Await("document.body?.dataset.ready !== undefined")
}

// Get returns what a JavaScript expression is.
func Get[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Eval runs JavaScript.
func (tab *Tab) Eval(script string) {
	tab.t.Helper()
	tab.do(chromedp.Evaluate[chromedp.Void](script))
}

// Await waits until an expression is true.
func (tab *Tab) Await(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	// Asked from here again and again: a page that is left forgets what it polls.
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if is && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			tab.t.Fatalf("never: %s (%v); the page shows %s", expression, err, tab.whatIsShown())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// AwaitText waits until the page, or the part of it that a selector finds, has a
// text.
func (tab *Tab) AwaitText(selector, text string) {
	tab.t.Helper()
	tab.Await(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

// Keys types on whatever has the focus: texts, and keys of package kb.
func (tab *Tab) Keys(keys ...string) {
	tab.t.Helper()
	for _, k := range keys {
		tab.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			for _, r := range k {
				if err := press(ctx, t, r); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// press presses a key and lets it go. As with a real one, no character comes of it
// where the page has prevented that.
func press(ctx context.Context, t *chromedp.Target, r rune) error {
	events := kb.Encode(r)
	down, up := *events[0], *events[len(events)-1]
	if len(events) == 3 {
		down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
	}
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
			return err
		}
	}
	return nil
}

// Save presses Ctrl+S.
func (tab *Tab) Save() {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(kb.ModifierCtrl)))
}

// Focus puts the focus on the first element that a selector finds.
func (tab *Tab) Focus(selector string) {
	tab.t.Helper()
	tab.on(selector, "e.focus()")
}

// Click clicks on the first element that a selector finds, which must be seen.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.on(selector, "e.scrollIntoView({block: 'nearest'}); e.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}))")
}

// on waits for the element and runs a script with it as e.
func (tab *Tab) on(selector, script string) {
	tab.t.Helper()
	find := fmt.Sprintf("document.querySelector(%q)", selector)
	tab.Await(find + "?.checkVisibility()")
	tab.Eval("(e => { " + script + " })(" + find + ")")
}

// Fill sets the text of an input.
func (tab *Tab) Fill(selector, text string) {
	tab.t.Helper()
	tab.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// Back goes to the page before.
func (tab *Tab) Back() {
	tab.t.Helper()
	tab.do(chromedp.NavigateBack())
}

// Size makes the page as wide and as high as a screen, in the dark or not.
func (tab *Tab) Size(width, height int64, dark bool) {
	tab.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	tab.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return err
	}))
}

// SaveInto has files that are downloaded saved into a folder.
func (tab *Tab) SaveInto(dir string) {
	tab.t.Helper()
	_, err := chromedp.CallBrowser(tab.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
	})
	if err != nil {
		tab.t.Fatalf("the browser: %v", err)
	}
}

// Picture returns the page as a PNG.
func (tab *Tab) Picture() []byte {
	tab.t.Helper()
	png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatalf("the browser: %v", err)
	}
	return png
}
