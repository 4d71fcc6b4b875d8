// Reads tokens, one a line, and says of each whether it is good; holds no rule of verification.
package example;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.proc.BadJOSEException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.text.ParseException;

public final class Main {
  public static void main(String[] args) throws IOException {
    var jwks = URI.create(System.getenv("JWKS_URL")).toURL();
    var verifier = new Verifier(jwks, System.getenv("ISSUER"), System.getenv("AUDIENCE"));
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (var token = lines.readLine(); token != null; token = lines.readLine()) {
      System.out.println(verdict(verifier, token));
    }
    // The library's own threads, which read keys ahead of time, would keep the program alive.
    System.exit(0);
  }

  private static String verdict(Verifier verifier, String token) {
    try {
      return "accepted " + verifier.verify(token).getSubject();
    } catch (ParseException | BadJOSEException | JOSEException e) {
      // A reason may quote the token, and some have no message.
      return "refused " + e.toString().replaceAll("\\R", " ");
    }
  }
}
