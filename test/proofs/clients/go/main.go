// Goes through all steps with golang.org/x/oauth2 and coreos/go-oidc; holds no rule of the protocol, which is the libraries'.

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const scope = "openid profile email offline_access orders"

var (
	ctx           = context.Background()
	issuer        = os.Getenv("ISSUER")
	callback      = os.Getenv("CALLBACK")
	resource      = os.Getenv("RESOURCE")
	otherResource = os.Getenv("OTHER_RESOURCE")
	clients       map[string]client
	provider      *oidc.Provider
)

type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// login is what a code was exchanged for, and what is claimed of the user.
type login struct {
	token  *oauth2.Token
	id     *oidc.IDToken
	claims struct {
		Email    string   `json:"email"`
		Verified *bool    `json:"email_verified"`
		Methods  []string `json:"amr"`
		Session  string   `json:"sid"`
	}
}

// answer is where the browser ended, and what the client remembers of its request.
type answer struct{ code, verifier, nonce string }

func config(name string) *oauth2.Config {
	told, endpoint := clients[name], provider.Endpoint()
	if name == "web" {
		// Where it has to find that out by itself, what is refused is asked once more in another way, and the reason lost.
		endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return &oauth2.Config{ClientID: told.ID, ClientSecret: told.Secret, RedirectURL: callback, Scopes: strings.Fields(scope), Endpoint: endpoint}
}

func browse(address, decision string) (*url.URL, error) {
	response, err := http.Post(os.Getenv("PERSON")+"?decision="+decision, "text/plain", bytes.NewBufferString(address))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(string(text))
	}
	return url.Parse(string(text))
}

func authorize(asking *oauth2.Config, decision string, asked ...oauth2.AuthCodeOption) (*answer, error) {
	verifier, state, nonce := oauth2.GenerateVerifier(), rand.Text(), rand.Text()
	options := append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce)}, asked...)
	end, err := browse(asking.AuthCodeURL(state, options...), decision)
	if err != nil {
		return nil, err
	}
	query := end.Query()
	if err := same([]string{query.Get("state"), query.Get("iss")}, []string{state, issuer}); err != nil {
		return nil, err
	}
	if query.Has("error") {
		return nil, errors.New(query.Get("error"))
	}
	return &answer{query.Get("code"), verifier, nonce}, nil
}

func redeem(asking *oauth2.Config, with *answer) (*login, error) {
	token, err := asking.Exchange(ctx, with.code, oauth2.VerifierOption(with.verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: asking.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	done := &login{token: token, id: id}
	if id.Nonce != with.nonce {
		return nil, errors.New("the nonce is another")
	}
	return done, errors.Join(id.VerifyAccessToken(token.AccessToken), id.Claims(&done.claims))
}

func logIn(asking *oauth2.Config, decision string, asked ...oauth2.AuthCodeOption) (*login, error) {
	with, err := authorize(asking, decision, asked...)
	if err != nil {
		return nil, err
	}
	return redeem(asking, with)
}

func refresh(asking *oauth2.Config, token string) (*oauth2.Token, error) {
	return asking.TokenSource(ctx, &oauth2.Token{RefreshToken: token}).Token()
}

func ownToken(name string, scopes []string, audience string) (*oauth2.Token, error) {
	told := clients[name]
	asking := clientcredentials.Config{ClientID: told.ID, ClientSecret: told.Secret, TokenURL: provider.Endpoint().TokenURL, Scopes: scopes, EndpointParams: url.Values{"resource": {audience}}, AuthStyle: oauth2.AuthStyleInHeader}
	return asking.Token(ctx)
}

// audienceOf is for whom an access token is, of which nothing else is looked at.
func audienceOf(token string) (any, error) {
	id, err := provider.Verifier(&oidc.Config{SkipClientIDCheck: true}).Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return id.Audience, nil
}

func same(actual, expected any) error {
	if reflect.DeepEqual(actual, expected) {
		return nil
	}
	return fmt.Errorf("%v is not %v", actual, expected)
}

func refused(err error, code string) error {
	if err == nil {
		return errors.New("was answered")
	}
	if !strings.Contains(err.Error(), code) {
		return err
	}
	return nil
}

func refusedLogIn(asking *oauth2.Config, code, decision string, asked ...oauth2.AuthCodeOption) error {
	_, err := logIn(asking, decision, asked...)
	return refused(err, code)
}

func refusedRefresh(asking *oauth2.Config, token, code string) error {
	_, err := refresh(asking, token)
	return refused(err, code)
}

func param(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

func main() {
	var err error
	if err = json.Unmarshal([]byte(os.Getenv("CLIENTS")), &clients); err == nil {
		provider, err = oidc.NewProvider(ctx, issuer)
	}
	if err != nil {
		fmt.Printf("failed discovery: %v\n", err)
		return
	}
	web := config("web")
	first, err := logIn(web, "allow")
	if err != nil {
		fmt.Printf("failed code: %v\n", err)
		return
	}
	for _, step := range steps(web, first) {
		if err := step.take(); err != nil {
			fmt.Printf("failed %s: %s\n", step.name, strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Printf("passed %s\n", step.name)
		}
	}
}
