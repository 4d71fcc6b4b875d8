// Looks up in Signet's status lists whether a token's log-in was closed (draft-ietf-oauth-status-list-21); holds no rule of the token itself.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Deserialize;
use serde_json::Value;

use crate::keys::Keys;

const LONGEST_ANSWER: u64 = 16 << 20;
const LARGEST_LIST: usize = 8 << 20;
const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
/// Seconds.
const DEFAULT_TTL: f64 = 10.0;
const LONGEST_TTL: f64 = 300.0;
const CLOCK_TOLERANCE: u64 = 300;

/// A list is kept for its `ttl`. The package @signet/verifier, for Node.js, also renews it ahead of time, so that nobody waits.
pub struct StatusLists {
    issuer: String,
    base: String,
    agent: ureq::Agent,
    lists: Mutex<HashMap<String, List>>,
}

struct List {
    bits: Option<Vec<u8>>,
    until: Instant,
}

#[derive(Deserialize)]
struct ListClaims {
    iat: u64,
    ttl: Option<f64>,
    status_list: Bits,
}

#[derive(Deserialize)]
struct Bits {
    bits: u8,
    lst: String,
}

impl StatusLists {
    pub fn new(jwks_url: &str, issuer: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .build()
            .into();
        Self {
            issuer: issuer.into(),
            base: jwks_url.replace("/.well-known/jwks.json", ""),
            agent,
            lists: Mutex::default(),
        }
    }

    /// An error where the log-in behind a token was closed. The token's signature must have been verified; `claim` is its `status`.
    pub fn check(&self, claim: Option<&Value>, keys: &Keys) -> Result<(), Box<dyn Error>> {
        let Some(status) = claim else { return Ok(()) };
        let status = status.as_object().ok_or("the status is no object")?;
        // Other mechanisms than lists are not ours.
        let Some(reference) = status.get("status_list") else {
            return Ok(());
        };
        let idx = reference.get("idx").and_then(Value::as_u64);
        let uri = reference.get("uri").and_then(Value::as_str);
        let (Some(idx), Some(uri)) = (idx, uri) else {
            return Err("the status has another form".into());
        };
        // Only Signet's own lists: nothing is fetched from elsewhere.
        let path = self.path_of(uri).ok_or("the list is not Signet's")?;
        let mut lists = self.lists.lock().unwrap();
        let list = lists.entry(uri.into()).or_insert_with(List::none);
        // The lock is held while a list is fetched: all that need it wait for one fetch.
        if list.until <= Instant::now() {
            self.renew(list, uri, path, keys);
        }
        // Without a list the token is good, so that an outage of Signet is none of yours.
        let Some(bits) = &list.bits else {
            return Ok(());
        };
        let byte = bits.get(usize::try_from(idx >> 3)?);
        let byte = byte.ok_or("the status index is beyond the list")?;
        // A list whose renewal fails still counts here: what it says was closed stays closed.
        if byte >> (idx & 7) & 1 == 1 {
            return Err("the token was revoked".into());
        }
        Ok(())
    }

    fn path_of<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let origin = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let path = uri.strip_prefix(origin)?;
        let digits = path.strip_prefix("/status-lists/")?;
        let is_list = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_list.then_some(path)
    }

    fn renew(&self, list: &mut List, uri: &str, path: &str, keys: &Keys) {
        let start = Instant::now();
        match self.fetch(uri, path, keys) {
            Ok((bits, ttl)) => {
                *list = List {
                    bits: Some(bits),
                    until: start + Duration::from_secs_f64(ttl),
                }
            }
            Err(error) => {
                eprintln!(
                    "{uri} could not be fetched, so what was closed since is not seen: {error}"
                );
                // Soon, for closings go unseen; but where a failure takes long, tokens must not
                // wait most of the time.
                list.until = Instant::now() + PAUSE.max(2 * start.elapsed());
            }
        }
    }

    fn fetch(&self, uri: &str, path: &str, keys: &Keys) -> Result<(Vec<u8>, f64), Box<dyn Error>> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        if answer.status() != 200 {
            return Err(format!("the answer was {}", answer.status()).into());
        }
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER);
        let token = body.read_to_string()?;
        let header = decode_header(&token)?;
        let typ = header.typ.unwrap_or_default().to_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != "statuslist+jwt" {
            return Err("this is no status list".into());
        }
        let mut expected = Validation::new(Algorithm::RS256);
        expected.set_issuer(&[&self.issuer]);
        expected.sub = Some(uri.into());
        expected.validate_aud = false;
        expected.set_required_spec_claims(&["exp", "iss", "sub"]);
        let key = keys.find(&header.kid.ok_or("the list names no key")?)?;
        let claims: ListClaims = decode(&token, &key, &expected)?.claims;
        if claims.iat > get_current_timestamp() + CLOCK_TOLERANCE {
            return Err("the list was issued in the future".into());
        }
        let ttl = claims.ttl.unwrap_or(DEFAULT_TTL);
        if ttl <= 0.0 || claims.status_list.bits != 1 {
            return Err("the list has another form".into());
        }
        let deflated = BASE64_URL_SAFE_NO_PAD.decode(claims.status_list.lst)?;
        let bits = decompress_to_vec_zlib_with_limit(&deflated, LARGEST_LIST)
            .map_err(|error| error.to_string())?;
        Ok((bits, ttl.clamp(1.0, LONGEST_TTL)))
    }
}

impl List {
    fn none() -> Self {
        Self {
            bits: None,
            until: Instant::now(),
        }
    }
}
