package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/**
 * Rows to be written: columns of equal length, in which null stands for no value. Any number of threads may use it while none
 * changes it. The garbage collector frees it.
 */
public final class Frame {
    final MemorySegment handle;

    /** An empty one. */
    public Frame() {
        try {
            handle = ((MemorySegment) Native.FRAME_NEW.invokeExact()).reinterpret(Arena.ofAuto(), Frame::free);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    private static void free(MemorySegment handle) {
        try {
            Native.FRAME_FREE.invokeExact(handle);
        } catch (Throwable thrown) {
            throw Native.impossible(thrown);
        }
    }

    /** Adds a column of integers. */
    public Frame longs(String name, List<Long> values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(JAVA_LONG, values.size() + 1L);
            for (int row = 0; row < values.size(); row++) {
                array.setAtIndex(JAVA_LONG, row, values.get(row) == null ? 0 : values.get(row));
            }
            return add(Native.FRAME_INT64, arena, name, array, values);
        }
    }

    /** Adds a column of numbers. */
    public Frame doubles(String name, List<Double> values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(JAVA_DOUBLE, values.size() + 1L);
            for (int row = 0; row < values.size(); row++) {
                array.setAtIndex(JAVA_DOUBLE, row, values.get(row) == null ? 0 : values.get(row));
            }
            return add(Native.FRAME_DOUBLE, arena, name, array, values);
        }
    }

    /** Adds a column of moments: event timestamps, or features in whole seconds. */
    public Frame instants(String name, List<Instant> values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(JAVA_LONG, values.size() + 1L);
            for (int row = 0; row < values.size(); row++) {
                Instant value = values.get(row);
                long nanoseconds = value == null
                        ? 0
                        : Math.addExact(Math.multiplyExact(value.getEpochSecond(), 1_000_000_000L), value.getNano());
                array.setAtIndex(JAVA_LONG, row, nanoseconds);
            }
            return add(Native.FRAME_TIMESTAMP, arena, name, array, values);
        }
    }

    /** Adds a column of strings. */
    public Frame strings(String name, List<String> values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ADDRESS, values.size() + 1L);
            MemorySegment lengths = arena.allocate(JAVA_LONG, values.size() + 1L);
            for (int row = 0; row < values.size(); row++) {
                if (values.get(row) != null) {
                    byte[] bytes = values.get(row).getBytes(StandardCharsets.UTF_8);
                    MemorySegment text = arena.allocate(bytes.length + 1L);
                    MemorySegment.copy(bytes, 0, text, JAVA_BYTE, 0, bytes.length);
                    pointers.setAtIndex(ADDRESS, row, text);
                    lengths.setAtIndex(JAVA_LONG, row, bytes.length);
                }
            }
            MemorySegment text = arena.allocateFrom(name);
            long count = values.size();
            Native.check(arena, error ->
                    (int) Native.FRAME_STRING.invokeExact(handle, text, pointers, lengths, count, error));
            return this;
        }
    }

    /** Adds a column by a JSON array, one element a row. */
    public Frame json(String name, String array) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(name);
            MemorySegment json = arena.allocateFrom(array);
            Native.check(arena, error -> (int) Native.FRAME_JSON.invokeExact(handle, text, json, error));
            return this;
        }
    }

    private Frame add(MethodHandle setter, Arena arena, String name, MemorySegment array, List<?> values) {
        MemorySegment validity = arena.allocate(values.size() / 8 + 1L);
        for (int row = 0; row < values.size(); row++) {
            if (values.get(row) != null) {
                byte bits = (byte) (validity.get(JAVA_BYTE, row / 8) | 1 << row % 8);
                validity.set(JAVA_BYTE, row / 8, bits);
            }
        }
        MemorySegment text = arena.allocateFrom(name);
        long count = values.size();
        Native.check(arena, error -> (int) setter.invokeExact(handle, text, array, validity, count, error));
        return this;
    }
}
