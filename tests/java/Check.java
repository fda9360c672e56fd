import feast.remote.FeastException;
import feast.remote.FeastRemote;
import feast.remote.Frame;
import feast.remote.Request;
import feast.remote.Response;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** What the package promises beyond the example: what is freed cannot be read, cancelling, closing, bad input. */
final class Check {
    public static void main(String[] arguments) throws IOException {
        String url = arguments[0];
        Request request = new Request("driver_hourly_stats:conv_rate").entity("driver_id", 1001, 1002);
        FeastRemote remote = FeastRemote.open(Map.of("path", url));

        Response response = remote.getOnlineFeatures(request);
        MemorySegment rates = response.float64(1);
        expect("INT64 for doubles", response.int64(1) == null && response.type(1) == Response.DOUBLE);
        expect("a column by its name", response.float64("conv_rate").getAtIndex(ValueLayout.JAVA_DOUBLE, 0) > 0);
        fails(FeastException.class, () -> response.bool("conv_rate"));
        fails(FeastException.class, () -> response.float64("conv_rat"));
        expect("counts", response.numColumns() == 2 && response.numEntities() == 1 && response.column("none") == -1);
        expect("a name", response.name(1).equals("conv_rate") && !response.isNull(1, 0));
        fails(IllegalArgumentException.class, () -> response.copyInto(new float[1], 1, 0));
        fails(IndexOutOfBoundsException.class, () -> rates.getAtIndex(ValueLayout.JAVA_DOUBLE, 2));
        response.close();
        response.close();
        fails(IllegalStateException.class, () -> rates.getAtIndex(ValueLayout.JAVA_DOUBLE, 0));
        fails(IllegalStateException.class, response::numColumns);

        // A future's answer may be read by a thread that did not ask.
        double rate = remote.getOnlineFeaturesAsync(request)
                .thenApplyAsync(answer -> {
                    try (answer) {
                        return answer.float64(1).getAtIndex(ValueLayout.JAVA_DOUBLE, 0);
                    }
                })
                .join();
        expect("a rate", rate > 0);

        int cancelled = 0;
        for (int i = 0; i < 200; i++) {
            CompletableFuture<Response> future = remote.getOnlineFeaturesAsync(request);
            if (future.cancel(true)) {
                cancelled++;
                fails(CancellationException.class, future::join);
            } else {
                // This thread did not run for so long that the answer was there first.
                future.join().close();
            }
        }
        expect("cancelled futures", cancelled > 0);

        long together = 1;
        try (FeastRemote merging = FeastRemote.open(
                Map.of("path", url, "merge_max_rows", "64", "merge_in_flight", "1", "merge_check", "false"))) {
            for (int round = 0; together == 1 && round < 1000; round++) {
                List<CompletableFuture<Response>> calls = new ArrayList<>();
                for (long driver = 1001; driver < 1010; driver++) {
                    calls.add(merging.getOnlineFeaturesAsync(
                            new Request("driver_hourly_stats:conv_rate").entity("driver_id", driver).merge(driver != 1009)));
                }
                for (int i = 0; i < 9; i++) {
                    try (Response answer = calls.get(i).join()) {
                        expect("its own row", answer.int64(0).getAtIndex(ValueLayout.JAVA_LONG, 0) == 1001 + i);
                        expect("alone", i < 8 || answer.callsInRequest() == 1);
                        together = Math.max(together, answer.callsInRequest());
                    }
                }
            }
        }
        expect("merged calls", together > 1);

        Instant then = Instant.parse("2026-01-01T00:00:00Z");
        Frame frame = new Frame()
                .longs("driver_id", List.of(40_001L, 40_002L))
                .longs("number", Arrays.asList(1L << 53 | 1, null))
                .instants("event_timestamp", List.of(then, then));
        remote.checkHealth();
        expect("Prometheus' text", FeastRemote.prometheus(Map.of("mine", remote)).contains("feast_remote_calls_total{store=\"mine\""));
        fails("INVALID_ARGUMENT", () -> FeastRemote.prometheus(Map.of()));
        expect("rows written", remote.writeToOnlineStore("written_number", frame) == 2);
        try (Response answer = remote.getOnlineFeatures(new Request("written_number:number").entity("driver_id", 40_001, 40_002))) {
            expect("what was written", answer.int64("number").getAtIndex(ValueLayout.JAVA_LONG, 0) == (1L << 53 | 1));
            expect("a null", answer.isNull(1, 1) && answer.eventTimestamps(1).getAtIndex(ValueLayout.JAVA_LONG, 1) > 0);
        }
        fails("INVALID_ARGUMENT", () -> remote.push("written_push", new Frame().doubles("x", List.of(1.0)), FeastRemote.ONLINE));
        try {
            remote.push("no_such_source", frame.strings("text", Arrays.asList("a", null)).json("json", "[1, {}]"), FeastRemote.ONLINE);
            throw new AssertionError("a source that there is not");
        } catch (FeastException failure) {
            expect("rows that were not written", failure.unwrittenRows().length == 2 && failure.rowsWritten() == 0);
        }
        fails("INVALID_ARGUMENT", () -> remote.retrieveOnlineDocuments(List.of("docs:text"), new float[0], 1, null));

        fails("CONFIG", () -> FeastRemote.open(Map.of("path", url, "no_such_key", "1")));
        fails("INVALID_ARGUMENT", () -> new Request("no colon"));
        fails("INVALID_ARGUMENT", () -> new Request().entityJson("driver_id", "{"));
        Request impatient = new Request("driver_hourly_stats:conv_rate").entity("driver_id", "ü", "").timeout(Duration.ofMillis(1));
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                FeastRemote slow = FeastRemote.open(Map.of("path", "http://127.0.0.1:" + silent.getLocalPort()))) {
            fails("TIMEOUT", () -> slow.getOnlineFeatures(impatient));
            for (Duration left : List.of(Duration.ZERO, Duration.ofNanos(-500_000), Duration.ofSeconds(Long.MIN_VALUE))) {
                impatient.timeout(left);
                failsWith("the time was up before anything was sent", () -> slow.getOnlineFeatures(impatient));
                failsWith("the time was up before anything was sent", () -> slow.getOnlineFeaturesAsync(impatient).join());
            }
            slow.setToken("a-token");
            fails("INVALID_ARGUMENT", () -> slow.setToken("Bearer a-token"));
            expect("figures", slow.statsJson().startsWith("{"));
        }

        List<CompletableFuture<Response>> under = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            under.add(remote.getOnlineFeaturesAsync(request));
        }
        Thread.currentThread().interrupt();
        remote.close();
        expect("the interrupt is kept", Thread.interrupted());
        remote.close();
        int closed = 0;
        for (CompletableFuture<Response> future : under) {
            try {
                future.join().close();
            } catch (CompletionException failure) {
                expect("CLOSED", ((FeastException) failure.getCause()).status().equals("CLOSED"));
                closed++;
            }
        }
        expect("some calls were under way", closed > 0);
        FeastRemote other = FeastRemote.open(Map.of("path", url));
        other.getOnlineFeaturesAsync(request).thenAccept(answer -> {
            answer.close();
            other.close();
        }).join();
        fails("CLOSED", () -> other.getOnlineFeatures(request).close());
        fails("CLOSED", () -> remote.getOnlineFeatures(request));
        fails(IllegalStateException.class, () -> remote.getOnlineFeaturesAsync(request));
    }

    private static void expect(String what, boolean holds) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void fails(Class<? extends RuntimeException> kind, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException failure) {
            expect(kind + ", not " + failure, kind.isInstance(failure));
            return;
        }
        throw new AssertionError("no " + kind);
    }

    private static void failsWith(String words, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException failure) {
            expect(words + ", not " + failure, failure.getMessage().contains(words));
            return;
        }
        throw new AssertionError("no " + words);
    }

    private static void fails(String status, Runnable call) {
        try {
            call.run();
        } catch (FeastException failure) {
            expect(status + ", not " + failure, failure.status().equals(status));
            return;
        }
        throw new AssertionError("no " + status);
    }
}
