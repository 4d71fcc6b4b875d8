// The public keys of Signet by their ids, for jsonwebtoken has no client; holds no rule of a token.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;

/// Keys are fetched anew once they are this old.
const LIFE: Duration = Duration::from_secs(300);
/// They serve on for this long while they cannot be fetched.
const STALE: Duration = Duration::from_secs(3600);
/// An unknown key id, or a fetch that failed, leads to another fetch only after this long.
const COOLDOWN: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);

pub struct Keys {
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
    pub fn new(url: &str) -> Self {
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

    pub fn find(&self, id: &str) -> Result<DecodingKey, Box<dyn Error>> {
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
