// Looks up in Signet's status lists whether a token's log-in was closed (draft-ietf-oauth-status-list-21); holds no rule of the token itself.
package example;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.InflaterInputStream;

/**
 * A list is kept for its {@code ttl}. The package @signet/verifier, for Node.js, also renews it ahead of time, so that nobody waits.
 * May be shared by threads.
 */
final class StatusLists {
  private static final int LONGEST_ANSWER = 16 << 20;
  private static final int LARGEST_LIST = 8 << 20;
  private static final double DEFAULT_TTL = 10;
  private static final double LONGEST_TTL = 300;
  private static final long PAUSE_NANOSECONDS = 1_000_000_000;
  private static final long CLOCK_TOLERANCE_MS = 300_000;
  private static final Pattern PATH = Pattern.compile("/status-lists/[0-9]+");

  private static final class Listed {
    private byte[] bits;
    private double ttl;
    private long until = System.nanoTime();
  }

  private final String base;
  private final String issuer;
  private final String origin;
  private final JWKSource<SecurityContext> keys;
  private final Map<String, Listed> lists = new HashMap<>();
  private final BoundedRetriever http = new BoundedRetriever(LONGEST_ANSWER);

  StatusLists(URL jwks, String issuer, JWKSource<SecurityContext> keys) {
    this.base = jwks.toString().replace("/.well-known/jwks.json", "");
    this.issuer = issuer;
    this.origin = issuer.replaceFirst("/$", "");
    this.keys = keys;
  }

  /** Throws where the log-in behind a token was closed. The token's signature must have been verified. */
  void check(JWTClaimsSet claims) throws BadJWTException {
    if (!claims.getClaims().containsKey("status")) return;
    if (!(claims.getClaim("status") instanceof Map<?, ?> status)) throw new BadJWTException("the status is no object");
    // Other mechanisms than lists are not ours.
    if (!status.containsKey("status_list")) return;
    if (!(status.get("status_list") instanceof Map<?, ?> reference
        && reference.get("idx") instanceof Long idx && idx >= 0
        && reference.get("uri") instanceof String uri && isOurs(uri))) {
      throw new BadJWTException("the status has another form");
    }
    var bits = lookUp(uri);
    // Without a list the token is good, so that an outage of Signet is none of yours.
    if (bits == null) return;
    if (idx >= bits.length * 8L) throw new BadJWTException("the status index is beyond the list");
    // A list whose renewal fails still counts here: what it says was closed stays closed.
    if ((bits[(int) (idx >> 3)] >> (idx & 7) & 1) == 1) throw new BadJWTException("the token was revoked");
  }

  /** Only Signet's own lists: nothing is fetched from elsewhere. */
  private boolean isOurs(String uri) {
    return uri.startsWith(origin) && PATH.matcher(uri.substring(origin.length())).matches();
  }

  /** The lock is held while a list is fetched: all that need it wait for one fetch. */
  private synchronized byte[] lookUp(String uri) {
    var list = lists.computeIfAbsent(uri, any -> new Listed());
    var start = System.nanoTime();
    if (start - list.until < 0) return list.bits;
    try {
      fetch(uri, list);
      list.until = start + nanoseconds(list.ttl);
    } catch (Exception e) {
      // Whatever is wrong with a list, it must not judge a token.
      System.err.println(uri + " could not be fetched, so what was closed since is not seen: " + e);
      // Soon, for closings go unseen; but where a failure takes long, tokens must not wait most of the time.
      var failed = System.nanoTime();
      list.until = failed + Math.max(PAUSE_NANOSECONDS, 2 * (failed - start));
    }
    return list.bits;
  }

  private void fetch(String uri, Listed list) throws Exception {
    var answer = http.retrieveResource(URI.create(base + uri.substring(origin.length())).toURL());
    var processor = new DefaultJWTProcessor<SecurityContext>();
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, keys));
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("statuslist+jwt"), new JOSEObjectType("application/statuslist+jwt")));
    var expected = new JWTClaimsSet.Builder().issuer(issuer).subject(uri).build();
    processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(expected, Set.of("exp", "iat")));
    var claims = processor.process(answer.getContent(), null);
    if (claims.getIssueTime().getTime() > System.currentTimeMillis() + CLOCK_TOLERANCE_MS) throw new BadJWTException("the list was issued in the future");
    var ttl = claims.getClaim("ttl") == null ? DEFAULT_TTL : claims.getDoubleClaim("ttl");
    var listed = claims.getJSONObjectClaim("status_list");
    if (!(ttl > 0) || !Long.valueOf(1).equals(listed.get("bits"))) throw new BadJWTException("the list has another form");
    list.bits = inflate((String) listed.get("lst"));
    list.ttl = Math.min(Math.max(ttl, 1), LONGEST_TTL);
  }

  private static byte[] inflate(String lst) throws IOException {
    try (var inflated = new InflaterInputStream(new ByteArrayInputStream(Base64.getUrlDecoder().decode(lst)))) {
      var bits = inflated.readNBytes(LARGEST_LIST + 1);
      if (bits.length > LARGEST_LIST) throw new IOException("the list is too large");
      return bits;
    }
  }

  private static long nanoseconds(double seconds) {
    return (long) (seconds * 1e9);
  }
}
