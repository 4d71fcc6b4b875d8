// Goes through all steps with nimbus oauth2-oidc-sdk; holds no rule of the protocol, which is the library's.
package example;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.*;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.oauth2.sdk.token.*;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.claims.AccessTokenHash;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.*;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.*;
import java.util.function.Consumer;

public final class Main {
  private static final Scope SCOPE = Scope.parse("openid profile email offline_access orders");
  private static final Issuer ISSUER = new Issuer(System.getenv("ISSUER"));
  private static final URI CALLBACK = URI.create(System.getenv("CALLBACK"));
  private static final URI AFTER_LOG_OUT = URI.create(System.getenv("AFTER_LOG_OUT"));
  private static final URI RESOURCE = URI.create(System.getenv("RESOURCE"));
  private static final URI OTHER_RESOURCE = URI.create(System.getenv("OTHER_RESOURCE"));
  private static final URI STRANGER = URI.create("https://stranger.example/");

  private static OIDCProviderMetadata server;
  private static Map<String, Object> clients;

  /** A step, which may throw anything. */
  private interface Step { void take() throws Exception; }

  /** What is refused, in the words of a standard or of a page. */
  private static final class Refused extends Exception {
    Refused(String message) { super(message); }
  }

  private record Answer(AuthorizationCode code, CodeVerifier verifier, Nonce nonce, URI redirect) {}

  private record LogIn(AccessToken access, RefreshToken refresh, com.nimbusds.jwt.JWT idToken, IDTokenClaimsSet claims) {}

  /** A client, and how it proves itself; null where it does not. */
  private record Party(ClientID id, ClientAuthentication proof) {}

  public static void main(String[] args) throws Exception {
    clients = JSONObjectUtils.parse(System.getenv("CLIENTS"));
    server = OIDCProviderMetadata.resolve(ISSUER);
    var web = basic("web", secretOf("web"));
    var first = logIn(web, "allow", with -> {});
    for (var step : steps(web, first).entrySet()) {
      try {
        step.getValue().take();
        System.out.println("passed " + step.getKey());
      } catch (Exception | AssertionError e) {
        System.out.println("failed " + step.getKey() + ": " + e.toString().replaceAll("\\s+", " "));
      }
    }
    // The library's own threads, which read keys ahead of time, would keep the program alive.
    System.exit(0);
  }

  private static Map<String, Step> steps(Party web, LogIn first) throws Exception {
    var open = new Party(idOf("public"), null);
    var service = basic("service", secretOf("service"));
    var orders = new Scope("orders");
    var steps = new LinkedHashMap<String, Step>();
    steps.put("discovery", () -> same(AuthorizationServerMetadata.resolve(ISSUER).toJSONObject().get("status_list_aggregation_endpoint"), ISSUER + "/status-lists"));
    steps.put("code", () -> same(List.of(first.access.getType(), first.access.getScope(), first.access.getLifetime()), List.of(AccessTokenType.BEARER, SCOPE, 600L)));
    steps.put("id-token", () -> same(List.of(first.claims.getAMR().get(0).getValue(), first.claims.getBooleanClaim("email_verified"), first.claims.getSessionID() != null), List.of("pwd", false, true)));
    steps.put("userinfo", () -> {
      var info = userInfo(first.access);
      same(List.of(info.getSubject(), info.getName(), info.getEmailVerified()), List.of(first.claims.getSubject(), "Ada", false));
    });
    steps.put("refresh", () -> {
      var next = refresh(web, first.refresh, new Scope("openid", "orders"));
      same(List.of(next.getRefreshToken().equals(first.refresh), next.getAccessToken().getScope()), List.of(false, new Scope("openid", "orders")));
    });
    steps.put("repeat", () -> same(refresh(web, first.refresh, null).getRefreshToken(), refresh(web, first.refresh, null).getRefreshToken()));
    steps.put("reuse", () -> {
      var used = logIn(web, "allow", with -> {});
      var third = refresh(web, refresh(web, used.refresh, null).getRefreshToken(), null);
      refused("invalid_grant", () -> refresh(web, used.refresh, null));
      refused("invalid_grant", () -> refresh(web, third.getRefreshToken(), null));
    });
    steps.put("resource", () -> {
      var of = logIn(web, "allow", with -> with.resources(OTHER_RESOURCE));
      same(introspect(web, of.access).toSuccessResponse().getAudience(), Audience.create(OTHER_RESOURCE.toString()));
      refused("invalid_target", () -> logIn(web, "allow", with -> with.resources(STRANGER)));
    });
    steps.put("silent", () -> same(logIn(web, "allow", with -> with.prompt(new Prompt(Prompt.Type.NONE))).claims.getSubject(), first.claims.getSubject()));
    steps.put("max-age", () -> logIn(web, "allow", with -> with.maxAge(0)));
    steps.put("public", () -> refresh(open, logIn(open, "allow", with -> {}).refresh, null));
    steps.put("loopback", () -> logIn(open, "allow", with -> with.redirectionURI(URI.create(CALLBACK.toString().replaceAll(":\\d+/", ":65000/")))));
    steps.put("secret-post", () -> logIn(post(secretOf("post")), "allow", with -> {}));
    steps.put("private-key", () -> {
      // An assertion is good once.
      refresh(signing(), logIn(signing(), "allow", with -> {}).refresh, null);
    });
    steps.put("client-credentials", () -> {
      var token = ownToken(service, orders, OTHER_RESOURCE);
      same(Arrays.asList(token.getAccessToken().getScope(), token.getRefreshToken()), Arrays.asList(orders, null));
    });
    steps.put("introspection", () -> {
      var told = introspect(web, first.access).toSuccessResponse();
      same(List.of(told.isActive(), told.getSubject(), told.getClientID(), told.getScope(), told.getAudience()), List.of(true, first.claims.getSubject(), web.id, SCOPE, Audience.create(RESOURCE.toString())));
      same(introspect(post(secretOf("post")), first.refresh).toSuccessResponse().isActive(), false);
    });
    steps.put("revocation", () -> {
      var of = logIn(web, "allow", with -> {});
      same(new TokenRevocationRequest(server.getRevocationEndpointURI(), web.proof, of.refresh).toHTTPRequest().send().getStatusCode(), 200);
      same(introspect(web, of.access).toSuccessResponse().isActive(), false);
      refused("invalid_token", () -> userInfo(of.access));
    });
    steps.put("access-denied", () -> refused("access_denied", () -> logIn(web, "deny", with -> with.prompt(new Prompt(Prompt.Type.CONSENT)))));
    steps.put("untrusted-redirect", () -> refused("400 You cannot be sent on", () -> logIn(web, "allow", with -> with.redirectionURI(STRANGER))));
    steps.put("no-challenge", () -> refused("invalid_request", () -> logIn(web, "allow", with -> with.codeChallenge((CodeVerifier) null, null))));
    steps.put("unknown-scope", () -> refused("invalid_scope", () -> ownToken(service, new Scope("admin"), RESOURCE)));
    steps.put("unknown-resource", () -> refused("invalid_target", () -> ownToken(service, orders, STRANGER)));
    steps.put("code-twice", () -> {
      var answer = authorize(web, "allow", with -> {});
      var once = redeem(web, answer);
      refused("invalid_grant", () -> redeem(web, answer));
      refused("invalid_grant", () -> refresh(web, once.refresh, null));
    });
    steps.put("wrong-verifier", () -> {
      var answer = authorize(web, "allow", with -> {});
      refused("invalid_grant", () -> redeem(web, new Answer(answer.code, new CodeVerifier(), answer.nonce, answer.redirect)));
      redeem(web, answer);
    });
    steps.put("wrong-secret", () -> {
      refused("invalid_client", () -> refresh(basic("web", "wrong"), first.refresh, null));
      refused("invalid_client", () -> refresh(post("wrong"), first.refresh, null));
    });
    steps.put("wrong-grant", () -> refused("unauthorized_client", () -> ownToken(web, orders, RESOURCE)));
    steps.put("wrong-token", () -> refused("invalid_token", () -> userInfo(new BearerAccessToken(first.access.getValue() + "x"))));
    steps.put("logout", () -> {
      var of = logIn(web, "allow", with -> {});
      var end = new LogoutRequest(server.getEndSessionEndpointURI(), of.idToken, AFTER_LOG_OUT, new State("over")).toURI();
      same(browse(end, "allow").toString(), AFTER_LOG_OUT + "?state=over");
      same(introspect(web, of.access).toSuccessResponse().isActive(), false);
    });
    steps.put("login-required", () -> refused("login_required", () -> logIn(web, "allow", with -> with.prompt(new Prompt(Prompt.Type.NONE)))));
    return steps;
  }

  private static Answer authorize(Party asking, String decision, Consumer<AuthenticationRequest.Builder> more) throws Exception {
    var verifier = new CodeVerifier();
    var nonce = new Nonce();
    var with = new AuthenticationRequest.Builder(ResponseType.CODE, SCOPE, asking.id, CALLBACK).endpointURI(server.getAuthorizationEndpointURI()).state(new State()).nonce(nonce).codeChallenge(verifier, CodeChallengeMethod.S256);
    more.accept(with);
    var request = with.build();
    var answer = AuthenticationResponseParser.parse(browse(request.toURI(), decision));
    same(List.of(answer.getState(), answer.getIssuer()), List.of(request.getState(), ISSUER));
    if (!answer.indicatesSuccess()) throw new Refused(answer.toErrorResponse().getErrorObject().getCode());
    return new Answer(answer.toSuccessResponse().getAuthorizationCode(), verifier, nonce, request.getRedirectionURI());
  }

  private static LogIn redeem(Party asking, Answer answer) throws Exception {
    var tokens = (OIDCTokens) ask(asking, new AuthorizationCodeGrant(answer.code, answer.redirect, answer.verifier), null, null);
    var keys = JWKSourceBuilder.create(server.getJWKSetURI().toURL()).build();
    var validator = new IDTokenValidator(JOSEObjectType.JWT, ISSUER, asking.id, new com.nimbusds.jose.proc.JWSVerificationKeySelector<>(JWSAlgorithm.RS256, keys), null);
    var claims = validator.validate(tokens.getIDToken(), answer.nonce);
    AccessTokenValidator.validate(tokens.getAccessToken(), JWSAlgorithm.RS256, new AccessTokenHash(claims.getStringClaim("at_hash")));
    return new LogIn(tokens.getAccessToken(), tokens.getRefreshToken(), tokens.getIDToken(), claims);
  }

  private static LogIn logIn(Party asking, String decision, Consumer<AuthenticationRequest.Builder> more) throws Exception {
    return redeem(asking, authorize(asking, decision, more));
  }

  private static Tokens refresh(Party asking, RefreshToken token, Scope scope) throws Exception {
    return ask(asking, new RefreshTokenGrant(token), scope, null);
  }

  private static Tokens ownToken(Party asking, Scope scope, URI resource) throws Exception {
    return ask(asking, new ClientCredentialsGrant(), scope, List.of(resource));
  }

  private static Tokens ask(Party asking, AuthorizationGrant grant, Scope scope, List<URI> resources) throws Exception {
    var endpoint = server.getTokenEndpointURI();
    var request = asking.proof == null
      ? new TokenRequest.Builder(endpoint, asking.id, grant)
      : new TokenRequest.Builder(endpoint, asking.proof, grant);
    if (scope != null) request.scope(scope);
    if (resources != null) request.resources(resources.toArray(URI[]::new));
    var response = OIDCTokenResponseParser.parse(request.build().toHTTPRequest().send());
    if (!response.indicatesSuccess()) throw new Refused(response.toErrorResponse().getErrorObject().getCode());
    return response.toSuccessResponse().getTokens();
  }

  private static com.nimbusds.openid.connect.sdk.claims.UserInfo userInfo(AccessToken token) throws Exception {
    var response = UserInfoResponse.parse(new UserInfoRequest(server.getUserInfoEndpointURI(), token).toHTTPRequest().send());
    if (!response.indicatesSuccess()) throw new Refused(response.toErrorResponse().getErrorObject().getCode());
    return response.toSuccessResponse().getUserInfo();
  }

  private static TokenIntrospectionResponse introspect(Party asking, Token token) throws Exception {
    return TokenIntrospectionResponse.parse(new TokenIntrospectionRequest(server.getIntrospectionEndpointURI(), asking.proof, token).toHTTPRequest().send());
  }

  private static URI browse(URI address, String decision) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(System.getenv("PERSON") + "?decision=" + decision)).POST(HttpRequest.BodyPublishers.ofString(address.toString())).build();
    var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) throw new Refused(response.body());
    return URI.create(response.body());
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> told(String name) {
    return (Map<String, Object>) clients.get(name);
  }

  private static ClientID idOf(String name) {
    return new ClientID((String) told(name).get("client_id"));
  }

  private static String secretOf(String name) {
    return (String) told(name).get("client_secret");
  }

  private static Party basic(String name, String secret) {
    return new Party(idOf(name), new ClientSecretBasic(idOf(name), new Secret(secret)));
  }

  private static Party post(String secret) {
    return new Party(idOf("post"), new ClientSecretPost(idOf("post"), new Secret(secret)));
  }

  @SuppressWarnings("unchecked")
  private static Party signing() throws Exception {
    var key = ECKey.parse((Map<String, Object>) told("key").get("jwk"));
    return new Party(idOf("key"), new PrivateKeyJWT(idOf("key"), server.getTokenEndpointURI(), JWSAlgorithm.ES256, key.toECPrivateKey(), key.getKeyID(), null));
  }

  private static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " is not " + expected);
  }

  private static void refused(String code, Step step) throws Exception {
    try {
      step.take();
    } catch (Refused e) {
      if (!e.getMessage().contains(code)) throw e;
      return;
    }
    throw new AssertionError("was answered");
  }
}
