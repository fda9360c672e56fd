package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Which features are wanted, and of which entities. Any number of threads may use it while none changes it. The garbage
 * collector frees it.
 */
public final class Request {
    final MemorySegment handle;

    /** Asks for features, each as "feature_view:feature". */
    public Request(String... features) {
        try {
            handle = ((MemorySegment) Native.REQUEST_NEW.invokeExact()).reinterpret(Arena.ofAuto(), Request::free);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
        for (String feature : features) {
            with(feature, (text, error) -> (int) Native.ADD_FEATURE.invokeExact(handle, text, error));
        }
    }

    private static void free(MemorySegment handle) {
        try {
            Native.REQUEST_FREE.invokeExact(handle);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Asks for a feature whose column is to have this type, exactly, or the call fails. */
    public Request addTyped(String feature, int type) {
        return with(feature, (text, error) -> (int) Native.ADD_TYPED_FEATURE.invokeExact(handle, text, type, error));
    }

    /** Asks for the features of a feature service, in place of single ones. */
    public Request featureService(String name) {
        return with(name, (text, error) -> (int) Native.SET_FEATURE_SERVICE.invokeExact(handle, text, error));
    }

    /**
     * How long a call may take, in place of request_timeout_ms. After zero or less a call ends at once with TIMEOUT, and
     * nothing is sent.
     */
    public Request timeout(Duration timeout) {
        long nanoseconds = TimeUnit.NANOSECONDS.convert(timeout); // at most what a long holds
        return with("", (_, error) -> (int) Native.SET_TIMEOUT.invokeExact(handle, nanoseconds, error));
    }

    /** Whether the call may share a request with others (merge_max_rows), which it may unless this is called. */
    public Request merge(boolean merge) {
        return with("", (_, error) -> (int) Native.SET_MERGE.invokeExact(handle, merge, error));
    }

    /** The values of an entity's join key, a row each; copied. */
    public Request entity(String name, long... values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocateFrom(JAVA_LONG, values);
            long count = values.length;
            return with(name, (text, error) -> (int) Native.SET_INT64.invokeExact(handle, text, array, count, error));
        }
    }

    /** The same for strings. */
    public Request entity(String name, String... values) {
        try (Arena arena = Arena.ofConfined()) {
            long count = values.length;
            MemorySegment pointers = arena.allocate(ADDRESS, count);
            MemorySegment lengths = arena.allocate(JAVA_LONG, count);
            for (int i = 0; i < count; i++) {
                byte[] bytes = values[i].getBytes(StandardCharsets.UTF_8);
                pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(JAVA_BYTE, bytes));
                lengths.setAtIndex(JAVA_LONG, i, bytes.length);
            }
            return with(name, (text, error) ->
                    (int) Native.SET_STRING.invokeExact(handle, text, pointers, lengths, count, error));
        }
    }

    /** The values as a JSON array, nulls included. */
    public Request entityJson(String name, String array) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment json = arena.allocateFrom(array);
            return with(name, (text, error) -> (int) Native.SET_JSON.invokeExact(handle, text, json, error));
        }
    }

    private interface Setter {
        int call(MemorySegment text, MemorySegment error) throws Throwable;
    }

    private Request with(String text, Setter setter) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a NUL within the text");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copied = arena.allocateFrom(text);
            Native.check(arena, error -> setter.call(copied, error));
            return this;
        }
    }
}
