package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;

/** A search for the documents nearest to a vector. One thread at a time changes it. */
public final class DocumentSearch {
    private final List<String> features;
    private float[] query = {};
    private long topK = 1;
    private String metric;
    private String filters;
    private Duration timeout;

    /**
     * Asks for features of one feature view.
     *
     * @param features each as "feature_view:feature"
     */
    public DocumentSearch(String... features) {
        this.features = List.of(features);
    }

    /**
     * The vector that documents shall be near to.
     *
     * @param vector as many numbers as the view's vectors have
     * @return this
     */
    public DocumentSearch query(float... vector) {
        query = vector.clone();
        return this;
    }

    /**
     * How many documents are wanted at most.
     *
     * @param count from 1, which is the default, to 1000000
     * @return this
     */
    public DocumentSearch topK(long count) {
        topK = count;
        return this;
    }

    /**
     * How distance is measured, unless the view has a metric of its own.
     *
     * @param name such as "L2", "COSINE" or "IP"
     * @return this
     */
    public DocumentSearch distanceMetric(String name) {
        metric = name;
        return this;
    }

    /**
     * Which documents are looked at.
     *
     * @param json an object, as Feast's server takes it
     * @return this
     */
    public DocumentSearch filters(String json) {
        filters = json;
        return this;
    }

    /**
     * How long the search may take, in place of request_timeout_ms.
     *
     * @param limit not negative
     * @return this
     */
    public DocumentSearch timeout(Duration limit) {
        timeout = limit;
        return this;
    }

    /** Searches, and waits. */
    MemorySegment run(MemorySegment remote) {
        MemorySegment search = Native.call(() -> (MemorySegment) Native.SEARCH_NEW.invokeExact());
        try (Arena arena = Arena.ofConfined()) {
            for (String feature : features) {
                MemorySegment text = Native.string(arena, feature);
                Native.check(arena, error -> (int) Native.SEARCH_ADD_FEATURE.invokeExact(search, text, error));
            }
            MemorySegment vector = arena.allocateFrom(JAVA_FLOAT, query);
            long count = query.length;
            Native.check(arena, error -> (int) Native.SEARCH_SET_QUERY.invokeExact(search, vector, count, error));
            Native.check(arena, error -> (int) Native.SEARCH_SET_TOP_K.invokeExact(search, topK, error));
            if (metric != null) {
                MemorySegment name = Native.string(arena, metric);
                Native.check(arena, error -> (int) Native.SEARCH_SET_METRIC.invokeExact(search, name, error));
            }
            if (filters != null) {
                MemorySegment json = Native.string(arena, filters);
                Native.check(arena, error -> (int) Native.SEARCH_SET_FILTERS.invokeExact(search, json, error));
            }
            if (timeout != null) {
                long milliseconds = Native.milliseconds(timeout);
                Native.check(arena, error -> (int) Native.SEARCH_SET_TIMEOUT.invokeExact(search, milliseconds, error));
            }
            MemorySegment response = arena.allocate(ADDRESS);
            Native.check(arena, error ->
                    (int) Native.RETRIEVE_ONLINE_DOCUMENTS.invokeExact(remote, search, response, error));
            return response.get(ADDRESS, 0);
        } finally {
            Native.run(() -> { Native.SEARCH_FREE.invokeExact(search); });
        }
    }
}
