package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * An open store: a pool of connections to one Feast feature server, or to several. Any number of threads may use it.
 *
 * <pre>{@code
 * try (var remote = FeastRemote.open("http://localhost:6566");
 *         var response = remote.getOnlineFeatures(
 *                 new OnlineFeaturesRequest("driver_hourly_stats:avg_daily_trips").entity("driver_id", 1001, 1002))) {
 *     System.out.println(Arrays.toString(response.longs("avg_daily_trips")));
 * }
 * }</pre>
 *
 * <p>What fails throws a {@link FeastException} of its kind, also on a closed store ({@link FeastException.Closed}). Calls
 * that wait hold a platform thread, which cannot be interrupted in them but has the deadline of the call; a virtual thread is
 * parked, frees its carrier, and an interrupt cancels its call ({@link FeastException.Cancelled}, the interrupt is kept).
 * A store that nobody closes the garbage collector closes.
 */
public final class FeastRemote implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    /** Waits in the library for virtual threads, in calls that have no asynchronous form. */
    private static final ExecutorService WAITERS =
            Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("feast-remote-wait-", 0).factory());

    private final MemorySegment handle;
    private final State state;
    private final Cleaner.Cleanable cleanable;

    private FeastRemote(MemorySegment handle) {
        this.handle = handle;
        state = new State(handle);
        cleanable = CLEANER.register(this, state);
    }

    /** What is left to be done when nobody has the store any more. */
    private static final class State implements Runnable {
        private final MemorySegment handle;
        private AsyncCalls calls;
        private boolean closed;

        State(MemorySegment handle) {
            this.handle = handle;
        }

        /** The queue and its thread come with the first asynchronous call. */
        synchronized AsyncCalls calls() {
            if (closed) {
                throw FeastException.closed();
            }
            if (calls == null) {
                calls = new AsyncCalls();
            }
            return calls;
        }

        @Override
        public void run() {
            AsyncCalls begun;
            synchronized (this) {
                closed = true;
                begun = calls;
            }
            if (begun != null) {
                begun.refuse();
            }
            Native.run(() -> { Native.CLOSE.invokeExact(handle); });
            if (begun != null) {
                begun.end();
            }
        }
    }

    /**
     * Opens a store; nothing goes over the network before the first call.
     *
     * @param url of the feature server; of several with commas between them
     * @return an open store
     */
    public static FeastRemote open(String url) {
        return open(Map.of("path", url));
    }

    /**
     * Opens a store with the keys of CONFIGURATION.md.
     *
     * @param config keys and values
     * @return an open store
     */
    public static FeastRemote open(Map<String, String> config) {
        return open(null, config);
    }

    /**
     * Opens the online store of a feature_store.yaml.
     *
     * @param yaml the file; null for none
     * @param config keys of CONFIGURATION.md on top of it
     * @return an open store
     */
    public static FeastRemote open(Path yaml, Map<String, String> config) {
        NativeLibrary.require();
        MemorySegment settings = Native.call(() -> (MemorySegment) Native.CONFIG_NEW.invokeExact());
        try (Arena arena = Arena.ofConfined()) {
            if (yaml != null) {
                MemorySegment path = Native.string(arena, yaml.toString());
                Native.check(arena, error -> (int) Native.CONFIG_LOAD_YAML.invokeExact(settings, path, error));
            }
            config.forEach((key, value) -> {
                MemorySegment name = Native.string(arena, key);
                MemorySegment text = Native.string(arena, value);
                Native.check(arena, error -> (int) Native.CONFIG_SET.invokeExact(settings, name, text, error));
            });
            MemorySegment remote = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.OPEN.invokeExact(settings, remote, error));
            return new FeastRemote(remote.get(ADDRESS, 0));
        } finally {
            Native.run(() -> { Native.CONFIG_FREE.invokeExact(settings); });
        }
    }

    /**
     * Fetches features and waits for them.
     *
     * @param request what is wanted
     * @return the answer, to be closed
     */
    public Response getOnlineFeatures(OnlineFeaturesRequest request) {
        MemorySegment question = request.handle;
        if (Thread.currentThread().isVirtual()) {
            return parked(start(request));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment response = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.GET.invokeExact(handle, question, response, error));
            return new Response(response.get(ADDRESS, 0));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Fetches features and waits for them; an interrupt cancels the call, on a platform thread, too. It costs a hand-over to
     * another thread and back.
     *
     * @param request what is wanted
     * @return the answer, to be closed
     * @throws InterruptedException if the thread was interrupted
     */
    public Response getOnlineFeaturesInterruptibly(OnlineFeaturesRequest request) throws InterruptedException {
        return begun(() -> start(request)).await();
    }

    /**
     * Fetches features without holding a thread. Whatever completes the future first cancels the call: {@code cancel},
     * {@code orTimeout}, a {@code get} with a time limit that passes; an answer that comes all the same is freed. Failures are
     * {@link FeastException}s. What is chained to the future without Async runs on the thread that completes all of the store's
     * futures: keep it short, and wait for none of them there.
     *
     * @param request what is wanted
     * @return the answer to come, to be closed by whoever takes it
     */
    public CompletableFuture<Response> getOnlineFeaturesAsync(OnlineFeaturesRequest request) {
        Objects.requireNonNull(request);
        return begin(() -> start(request));
    }

    /**
     * Fetches features straight into a row-major matrix of floats, without a response in between.
     *
     * @param request what is wanted
     * @param out room for the rows of the request
     * @param rowStride floats from one row to the next, at least {@link OnlineFeaturesRequest#matrixWidth}
     * @param missing what stands where there is no value, unless the request has a value for the feature
     * @param statuses as many bytes as out has floats, each the ordinal of a {@link FieldStatus}; null for none
     */
    public void getOnlineFeaturesInto(
            OnlineFeaturesRequest request, float[] out, int rowStride, float missing, byte[] statuses) {
        long cells = Math.multiplyExact(request.rows, (long) rowStride);
        if (request.rows < 0) { // entities in JSON: only the answer tells how many
            try (Response response = getOnlineFeatures(request)) {
                response.copyInto(out, rowStride, missing, statuses);
            }
            return;
        }
        if (rowStride < 0 || cells > out.length || statuses != null && statuses.length < cells) {
            throw new IllegalArgumentException(request.rows + " rows times " + rowStride + " are more than out or statuses has");
        }
        waiting(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment matrix = arena.allocateFrom(JAVA_FLOAT, out);
                MemorySegment bytes = statuses == null ? MemorySegment.NULL : arena.allocate(out.length + 1L);
                long stride = rowStride;
                MemorySegment question = request.handle;
                Native.check(arena, error -> (int) Native.GET_INTO_F32.invokeExact(
                        handle, question, matrix, stride, missing, bytes, error));
                MemorySegment.copy(matrix, 0, MemorySegment.ofArray(out), 0, cells * 4);
                if (statuses != null) {
                    MemorySegment.copy(bytes, 0, MemorySegment.ofArray(statuses), 0, cells);
                }
                return null;
            }
        });
    }

    /**
     * Sends a JSON body of the caller's own, with the same connections, deadline, retries and errors.
     *
     * @param body JSON, not looked into
     * @param timeout for the whole call; zero: the store's
     * @return the server's JSON as it came
     */
    public String getOnlineFeaturesJson(String body, Duration timeout) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        long milliseconds = Native.milliseconds(timeout);
        return waiting(() -> text((arena, json, length) -> {
            MemorySegment sent = arena.allocate(bytes.length + 1L);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, sent, 0, bytes.length);
            Native.check(arena, error -> (int) Native.GET_JSON.invokeExact(
                    handle, sent, (long) bytes.length, milliseconds, json, length, error));
        }));
    }

    /**
     * Pushes rows to a push source, and waits for it.
     *
     * @param pushSource its name
     * @param frame the rows
     * @param to which stores
     * @param options what is not as usual
     * @return what came of it; a {@link FeastException} knows the rows that were not written
     */
    public Written push(String pushSource, Frame frame, PushTo to, WriteOptions options) {
        return parked(startPush(pushSource, frame, to, options));
    }

    /**
     * Pushes rows to a push source as usual, and waits for it.
     *
     * @param pushSource its name
     * @param frame the rows
     * @param to which stores
     * @return what came of it
     */
    public Written push(String pushSource, Frame frame, PushTo to) {
        return push(pushSource, frame, to, new WriteOptions());
    }

    /**
     * Pushes rows without waiting for it.
     *
     * @param pushSource its name
     * @param frame the rows, kept as they are now
     * @param to which stores
     * @param options what is not as usual
     * @return what comes of it
     */
    public CompletableFuture<Written> pushAsync(String pushSource, Frame frame, PushTo to, WriteOptions options) {
        return begin(() -> startPush(pushSource, frame, to, options));
    }

    /**
     * Writes rows to the online store of a feature view, and waits for it.
     *
     * @param featureView its name
     * @param frame the rows
     * @param options what is not as usual
     * @return what came of it; a {@link FeastException} knows the rows that were not written
     */
    public Written writeToOnlineStore(String featureView, Frame frame, WriteOptions options) {
        return parked(startWrite(featureView, frame, options));
    }

    /**
     * Writes rows to the online store of a feature view as usual, and waits for it.
     *
     * @param featureView its name
     * @param frame the rows
     * @return what came of it
     */
    public Written writeToOnlineStore(String featureView, Frame frame) {
        return writeToOnlineStore(featureView, frame, new WriteOptions());
    }

    /**
     * Writes rows without waiting for it.
     *
     * @param featureView its name
     * @param frame the rows, kept as they are now
     * @param options what is not as usual
     * @return what comes of it
     */
    public CompletableFuture<Written> writeToOnlineStoreAsync(String featureView, Frame frame, WriteOptions options) {
        return begin(() -> startWrite(featureView, frame, options));
    }

    /**
     * The documents nearest to a vector, nearest first: join keys, features and "distance".
     *
     * @param search what is wanted
     * @return the answer, to be closed
     */
    public Response retrieveOnlineDocuments(DocumentSearch search) {
        return waiting(() -> new Response(search.run(handle)));
    }

    /**
     * The next attempts use this bearer token, at any time. With the key auth set to host calls wait for the first one, and
     * after a 401 for a newer one.
     *
     * @param token what stands behind the word Bearer
     */
    public void setToken(String token) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = Native.string(arena, token);
            Native.check(arena, error -> (int) Native.SET_TOKEN.invokeExact(handle, text, error));
        }
    }

    /** Throws a {@link FeastException} unless the server, or one of several, says that it is well. */
    public void checkHealth() {
        waiting(() -> {
            try (Arena arena = Arena.ofConfined()) {
                Native.check(arena, error -> (int) Native.CHECK_HEALTH.invokeExact(handle, error));
                return null;
            }
        });
    }

    /**
     * Makes connections before the first call needs them.
     *
     * @param connections from 1 to connection_pool_size
     * @param timeout for all of it
     */
    public void warmUp(int connections, Duration timeout) {
        long milliseconds = Native.milliseconds(timeout);
        waiting(() -> {
            try (Arena arena = Arena.ofConfined()) {
                Native.check(arena, error ->
                        (int) Native.WARM_UP.invokeExact(handle, (long) connections, milliseconds, error));
                return null;
            }
        });
    }

    /**
     * The store's figures so far, as STATISTICS.md describes them.
     *
     * @return JSON
     */
    public String statsJson() {
        return text((arena, json, length) ->
                Native.check(arena, error -> (int) Native.STATS_JSON.invokeExact(handle, json, length, error)));
    }

    /**
     * The figures of several stores in Prometheus' text format: what a handler of /metrics writes.
     *
     * @param stores open stores by their names
     * @return the text
     */
    public static String prometheus(Map<String, FeastRemote> stores) {
        NativeLibrary.require();
        return text((arena, text, length) -> {
            MemorySegment handles = arena.allocate(ADDRESS, stores.size() + 1L);
            MemorySegment names = arena.allocate(ADDRESS, stores.size() + 1L);
            long count = 0;
            for (Map.Entry<String, FeastRemote> store : stores.entrySet()) {
                handles.setAtIndex(ADDRESS, count, store.getValue().handle);
                names.setAtIndex(ADDRESS, count, Native.string(arena, store.getKey()));
                count++;
            }
            long stored = count;
            Native.check(arena, error ->
                    (int) Native.STATS_PROMETHEUS.invokeExact(handles, names, stored, text, length, error));
        });
    }

    /**
     * The version of the library, with those of what is inside.
     *
     * @return such as "0.2.0 (libcurl/8.22.0 OpenSSL/3.6.3 zlib/1.3.2)"
     */
    public static String libraryVersion() {
        NativeLibrary.require();
        return Native.text(Native.call(() -> (MemorySegment) Native.VERSION_STRING.invokeExact()));
    }

    /** Ends the calls under way with {@link FeastException.Closed} and closes every connection. Answers stay as they are. */
    @Override
    public void close() {
        cleanable.clean();
    }

    private AsyncCalls.Call<Response> start(OnlineFeaturesRequest request) {
        MemorySegment question = request.handle;
        return state.calls().start(
                this,
                (queue, tag, call, error) ->
                        (int) Native.GET_ASYNC.invokeExact(handle, question, queue, tag, call, error),
                event -> new Response((MemorySegment) Native.EVENT_RESPONSE.invokeExact(event)));
    }

    private AsyncCalls.Call<Written> startPush(String pushSource, Frame frame, PushTo to, WriteOptions options) {
        MemorySegment rows = frame.handle;
        int stores = to.code;
        return startWriting(pushSource, options, (name, chosen) -> (queue, tag, call, error) ->
                (int) Native.PUSH_ASYNC.invokeExact(handle, name, rows, stores, chosen, queue, tag, call, error));
    }

    private AsyncCalls.Call<Written> startWrite(String featureView, Frame frame, WriteOptions options) {
        MemorySegment rows = frame.handle;
        return startWriting(featureView, options, (name, chosen) -> (queue, tag, call, error) ->
                (int) Native.WRITE_ASYNC.invokeExact(handle, name, rows, chosen, queue, tag, call, error));
    }

    private interface Write {
        AsyncCalls.Start of(MemorySegment name, MemorySegment options);
    }

    private AsyncCalls.Call<Written> startWriting(String target, WriteOptions options, Write write) {
        AsyncCalls calls = state.calls();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = Native.string(arena, target);
            var begun = new java.util.concurrent.atomic.AtomicReference<AsyncCalls.Call<Written>>();
            options.use(arena, chosen -> begun.set(calls.start(this, write.of(name, chosen), FeastRemote::written)));
            return begun.get();
        }
    }

    private static Written written(MemorySegment event) throws Throwable {
        MemorySegment written = (MemorySegment) Native.EVENT_WRITE.invokeExact(event);
        try {
            return new Written(
                    (long) Native.ROWS_WRITTEN.invokeExact(written),
                    (long) Native.WRITE_REQUESTS.invokeExact(written),
                    (boolean) Native.WRITE_IS_QUEUED.invokeExact(written));
        } finally {
            Native.WRITE_FREE.invokeExact(written);
        }
    }

    /** Begins a call; what fails before there is a future for it fails one, too. */
    private static <T> CompletableFuture<T> begin(Supplier<? extends CompletableFuture<T>> start) {
        try {
            return start.get();
        } catch (FeastException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private static <T> AsyncCalls.Call<T> begun(Supplier<AsyncCalls.Call<T>> start) {
        return start.get();
    }

    private static <T> T parked(AsyncCalls.Call<T> call) {
        try {
            return call.await();
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            throw FeastException.interrupted();
        }
    }

    /** Waits in the library: on this thread, or for a virtual one on another, so that its carrier is free. */
    private <T> T waiting(Supplier<T> call) {
        if (!Thread.currentThread().isVirtual()) {
            try {
                return call.get();
            } finally {
                Reference.reachabilityFence(this);
            }
        }
        try {
            return WAITERS.submit(call::get).get();
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            throw FeastException.interrupted();
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new AssertionError(failure.getCause());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    interface Texts {
        void write(Arena arena, MemorySegment text, MemorySegment length);
    }

    /** Copies a string of the library's, and frees it. */
    static String text(Texts function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment place = arena.allocate(ADDRESS);
            MemorySegment length = arena.allocate(JAVA_LONG);
            function.write(arena, place, length);
            MemorySegment found = place.get(ADDRESS, 0);
            byte[] bytes = found.reinterpret(length.get(JAVA_LONG, 0)).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
            Native.run(() -> { Native.STRING_FREE.invokeExact(found); });
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
