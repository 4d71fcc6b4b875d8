// Reads tokens, one a line, and says of each whether it is good; holds no rule of verification.

mod keys;
mod status_lists;
mod verifier;

use std::env;
use std::error::Error;
use std::io::{Write, stdin, stdout};

use verifier::Verifier;

fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(
        &env::var("JWKS_URL")?,
        &env::var("ISSUER")?,
        &env::var("AUDIENCE")?,
    );
    for token in stdin().lines() {
        match verifier.verify(&token?) {
            Ok(claims) => println!("accepted {}", claims.sub),
            Err(error) => println!("refused {:?}", error.to_string()),
        }
        stdout().flush()?;
    }
    Ok(())
}
