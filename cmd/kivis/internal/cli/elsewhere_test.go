package cli

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// TestElsewhere has commands work on a database in a bucket.
func TestElsewhere(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("URL", "s3://bucket/shop?endpoint="+server.URL)
	got := replay(t, `
$ kivis tables $URL
$ kivis copy travel $URL >copied
$ kivis tables $URL
$ echo '{"Code":"YYY","Name":"Nowhere"}' | kivis put $URL airports
$ kivis query $URL airports --count
$ kivis diff travel $URL >different
$ kivis stats $URL --format csv | tail -n 1 | cut -d, -f2
$ kivis compact $URL
`, databases(t))
	for _, want := range []string{
		"there is no database s3://bucket/shop",
		`{"table":"airports","records":4}`,
		"airports --count\n5\n",
		"all of s3\n",
		"gives space back by itself",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the commands do not print %q:\n%s", want, got)
		}
	}
}
