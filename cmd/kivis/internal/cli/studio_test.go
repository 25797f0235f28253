package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStudioLoopback: it listens where nobody else can come.
func TestStudioLoopback(t *testing.T) {
	db := filepath.Join(databases(t), "travel.bolt")
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:80", "127.0.0.1:99999", "nonsense"} {
		var errs bytes.Buffer
		code := Main(t.Context(), []string{"studio", db, "--addr", addr}, Streams{In: strings.NewReader(""), Out: io.Discard, Err: &errs})
		if code != exitUsage || !strings.Contains(errs.String(), "loopback") {
			t.Errorf("--addr %s: exit code %d, %s", addr, code, errs.String())
		}
	}
}

// serving runs kivis studio and returns the URL that it prints, and what ends it.
func serving(t *testing.T, args ...string) (url string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	code := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code <- Main(ctx, append([]string{"studio"}, args...), Streams{In: strings.NewReader(""), Out: w, Err: &errs})
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("it prints no URL: %v, %s", err, errs.String())
	}
	return strings.TrimSpace(line), func() int {
		cancel()
		select {
		case c := <-code:
			return c
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
			return 0
		}
	}
}

func status(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestStudioServes serves a database, asks for pages with the URL that is printed
// and without its token, and interrupts.
func TestStudioServes(t *testing.T) {
	url, stop := serving(t, filepath.Join(databases(t), "travel.bolt"))
	jar, _ := cookiejar.New(nil)
	page, _, _ := strings.Cut(url, "?")
	if got := status(t, &http.Client{Jar: jar}, page); got == http.StatusOK {
		t.Error("it lets in who has no token")
	}
	in := &http.Client{Jar: jar}
	if got := status(t, in, url); got != http.StatusOK {
		t.Errorf("with the token: %d", got)
	}
	if got := status(t, in, page+"index.json"); got != http.StatusOK {
		t.Errorf("with the cookie: %d", got)
	}
	if code := stop(); code != exitOK {
		t.Errorf("interrupted it ends with %d", code)
	}
}
