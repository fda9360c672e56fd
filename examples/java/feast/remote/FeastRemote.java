package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An open store: a pool of connections to one Feast feature server. Any number of threads may use it.
 *
 * <pre>{@code
 * try (var remote = FeastRemote.open(Map.of("path", "http://localhost:6566"));
 *         var response = remote.getOnlineFeatures(
 *                 new Request("driver_hourly_stats:avg_daily_trips").entity("driver_id", 1001, 1002))) {
 *     MemorySegment trips = response.int64(response.column("avg_daily_trips"));
 *     System.out.println(trips.getAtIndex(JAVA_LONG, 0));
 * }
 * }</pre>
 *
 * Needs Java 22 and --enable-native-access. Copy the package, and change it as you like.
 */
public final class FeastRemote implements AutoCloseable {
    private static final int BATCH = 64;

    private final MemorySegment handle;
    private final MemorySegment queue;
    private final Thread poller;
    private final ConcurrentHashMap<Long, Future> pending = new ConcurrentHashMap<>();
    private final AtomicLong lastTag = new AtomicLong();
    /** Held shared while a call is handed to the queue, so that no other thread frees that meanwhile. */
    private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();
    private volatile boolean closed;

    private FeastRemote(MemorySegment handle, MemorySegment queue) {
        this.handle = handle;
        this.queue = queue;
        poller = Thread.ofPlatform().daemon().name("feast-remote").start(this::poll);
    }

    /** Opens a store with the keys of CONFIGURATION.md; nothing goes over the network before the first call. */
    public static FeastRemote open(Map<String, String> config) {
        return open(null, config);
    }

    /** Opens the online store of a feature_store.yaml, with more keys on top of it. */
    public static FeastRemote open(Path yaml, Map<String, String> config) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment settings = (MemorySegment) Native.CONFIG_NEW.invokeExact();
            try {
                if (yaml != null) {
                    MemorySegment path = arena.allocateFrom(yaml.toString());
                    Native.check(arena, error -> (int) Native.CONFIG_LOAD_YAML.invokeExact(settings, path, error));
                }
                config.forEach((key, value) -> {
                    MemorySegment name = arena.allocateFrom(key);
                    MemorySegment text = arena.allocateFrom(value);
                    Native.check(arena, error -> (int) Native.CONFIG_SET.invokeExact(settings, name, text, error));
                });
                MemorySegment queue = arena.allocate(ADDRESS);
                Native.check(arena, error -> (int) Native.QUEUE_OPEN.invokeExact(queue, error));
                MemorySegment remote = arena.allocate(ADDRESS);
                try {
                    Native.check(arena, error -> (int) Native.OPEN.invokeExact(settings, remote, error));
                } catch (FeastException failure) {
                    Native.QUEUE_FREE.invokeExact(queue.get(ADDRESS, 0));
                    throw failure;
                }
                return new FeastRemote(remote.get(ADDRESS, 0), queue.get(ADDRESS, 0));
            } finally {
                Native.CONFIG_FREE.invokeExact(settings);
            }
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Fetches features and waits for them on this thread; a virtual thread better joins the future of the other way. */
    public Response getOnlineFeatures(Request request) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment response = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.GET.invokeExact(handle, request.handle, response, error));
            return new Response(response.get(ADDRESS, 0));
        }
    }

    /**
     * Fetches features without holding a thread. Cancelling the future cancels the call. Failures are FeastExceptions; after
     * {@link #close} this throws IllegalStateException. What is chained to the future without Async runs on the thread that
     * completes all of the store's futures: keep it short, and wait for none of them there. An answer belongs to the thread
     * that reads it first, so read and close it in one stage.
     */
    public CompletableFuture<Response> getOnlineFeaturesAsync(Request request) {
        Future future = new Future();
        long tag = lastTag.incrementAndGet();
        open.readLock().lock();
        if (closed) {
            open.readLock().unlock();
            throw new IllegalStateException("the store was closed");
        }
        pending.put(tag, future);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.GET_ASYNC.invokeExact(
                    handle, request.handle, queue, MemorySegment.ofAddress(tag), call, error));
            future.started(call.get(ADDRESS, 0));
        } catch (FeastException refused) {
            pending.remove(tag);
            future.completeExceptionally(refused);
        } finally {
            open.readLock().unlock();
        }
        return future;
    }

    /**
     * The next attempts use this bearer token, at any time. With the key auth set to host calls wait for the first one, and
     * after a 401 for a newer one.
     */
    public void setToken(String token) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(token);
            Native.check(arena, error -> (int) Native.SET_TOKEN.invokeExact(handle, text, error));
        }
    }

    /** Where a push goes. */
    public static final int ONLINE = 1, OFFLINE = 2, ONLINE_AND_OFFLINE = 3;

    /**
     * Writes rows to a push source, waits for it, and returns their number. The column of event timestamps is event_timestamp. A
     * FeastException knows the rows that were not written.
     */
    public long push(String pushSource, Frame frame, int to) {
        return write("event_timestamp", pushSource, (name, options, written, error) ->
                (int) Native.PUSH.invokeExact(handle, name, frame.handle, to, options, written, error));
    }

    /** Writes rows to the online store of a feature view; likewise. */
    public long writeToOnlineStore(String featureView, Frame frame) {
        return writeToOnlineStore(featureView, frame, "event_timestamp");
    }

    /** The same, with the name of the column of event timestamps. */
    public long writeToOnlineStore(String featureView, Frame frame, String timestampField) {
        return write(timestampField, featureView, (name, options, written, error) ->
                (int) Native.WRITE_TO_ONLINE_STORE.invokeExact(handle, name, frame.handle, options, written, error));
    }

    private interface Write {
        int call(MemorySegment name, MemorySegment options, MemorySegment written, MemorySegment error) throws Throwable;
    }

    private static long write(String timestampField, String name, Write write) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment options = (MemorySegment) Native.OPTIONS_NEW.invokeExact();
            try {
                MemorySegment field = arena.allocateFrom(timestampField);
                Native.check(arena, error -> (int) Native.OPTIONS_TIMESTAMP_FIELD.invokeExact(options, field, error));
                MemorySegment written = arena.allocate(ADDRESS);
                MemorySegment text = arena.allocateFrom(name);
                Native.check(arena, error -> write.call(text, options, written, error));
                long rows = (long) Native.ROWS_WRITTEN.invokeExact(written.get(ADDRESS, 0));
                Native.WRITE_FREE.invokeExact(written.get(ADDRESS, 0));
                return rows;
            } finally {
                Native.OPTIONS_FREE.invokeExact(options);
            }
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /**
     * The documents nearest to a vector, nearest first: join keys, features and "distance". Filters are JSON, or null.
     */
    public Response retrieveOnlineDocuments(List<String> features, float[] query, long topK, String filters) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment search = (MemorySegment) Native.SEARCH_NEW.invokeExact();
            try {
                for (String feature : features) {
                    MemorySegment text = arena.allocateFrom(feature);
                    Native.check(arena, error -> (int) Native.SEARCH_ADD_FEATURE.invokeExact(search, text, error));
                }
                MemorySegment vector = arena.allocateFrom(JAVA_FLOAT, query);
                long count = query.length;
                Native.check(arena, error -> (int) Native.SEARCH_SET_QUERY.invokeExact(search, vector, count, error));
                Native.check(arena, error -> (int) Native.SEARCH_SET_TOP_K.invokeExact(search, topK, error));
                if (filters != null) {
                    MemorySegment json = arena.allocateFrom(filters);
                    Native.check(arena, error -> (int) Native.SEARCH_SET_FILTERS.invokeExact(search, json, error));
                }
                MemorySegment response = arena.allocate(ADDRESS);
                Native.check(arena, error ->
                        (int) Native.RETRIEVE_ONLINE_DOCUMENTS.invokeExact(handle, search, response, error));
                return new Response(response.get(ADDRESS, 0));
            } finally {
                Native.SEARCH_FREE.invokeExact(search);
            }
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** The figures of several stores, by their names, in Prometheus' text format: what a handler of /metrics writes. */
    public static String prometheus(Map<String, FeastRemote> stores) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handles = arena.allocate(ADDRESS, stores.size() + 1L);
            MemorySegment names = arena.allocate(ADDRESS, stores.size() + 1L);
            long count = 0;
            for (Map.Entry<String, FeastRemote> store : stores.entrySet()) {
                handles.setAtIndex(ADDRESS, count, store.getValue().handle);
                names.setAtIndex(ADDRESS, count, arena.allocateFrom(store.getKey()));
                count++;
            }
            long stored = count;
            MemorySegment text = arena.allocate(ADDRESS);
            MemorySegment length = arena.allocate(JAVA_LONG);
            Native.check(arena, error ->
                    (int) Native.STATS_PROMETHEUS.invokeExact(handles, names, stored, text, length, error));
            MemorySegment found = text.get(ADDRESS, 0);
            String copied = found.reinterpret(length.get(JAVA_LONG, 0) + 1).getString(0, StandardCharsets.UTF_8);
            Native.STRING_FREE.invokeExact(found);
            return copied;
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Throws a FeastException unless the server says that it is well. */
    public void checkHealth() {
        try (Arena arena = Arena.ofConfined()) {
            Native.check(arena, error -> (int) Native.CHECK_HEALTH.invokeExact(handle, error));
        }
    }

    /** The store's figures so far, as STATISTICS.md describes them. */
    public String statsJson() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment json = arena.allocate(ADDRESS);
            MemorySegment length = arena.allocate(JAVA_LONG);
            Native.check(arena, error -> (int) Native.STATS_JSON.invokeExact(handle, json, length, error));
            MemorySegment text = json.get(ADDRESS, 0);
            String copied = text.reinterpret(length.get(JAVA_LONG, 0) + 1).getString(0, StandardCharsets.UTF_8);
            Native.STRING_FREE.invokeExact(text);
            return copied;
        } catch (RuntimeException | Error expected) {
            throw expected;
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Ends the calls under way with status CLOSED and closes every connection. Answers stay as they are. */
    @Override
    public void close() {
        open.writeLock().lock();
        boolean first = !closed;
        closed = true;
        open.writeLock().unlock();
        if (!first) {
            return;
        }
        try {
            Native.CLOSE.invokeExact(handle);
            // Each call that was accepted has its event in the queue now; the poller takes them out, and frees the queue.
            Native.QUEUE_WAKE.invokeExact(queue);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
        // In what is chained to a future this is the poller itself.
        boolean interrupted = false;
        while (Thread.currentThread() != poller) {
            try {
                poller.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void poll() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment events = arena.allocate(ADDRESS, BATCH);
            // Closed, there is one event for each call that is still pending.
            while (!closed || !pending.isEmpty()) {
                long count = (long) Native.POLL_BATCH.invokeExact(queue, -1L, events, (long) BATCH);
                for (long i = 0; i < count; i++) {
                    finish(events.getAtIndex(ADDRESS, i));
                }
            }
            Native.QUEUE_FREE.invokeExact(queue);
        } catch (Throwable thrown) {
            pending.values().forEach(future -> future.completeExceptionally(thrown));
            throw Native.impossible(thrown);
        }
    }

    private void finish(MemorySegment event) throws Throwable {
        MemorySegment tag = (MemorySegment) Native.EVENT_TAG.invokeExact(event);
        Future future = pending.remove(tag.address());
        MemorySegment answer = (MemorySegment) Native.EVENT_RESPONSE.invokeExact(event);
        if (answer.equals(MemorySegment.NULL)) {
            MemorySegment error = (MemorySegment) Native.EVENT_ERROR.invokeExact(event);
            future.completeExceptionally(FeastException.of(error));
        } else {
            Response response = new Response(answer);
            if (!future.complete(response)) {
                response.close(); // it was cancelled, so nobody will
            }
        }
        Native.EVENT_FREE.invokeExact(event);
        future.ended();
    }

    /** Knows the call, to cancel it. */
    private static final class Future extends CompletableFuture<Response> {
        private MemorySegment call;
        private boolean over;

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled) {
                withCall(Native.CALL_CANCEL);
            }
            return cancelled;
        }

        /** The event may have come before the handle. */
        synchronized void started(MemorySegment handle) {
            call = handle;
            if (over) {
                free();
            } else if (isCancelled()) {
                withCall(Native.CALL_CANCEL);
            }
        }

        synchronized void ended() {
            over = true;
            free();
        }

        private void free() {
            withCall(Native.CALL_FREE);
            call = null;
        }

        private synchronized void withCall(java.lang.invoke.MethodHandle function) {
            if (call != null) {
                try {
                    function.invokeExact(call);
                } catch (Throwable thrown) {
                    throw Native.impossible(thrown);
                }
            }
        }
    }
}
