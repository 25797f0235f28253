package studio

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// policy lets a page load its own files and nothing else, and be in no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets those requests through that may come from the user's own browser,
// and gives every answer the headers that keep other sites out.
type guard struct {
	token  string
	cookie string // its name, which the token decides: cookies are not told apart by port
	hosts  []string
	next   http.Handler
}

func newGuard(o *Options, next http.Handler) *guard {
	sum := sha256.Sum256([]byte(o.Token))
	return &guard{token: o.Token, cookie: "kivis-studio-" + hex.EncodeToString(sum[:4]), hosts: o.Hosts, next: next}
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case !g.knows(r.Host):
		http.Error(w, "this host is not the studio's", http.StatusForbidden)
	case !sameOrigin(r):
		http.Error(w, "another site asks for this page", http.StatusForbidden)
	case g.enters(w, r):
	case !g.has(r):
		http.Error(w, "open the studio with the URL that has its token", http.StatusForbidden)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// knows reports whether the host of a request is one of the studio's. Another one
// is a name that somebody has pointed at this machine.
func (g *guard) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || slices.ContainsFunc(g.hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin reports whether a request comes from no page, from one of the
// studio's, or leads the browser to one.
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" || site == "same-origin" {
		return true
	}
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" // a link or a typed URL
}

// enters takes the token from the URL, and sends the browser on to the same page
// without it, with a cookie.
func (g *guard) enters(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	if r.Method != http.MethodGet || !q.Has("token") || !g.is(q.Get("token")) {
		return false
	}
	base := baseOf(r)
	http.SetCookie(w, &http.Cookie{
		Name: g.cookie, Value: g.token, Path: base + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	q.Del("token")
	to := base + "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
	if rest := q.Encode(); rest != "" {
		to += "?" + rest
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return true
}

func (g *guard) has(r *http.Request) bool {
	c, err := r.Cookie(g.cookie)
	return err == nil && g.is(c.Value)
}

func (g *guard) is(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// baseOf returns what http.StripPrefix has taken off the path, without a slash at
// the end: where the studio's pages are.
func baseOf(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	base, ok := strings.CutSuffix(path, r.URL.EscapedPath())
	if !ok || !strings.HasPrefix(base, "/") || strings.HasPrefix(base, "//") {
		return ""
	}
	return strings.TrimSuffix(base, "/")
}
