// The steps, one after the other; holds nothing of how they are taken.

package main

import (
	"errors"
	"regexp"

	"golang.org/x/oauth2"
)

type step struct {
	name string
	take func() error
}

func steps(web *oauth2.Config, first *login) []step {
	return []step{
		{"discovery", func() error {
			var facts struct {
				Lists string `json:"status_list_aggregation_endpoint"`
			}
			return errors.Join(provider.Claims(&facts), same(facts.Lists, issuer+"/status-lists"))
		}},
		{"code", func() error {
			return same([]any{first.token.TokenType, first.token.Extra("scope"), first.token.ExpiresIn}, []any{"Bearer", scope, int64(600)})
		}},
		{"id-token", func() error {
			return same([]any{first.claims.Methods, *first.claims.Verified, first.claims.Session != ""}, []any{[]string{"pwd"}, false, true})
		}},
		{"userinfo", func() error {
			info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(first.token))
			if err != nil {
				return err
			}
			return same([]any{info.Subject, info.Email, info.EmailVerified}, []any{first.id.Subject, first.claims.Email, false})
		}},
		{"refresh", func() error {
			next, err := refresh(web, first.token.RefreshToken)
			if err != nil {
				return err
			}
			return same([]any{next.RefreshToken == first.token.RefreshToken, next.Extra("scope")}, []any{false, scope})
		}},
		{"repeat", func() error {
			one, err := refresh(web, first.token.RefreshToken)
			other, failed := refresh(web, first.token.RefreshToken)
			if err := errors.Join(err, failed); err != nil {
				return err
			}
			return same(one.RefreshToken, other.RefreshToken)
		}},
		{"reuse", func() error {
			used, err := logIn(web, "allow")
			if err != nil {
				return err
			}
			second, err := refresh(web, used.token.RefreshToken)
			if err != nil {
				return err
			}
			third, err := refresh(web, second.RefreshToken)
			if err != nil {
				return err
			}
			return errors.Join(refusedRefresh(web, used.token.RefreshToken, "invalid_grant"), refusedRefresh(web, third.RefreshToken, "invalid_grant"))
		}},
		{"resource", func() error {
			of, err := logIn(web, "allow", param("resource", otherResource))
			if err != nil {
				return err
			}
			audience, err := audienceOf(of.token.AccessToken)
			return errors.Join(err, same(audience, []string{otherResource}))
		}},
		{"silent", func() error {
			again, err := logIn(web, "allow", param("prompt", "none"))
			if err != nil {
				return err
			}
			return same(again.id.Subject, first.id.Subject)
		}},
		{"max-age", func() error {
			_, err := logIn(web, "allow", param("max_age", "0"))
			return err
		}},
		{"public", func() error {
			open := config("public")
			of, err := logIn(open, "allow")
			if err != nil {
				return err
			}
			_, err = refresh(open, of.token.RefreshToken)
			return err
		}},
		{"loopback", func() error {
			open := config("public")
			open.RedirectURL = regexp.MustCompile(`:\d+/`).ReplaceAllString(callback, ":65000/")
			_, err := logIn(open, "allow")
			return err
		}},
		{"secret-post", func() error {
			_, err := logIn(config("post"), "allow")
			return err
		}},
		{"client-credentials", func() error {
			token, err := ownToken("service", []string{"orders"}, otherResource)
			if err != nil {
				return err
			}
			audience, err := audienceOf(token.AccessToken)
			return errors.Join(err, same([]any{audience, token.Extra("scope"), token.RefreshToken}, []any{[]string{otherResource}, "orders", ""}))
		}},
		{"access-denied", func() error { return refusedLogIn(web, "access_denied", "deny", param("prompt", "consent")) }},
		{"untrusted-redirect", func() error {
			elsewhere := config("web")
			elsewhere.RedirectURL = "https://stranger.example/"
			return refusedLogIn(elsewhere, "400 You cannot be sent on", "allow")
		}},
		{"no-challenge", func() error { return refusedLogIn(web, "invalid_request", "allow", param("code_challenge", "")) }},
		{"unknown-scope", func() error {
			_, err := ownToken("service", []string{"admin"}, resource)
			return refused(err, "invalid_scope")
		}},
		{"unknown-resource", func() error {
			_, err := ownToken("service", nil, "https://stranger.example/")
			return errors.Join(refused(err, "invalid_target"), refusedLogIn(web, "invalid_target", "allow", param("resource", "https://stranger.example/")))
		}},
		{"code-twice", func() error {
			with, err := authorize(web, "allow")
			if err != nil {
				return err
			}
			once, err := redeem(web, with)
			if err != nil {
				return err
			}
			_, err = redeem(web, with)
			return errors.Join(refused(err, "invalid_grant"), refusedRefresh(web, once.token.RefreshToken, "invalid_grant"))
		}},
		{"wrong-verifier", func() error {
			with, err := authorize(web, "allow")
			if err != nil {
				return err
			}
			_, failed := redeem(web, &answer{with.code, oauth2.GenerateVerifier(), with.nonce})
			_, err = redeem(web, with)
			return errors.Join(refused(failed, "invalid_grant"), err)
		}},
		{"wrong-secret", func() error {
			liar := config("web")
			liar.ClientSecret = "wrong"
			return refusedRefresh(liar, first.token.RefreshToken, "invalid_client")
		}},
		{"wrong-grant", func() error {
			_, err := ownToken("web", nil, resource)
			return refused(err, "unauthorized_client")
		}},
		{"wrong-token", func() error {
			_, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: first.token.AccessToken + "x", TokenType: "Bearer"}))
			return refused(err, "invalid_token")
		}},
		{"login-required", func() error {
			// Somebody who has just come.
			return refusedLogIn(web, "login_required", "allow", param("prompt", "none"), param("max_age", "0"))
		}},
	}
}
