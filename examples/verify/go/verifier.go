// Verifies access tokens of Signet with nothing but its public keys and status lists; holds no HTTP of its own service and no answer.

package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// Verifier checks access tokens. Make one and keep it: it holds the keys and the lists.
type Verifier struct {
	keys   keyfunc.Keyfunc
	lists  *statusLists
	parser *jwt.Parser
}

// Claims are those of an access token.
type Claims struct {
	jwt.RegisteredClaims
	Status json.RawMessage `json:"status"`
}

// NewVerifier returns a Verifier that refreshes its keys until ctx is done.
func NewVerifier(ctx context.Context, jwksURL, issuer, audience string) (*Verifier, error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{jwksURL})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
	)
	return &Verifier{keys: keys, lists: newStatusLists(jwksURL, issuer, keys.Keyfunc), parser: parser}, nil
}

// Verify returns the claims of a good token, and an error for any other.
func (v *Verifier) Verify(token string) (*Claims, error) {
	claims := &Claims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, v.keys.Keyfunc)
	if err != nil {
		return nil, err
	}
	// golang-jwt leaves the type of a token and the presence of a subject to its caller.
	if parsed.Header["typ"] != "at+jwt" {
		return nil, errors.New("the token is not an access token")
	}
	if claims.Subject == "" {
		return nil, errors.New("the token has no subject")
	}
	return claims, v.lists.check(claims.Status)
}
