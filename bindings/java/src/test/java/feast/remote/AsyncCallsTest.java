package feast.remote;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Futures, threads and closing, against a server that answers when it is let. */
@Timeout(60)
final class AsyncCallsTest {
    private static OnlineFeaturesRequest rows(int count) {
        long[] ids = new long[count];
        Arrays.fill(ids, 7);
        return new OnlineFeaturesRequest("view:number").entity("id", ids).timeout(Duration.ofSeconds(50));
    }

    private static void waitUntil(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private static boolean counted(FeastRemote remote, String outcome, long calls) {
        return FeastRemote.prometheus(java.util.Map.of("s", remote)).lines()
                .anyMatch(line -> line.startsWith("feast_remote_calls_total{") && line.contains("outcome=\"" + outcome + "\"")
                        && line.endsWith("} " + calls));
    }

    @Test
    void aRequestThatIsNullIsRefusedAndCloseReturns() {
        FeastRemote remote = FeastRemote.open("http://127.0.0.1:1");
        assertThrows(NullPointerException.class, () -> remote.getOnlineFeaturesAsync(null));
        assertThrows(NullPointerException.class, () -> remote.getOnlineFeatures(null));
        remote.close();
    }

    @Test
    void aFutureThatTimesOutCancelsItsCall() throws Exception {
        try (FakeServer server = new FakeServer(1, true); FeastRemote remote = FeastRemote.open(server.url())) {
            CompletableFuture<Response> first = remote.getOnlineFeaturesAsync(rows(1)).orTimeout(1, TimeUnit.MILLISECONDS);
            assertInstanceOf(TimeoutException.class, assertThrows(CompletionException.class, first::join).getCause());
            waitUntil(() -> counted(remote, "error", 1));
            CompletableFuture<Response> second = remote.getOnlineFeaturesAsync(rows(1));
            assertThrows(TimeoutException.class, () -> second.get(1, TimeUnit.MILLISECONDS));
            assertTrue(second.isCancelled());
            waitUntil(() -> counted(remote, "error", 2));
        }
    }

    @Test
    void aCancelledFutureCancelsItsCall() throws Exception {
        try (FakeServer server = new FakeServer(1, true); FeastRemote remote = FeastRemote.open(server.url())) {
            remote.getOnlineFeaturesAsync(rows(1)).cancel(true);
            waitUntil(() -> counted(remote, "error", 1));
        }
    }

    @Test
    void answersThatNobodyClosesAreFreed() throws Exception {
        int rows = 20_000;
        try (FakeServer server = new FakeServer(rows, false); FeastRemote remote = FeastRemote.open(server.url())) {
            OnlineFeaturesRequest request = rows(rows);
            long freed = NativeObject.freed();
            List<java.lang.ref.WeakReference<Response>> dropped = new ArrayList<>();
            for (int call = 0; call < 50; call++) {
                dropped.add(new java.lang.ref.WeakReference<>(remote.getOnlineFeatures(request)));
            }
            waitUntil(() -> {
                System.gc();
                return dropped.stream().allMatch(answer -> answer.refersTo(null));
            });
            waitUntil(() -> NativeObject.freed() - freed >= 50);
        }
    }

    @Test
    void anAnswerReadByOneThreadIsClosedByAnother() {
        try (FakeServer server = new FakeServer(3, false); FeastRemote remote = FeastRemote.open(server.url())) {
            AtomicReference<MemorySegment> inPlace = new AtomicReference<>();
            Response response = remote.getOnlineFeaturesAsync(rows(3))
                    .thenApply(answer -> {
                        inPlace.set(answer.int64("number"));
                        return answer;
                    })
                    .join();
            assertEquals(7, inPlace.get().getAtIndex(ValueLayout.JAVA_LONG, 2));
            assertArrayEquals(new long[] {7, 7, 7}, response.longs("number"));
            response.close();
            response.close();
            assertThrows(IllegalStateException.class, () -> inPlace.get().getAtIndex(ValueLayout.JAVA_LONG, 2));
            assertThrows(IllegalStateException.class, () -> response.longs("number"));
        }
    }

    @Test
    void virtualThreadsThatWaitDoNotHoldTheirCarriers() throws Exception {
        int calls = 4 * Runtime.getRuntime().availableProcessors() + 8;
        try (FakeServer server = new FakeServer(1, true); FeastRemote remote = FeastRemote.open(server.url())) {
            List<Thread> threads = new ArrayList<>();
            for (int call = 0; call < calls; call++) {
                threads.add(Thread.ofVirtual().start(() -> remote.getOnlineFeatures(rows(1)).close()));
            }
            // With pinned carriers only so many calls as there are carriers would come.
            waitUntil(() -> server.asked.get() == calls);
            server.gate.countDown();
            for (Thread thread : threads) {
                thread.join();
            }
            waitUntil(() -> counted(remote, "success", calls));
        }
    }

    @Test
    void anInterruptEndsACall() throws Exception {
        try (FakeServer server = new FakeServer(1, true); FeastRemote remote = FeastRemote.open(server.url())) {
            CountDownLatch ended = new CountDownLatch(2);
            Thread platform = Thread.ofPlatform().start(() -> {
                try {
                    remote.getOnlineFeaturesInterruptibly(rows(1)).close();
                } catch (InterruptedException expected) {
                    ended.countDown();
                }
            });
            Thread virtual = Thread.ofVirtual().start(() -> {
                try {
                    remote.getOnlineFeatures(rows(1)).close();
                } catch (FeastException.Cancelled expected) {
                    if (Thread.currentThread().isInterrupted()) {
                        ended.countDown();
                    }
                }
            });
            waitUntil(() -> server.asked.get() == 2);
            platform.interrupt();
            virtual.interrupt();
            ended.await();
            waitUntil(() -> counted(remote, "error", 2));
        }
    }

    @Test
    void aClosedStoreThrowsOneKindOfException() throws Exception {
        try (FakeServer server = new FakeServer(1, true)) {
            FeastRemote remote = FeastRemote.open(server.url());
            CompletableFuture<Response> under = remote.getOnlineFeaturesAsync(rows(1));
            waitUntil(() -> server.asked.get() == 1);
            Thread.currentThread().interrupt();
            remote.close();
            assertTrue(Thread.interrupted(), "the interrupt is kept");
            remote.close();
            assertInstanceOf(FeastException.Closed.class, assertThrows(CompletionException.class, under::join).getCause());
            assertThrows(FeastException.Closed.class, () -> remote.getOnlineFeatures(rows(1)));
            CompletableFuture<Response> later = remote.getOnlineFeaturesAsync(rows(1));
            assertInstanceOf(FeastException.Closed.class, assertThrows(CompletionException.class, later::join).getCause());
            assertThrows(FeastException.Closed.class, () -> remote.setToken("a"));
            assertThrows(FeastException.Closed.class, remote::statsJson);
            assertThrows(FeastException.Closed.class, remote::checkHealth);
            Frame frame = new Frame().longs("id", List.of(1L));
            assertThrows(FeastException.Closed.class, () -> remote.push("source", frame, PushTo.ONLINE));
        }
    }

    @Test
    void aStoreMayBeClosedByWhatIsChainedToItsFuture() {
        try (FakeServer server = new FakeServer(1, false)) {
            FeastRemote remote = FeastRemote.open(server.url());
            remote.getOnlineFeaturesAsync(rows(1)).thenAccept(answer -> {
                answer.close();
                remote.close();
            }).join();
            assertThrows(FeastException.Closed.class, () -> remote.getOnlineFeatures(rows(1)));
        }
    }

    @Test
    void aTimeThatIsUpEndsACallAtOnce() {
        try (FakeServer server = new FakeServer(1, true); FeastRemote remote = FeastRemote.open(server.url())) {
            for (Duration left : List.of(Duration.ZERO, Duration.ofNanos(-500_000), Duration.ofSeconds(Long.MIN_VALUE))) {
                OnlineFeaturesRequest request = rows(1).timeout(left);
                assertThrows(FeastException.Timeout.class, () -> remote.getOnlineFeatures(request));
                CompletableFuture<Response> future = remote.getOnlineFeaturesAsync(request);
                assertInstanceOf(FeastException.Timeout.class, assertThrows(CompletionException.class, future::join).getCause());
            }
            OnlineFeaturesRequest late = rows(1).deadline(System.nanoTime() - 1);
            assertInstanceOf(FeastException.Network.class,
                    assertThrows(FeastException.Timeout.class, () -> remote.getOnlineFeatures(late)));
            assertEquals(0, server.asked.get());
        }
    }

    @Test
    void aFractionOfAMillisecondIsNotTheStoresTime() {
        try (FakeServer server = new FakeServer(1, true);
                FeastRemote remote = FeastRemote.open(Map.of("path", server.url(), "request_timeout_ms", "0"))) {
            Duration half = Duration.ofNanos(500_000);
            assertThrows(FeastException.Timeout.class, () -> remote.getOnlineFeaturesJson("{}", half));
            assertThrows(FeastException.InvalidArgument.class, () -> remote.getOnlineFeaturesJson("{}", half.negated()));
        }
    }
}
