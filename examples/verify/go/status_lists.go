// Looks up in Signet's status lists whether a token's log-in was closed (draft-ietf-oauth-status-list-21); holds no rule of the token itself.

package main

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	longestAnswer  = 16 << 20
	largestList    = 8 << 20
	timeout        = 5 * time.Second
	defaultTTL     = 10.0
	longestTTL     = 300.0
	pause          = time.Second
	clockTolerance = 300 * time.Second
)

// A list is kept for its ttl. The package @signet/verifier, for Node.js, also renews it ahead of time, so that nobody waits.
type statusLists struct {
	issuer, origin, base string
	keys                 jwt.Keyfunc
	client               *http.Client
	lock                 sync.Mutex
	lists                map[string]*statusList
}

type statusList struct {
	bits  []byte
	until time.Time
}

type listClaims struct {
	jwt.RegisteredClaims
	TTL  *float64 `json:"ttl"`
	List struct {
		Bits int    `json:"bits"`
		Lst  string `json:"lst"`
	} `json:"status_list"`
}

var pathOfList = regexp.MustCompile(`^/status-lists/[0-9]+$`)

func newStatusLists(jwksURL, issuer string, keys jwt.Keyfunc) *statusLists {
	refuse := func(*http.Request, []*http.Request) error { return errors.New("a redirect is not followed") }
	return &statusLists{
		issuer: issuer,
		origin: strings.TrimSuffix(issuer, "/"),
		base:   strings.Replace(jwksURL, "/.well-known/jwks.json", "", 1),
		keys:   keys,
		client: &http.Client{Timeout: timeout, CheckRedirect: refuse},
		lists:  map[string]*statusList{},
	}
}

// Returns an error where the log-in behind a token was closed. The token's signature must have been verified. A claim that is absent is nil.
func (s *statusLists) check(claim json.RawMessage) error {
	if claim == nil {
		return nil
	}
	var status map[string]json.RawMessage
	if err := json.Unmarshal(claim, &status); err != nil || status == nil {
		return errors.New("the status is no object")
	}
	// Other mechanisms than lists are not ours.
	if status["status_list"] == nil {
		return nil
	}
	var reference struct {
		Idx *uint64 `json:"idx"`
		URI string  `json:"uri"`
	}
	if err := json.Unmarshal(status["status_list"], &reference); err != nil {
		return fmt.Errorf("the status has another form: %w", err)
	}
	// Only Signet's own lists: nothing is fetched from elsewhere.
	path, isOurs := strings.CutPrefix(reference.URI, s.origin)
	if !isOurs || !pathOfList.MatchString(path) || reference.Idx == nil {
		return errors.New("the status has another form")
	}
	bits := s.lookUp(reference.URI)
	// Without a list the token is good, so that an outage of Signet is none of yours.
	if bits == nil {
		return nil
	}
	at := *reference.Idx
	if at >= uint64(len(bits))*8 {
		return errors.New("the status index is beyond the list")
	}
	// A list whose renewal fails still counts here: what it says was closed stays closed.
	if bits[at>>3]>>(at&7)&1 == 1 {
		return errors.New("the token was revoked")
	}
	return nil
}

func (s *statusLists) lookUp(uri string) []byte {
	// The lock is held while a list is fetched: all that need it wait for one fetch.
	s.lock.Lock()
	defer s.lock.Unlock()
	list := s.lists[uri]
	if list == nil {
		list = &statusList{}
		s.lists[uri] = list
	}
	if start := time.Now(); !start.Before(list.until) {
		if bits, ttl, err := s.fetch(uri); err == nil {
			*list = statusList{bits: bits, until: start.Add(seconds(ttl))}
		} else {
			log.Printf("%s could not be fetched, so what was closed since is not seen: %v", uri, err)
			// Soon, for closings go unseen; but where a failure takes long, tokens must not wait most of the time.
			list.until = time.Now().Add(max(pause, 2*time.Since(start)))
		}
	}
	return list.bits
}

func (s *statusLists) fetch(uri string) ([]byte, float64, error) {
	response, err := s.client.Get(s.base + strings.TrimPrefix(uri, s.origin))
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer+1))
	if err != nil {
		return nil, 0, err
	}
	if response.StatusCode != http.StatusOK || len(body) > longestAnswer {
		return nil, 0, errors.New("the answer is of another status, or too long")
	}
	return s.read(string(body), uri)
}

func (s *statusLists) read(token, uri string) ([]byte, float64, error) {
	claims := &listClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(s.issuer), jwt.WithSubject(uri), jwt.WithExpirationRequired())
	parsed, err := parser.ParseWithClaims(token, claims, s.keys)
	if err != nil {
		return nil, 0, err
	}
	typ, _ := parsed.Header["typ"].(string)
	if strings.TrimPrefix(strings.ToLower(typ), "application/") != "statuslist+jwt" {
		return nil, 0, errors.New("this is no status list")
	}
	if claims.IssuedAt == nil || time.Until(claims.IssuedAt.Time) > clockTolerance {
		return nil, 0, errors.New("the list was issued in the future, or at no time")
	}
	ttl := defaultTTL
	if claims.TTL != nil {
		ttl = *claims.TTL
	}
	if ttl <= 0 || claims.List.Bits != 1 {
		return nil, 0, errors.New("the list has another form")
	}
	bits, err := inflate(claims.List.Lst)
	return bits, min(max(ttl, 1), longestTTL), err
}

func inflate(lst string) ([]byte, error) {
	deflated, err := base64.RawURLEncoding.DecodeString(lst)
	if err != nil {
		return nil, err
	}
	reader, err := zlib.NewReader(bytes.NewReader(deflated))
	if err != nil {
		return nil, err
	}
	bits, err := io.ReadAll(io.LimitReader(reader, largestList+1))
	if err == nil && len(bits) > largestList {
		err = errors.New("the list is too large")
	}
	return bits, err
}

func seconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Second))
}
