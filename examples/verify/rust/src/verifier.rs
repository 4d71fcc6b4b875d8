// Verifies access tokens of Signet with nothing but its public keys; holds no HTTP of its own service and no answer.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Keys are fetched anew once they are this old.
const LIFE: Duration = Duration::from_secs(300);
/// They serve on for this long while they cannot be fetched.
const STALE: Duration = Duration::from_secs(3600);
/// An unknown key id, or a fetch that failed, leads to another fetch only after this long.
const COOLDOWN: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
pub struct Claims {
    pub sub: String,
}

/// Make one and keep it: it holds the keys. It may be shared by threads.
pub struct Verifier {
    keys: Keys,
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
        Ok(decode(token, &key, &self.expected)?.claims)
    }
}

/// The authority's keys by their ids, for jsonwebtoken has no client.
struct Keys {
    url: String,
    agent: ureq::Agent,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    keys: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self {
            url: url.into(),
            agent,
            cache: Mutex::default(),
        }
    }

    fn find(&self, id: &str) -> Result<DecodingKey, Box<dyn Error>> {
        // The lock is held while keys are fetched: whoever needs them waits for one fetch instead of starting another.
        let mut cache = self.cache.lock().unwrap();
        let is_wanted = !is_within(cache.fetched, LIFE) || !cache.keys.contains_key(id);
        if is_wanted && !is_within(cache.tried, COOLDOWN) {
            cache.tried = Some(Instant::now());
            match self.fetch() {
                Ok(keys) => (cache.keys, cache.fetched) = (keys, cache.tried),
                Err(error) => eprintln!("the keys could not be fetched: {error}"),
            }
        }
        if !is_within(cache.fetched, STALE) {
            return Err("there are no keys that are fresh enough".into());
        }
        Ok(cache.keys.get(id).ok_or("the key is unknown")?.clone())
    }

    fn fetch(&self) -> Result<HashMap<String, DecodingKey>, Box<dyn Error>> {
        let jwks: Jwks = self.agent.get(&self.url).call()?.body_mut().read_json()?;
        // One by one: a key of a kind that is not known here must not cost the others.
        let keys: HashMap<_, _> = jwks.keys.into_iter().filter_map(read_key).collect();
        if keys.is_empty() {
            Err("there are none that can be used".into())
        } else {
            Ok(keys)
        }
    }
}

fn read_key(value: serde_json::Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, key))
}

fn is_within(at: Option<Instant>, duration: Duration) -> bool {
    at.is_some_and(|at| at.elapsed() < duration)
}
