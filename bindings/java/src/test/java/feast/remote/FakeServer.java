package feast.remote;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A feature server that answers each question with the same rows, at once or when it is let. */
final class FakeServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    /** Answers wait for it. */
    final CountDownLatch gate;
    /** What was asked. */
    final List<String> bodies = new CopyOnWriteArrayList<>();
    /** Questions that came. */
    final AtomicInteger asked = new AtomicInteger();

    /** One column "number" of rows longs, for the entity "id". */
    FakeServer(int rows, boolean waits) {
        gate = new CountDownLatch(waits ? 1 : 0);
        String values = String.join(",", Collections.nCopies(rows, "7"));
        String statuses = String.join(",", Collections.nCopies(rows, "\"PRESENT\""));
        String column = "{\"values\":[" + values + "],\"statuses\":[" + statuses + "]}";
        byte[] answer = ("{\"metadata\":{\"feature_names\":[\"id\",\"number\"]},\"results\":[" + column + "," + column + "]}")
                .getBytes(StandardCharsets.UTF_8);
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            asked.incrementAndGet();
            try {
                gate.await();
            } catch (InterruptedException over) {
                return;
            }
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            try (var body = exchange.getResponseBody()) {
                body.write(answer);
            } catch (IOException gone) {
                // the client gave up
            }
        });
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
        gate.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
