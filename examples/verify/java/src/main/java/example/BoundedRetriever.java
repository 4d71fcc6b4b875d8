// A GET whose answer comes from the address that was asked, in time, and not without an end; holds no rule of what an answer says.
package example;

import com.nimbusds.jose.util.Resource;
import com.nimbusds.jose.util.ResourceRetriever;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The library's own has a time-out for each read, which an answer that drips never meets; here it is for all of it. No redirect is followed. May be shared by threads. */
final class BoundedRetriever implements ResourceRetriever {
  private static final long TIMEOUT_MS = 5_000;

  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final int longest;

  /** An answer may have so many bytes. */
  BoundedRetriever(int longest) {
    this.longest = longest;
  }

  @Override
  public Resource retrieveResource(URL url) throws IOException {
    var body = new ByteArrayOutputStream();
    var asked = http.sendAsync(HttpRequest.newBuilder(URI.create(url.toString())).build(), BodyHandlers.ofByteArrayConsumer(piece -> append(body, piece)));
    try {
      var answer = asked.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
      if (answer.statusCode() != 200) throw new IOException("the answer was " + answer.statusCode());
      return new Resource(body.toString(StandardCharsets.UTF_8), answer.headers().firstValue("content-type").orElse(null));
    } catch (TimeoutException e) {
      throw new IOException("the answer has not come in time", e);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    } finally {
      // Ends the connection where the answer has not come whole.
      asked.cancel(true);
    }
  }

  private void append(ByteArrayOutputStream body, Optional<byte[]> piece) {
    if (piece.isEmpty()) return;
    if (body.size() + piece.get().length > longest) throw new IllegalStateException("the answer is too long");
    body.writeBytes(piece.get());
  }
}
