package feast.remote;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.Consumer;

/** How rows are written, where it is not as usual. One thread at a time changes it. */
public final class WriteOptions {
    private String timestampField = "event_timestamp";
    private String createdTimestampColumn = "created";
    private boolean allowRegistryCache = true;
    private boolean transformOnWrite = true;
    private boolean repeatOffline;
    private Duration timeout;

    /** What is usual. */
    public WriteOptions() {
        // what the fields say
    }

    /**
     * The column of event timestamps.
     *
     * @param name event_timestamp unless this is called; empty if there is none
     * @return this
     */
    public WriteOptions timestampField(String name) {
        timestampField = name;
        return this;
    }

    /**
     * The column that says when rows were made.
     *
     * @param name created unless this is called; empty if there is none
     * @return this
     */
    public WriteOptions createdTimestampColumn(String name) {
        createdTimestampColumn = name;
        return this;
    }

    /**
     * Whether the server may look feature views up in its cache of the registry.
     *
     * @param allow true unless this is called
     * @return this
     */
    public WriteOptions allowRegistryCache(boolean allow) {
        allowRegistryCache = allow;
        return this;
    }

    /**
     * Whether the server applies transformations when it writes.
     *
     * @param transform true unless this is called
     * @return this
     */
    public WriteOptions transformOnWrite(boolean transform) {
        transformOnWrite = transform;
        return this;
    }

    /**
     * Whether a push to an offline store may be sent again although it may have been done: rows are then there twice.
     *
     * @param repeat false unless this is called
     * @return this
     */
    public WriteOptions repeatOffline(boolean repeat) {
        repeatOffline = repeat;
        return this;
    }

    /**
     * How long a whole write may take; else each of its requests has request_timeout_ms.
     *
     * @param limit not negative
     * @return this
     */
    public WriteOptions timeout(Duration limit) {
        timeout = limit;
        return this;
    }

    /** Uses the library's own options, made of these. */
    void use(Arena arena, Consumer<MemorySegment> user) {
        MemorySegment options = Native.call(() -> (MemorySegment) Native.OPTIONS_NEW.invokeExact());
        try {
            MemorySegment field = Native.string(arena, timestampField);
            MemorySegment created = Native.string(arena, createdTimestampColumn);
            Native.check(arena, error -> (int) Native.OPTIONS_TIMESTAMP_FIELD.invokeExact(options, field, error));
            Native.check(arena, error -> (int) Native.OPTIONS_CREATED_COLUMN.invokeExact(options, created, error));
            Native.check(arena, error -> (int) Native.OPTIONS_REGISTRY_CACHE.invokeExact(options, allowRegistryCache, error));
            Native.check(arena, error -> (int) Native.OPTIONS_TRANSFORM.invokeExact(options, transformOnWrite, error));
            Native.check(arena, error -> (int) Native.OPTIONS_REPEAT_OFFLINE.invokeExact(options, repeatOffline, error));
            if (timeout != null) {
                long milliseconds = Native.milliseconds(timeout);
                Native.check(arena, error -> (int) Native.OPTIONS_TIMEOUT.invokeExact(options, milliseconds, error));
            }
            user.accept(options);
        } finally {
            Native.run(() -> { Native.OPTIONS_FREE.invokeExact(options); });
        }
    }
}
