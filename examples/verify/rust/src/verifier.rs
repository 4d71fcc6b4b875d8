// Verifies access tokens of Signet with nothing but its public keys and status lists; holds no HTTP of its own service and no answer.

use std::error::Error;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::keys::Keys;
use crate::status_lists::StatusLists;

#[derive(Debug, Deserialize)]
pub struct Claims {
    pub sub: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Make one and keep it: it holds the keys and the lists. It may be shared by threads.
pub struct Verifier {
    keys: Keys,
    lists: StatusLists,
    expected: Validation,
}

impl Verifier {
    pub fn new(jwks_url: &str, issuer: &str, audience: &str) -> Self {
        let mut expected = Validation::new(Algorithm::RS256);
        expected.set_issuer(&[issuer]);
        expected.set_audience(&[audience]);
        // An absent claim passes, and `nbf` is not looked at, unless it is said here.
        expected.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        expected.validate_nbf = true;
        Self {
            keys: Keys::new(jwks_url),
            lists: StatusLists::new(jwks_url, issuer),
            expected,
        }
    }

    /// The claims of a good token, and an error for any other.
    pub fn verify(&self, token: &str) -> Result<Claims, Box<dyn Error>> {
        let header = decode_header(token)?;
        // jsonwebtoken leaves the type of a token to its caller.
        if header.typ.as_deref() != Some("at+jwt") {
            return Err("the token is not an access token".into());
        }
        let key = self
            .keys
            .find(&header.kid.ok_or("the token names no key")?)?;
        let claims: Claims = decode(token, &key, &self.expected)?.claims;
        self.lists.check(claims.others.get("status"), &self.keys)?;
        Ok(claims)
    }
}
