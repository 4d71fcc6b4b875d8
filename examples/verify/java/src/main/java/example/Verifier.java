// Verifies access tokens of Signet with nothing but its public keys and status lists; holds no HTTP of its own service and no answer.
package example;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URL;
import java.text.ParseException;
import java.util.Set;

/** Make one and keep it: it holds the keys and the lists. It may be shared by threads. */
public final class Verifier {
  private static final long HOUR_MS = 3_600_000;
  private static final int LONGEST_JWKS = 64 << 10;

  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final StatusLists lists;

  public Verifier(URL jwks, String issuer, String audience) {
    // The library refuses all once its copy of the keys is five minutes old: try again, and bridge an outage.
    var keys = JWKSourceBuilder.create(jwks, new BoundedRetriever(LONGEST_JWKS)).retrying(true).outageTolerant(HOUR_MS).build();
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, keys));
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
    var expected = new JWTClaimsSet.Builder().issuer(issuer).build();
    processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(audience, expected, Set.of("exp", "sub")));
    lists = new StatusLists(jwks, issuer, keys);
  }

  /** The claims of a good token. Throws for any other. */
  public JWTClaimsSet verify(String token) throws ParseException, BadJOSEException, JOSEException {
    try {
      var claims = processor.process(token, null);
      lists.check(claims);
      return claims;
    } catch (RuntimeException e) {
      // The library throws a NullPointerException where the header is `null`.
      throw new BadJOSEException("the token cannot be read", e);
    }
  }
}
