package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows to be written: columns of equal length, in which null stands for no value. Values are copied. Any number of threads may
 * use it while none changes it. The garbage collector frees it. What cannot be written throws
 * {@link FeastException.InvalidArgument}.
 */
public final class Frame {
    final MemorySegment handle;

    /** An empty one. */
    public Frame() {
        this(newFrame());
    }

    private Frame(MemorySegment address) {
        handle = address.reinterpret(Arena.ofAuto(), owned -> Native.run(() -> { Native.FRAME_FREE.invokeExact(owned); }));
    }

    private static MemorySegment newFrame() {
        NativeLibrary.require();
        return Native.call(() -> (MemorySegment) Native.FRAME_NEW.invokeExact());
    }

    /**
     * Makes a frame of a record batch that came through the Arrow C data interface, as arrow-java's
     * {@code Data.exportVectorSchemaRoot} fills it in. On success both structs are released.
     *
     * @param arrayAddress of a struct ArrowArray
     * @param schemaAddress of a struct ArrowSchema
     * @return a frame
     */
    public static Frame ofArrow(long arrayAddress, long schemaAddress) {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment frame = arena.allocate(ADDRESS);
            Native.check(arena, error -> (int) Native.FRAME_IMPORT_ARROW.invokeExact(
                    MemorySegment.ofAddress(arrayAddress), MemorySegment.ofAddress(schemaAddress), frame, error));
            return new Frame(frame.get(ADDRESS, 0));
        }
    }

    /**
     * The number of rows.
     *
     * @return those of the first column
     */
    public long numRows() {
        return Native.call(() -> (long) Native.FRAME_NUM_ROWS.invokeExact(handle));
    }

    /**
     * Adds a column of integers of 32 bits.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame ints(String name, List<Integer> values) {
        return add(Native.FRAME_INT32, name, values, JAVA_INT, (array, row, value) -> array.setAtIndex(JAVA_INT, row, value));
    }

    /**
     * Adds a column of integers.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame longs(String name, List<Long> values) {
        return add(Native.FRAME_INT64, name, values, JAVA_LONG, (array, row, value) -> array.setAtIndex(JAVA_LONG, row, value));
    }

    /**
     * Adds a column of numbers of 32 bits, without NaN and infinities.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame floats(String name, List<Float> values) {
        return add(Native.FRAME_FLOAT, name, values, JAVA_FLOAT, (array, row, value) -> array.setAtIndex(JAVA_FLOAT, row, value));
    }

    /**
     * Adds a column of numbers, without NaN and infinities.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame doubles(String name, List<Double> values) {
        return add(
                Native.FRAME_DOUBLE, name, values, JAVA_DOUBLE, (array, row, value) -> array.setAtIndex(JAVA_DOUBLE, row, value));
    }

    /**
     * Adds a column of booleans.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame booleans(String name, List<Boolean> values) {
        return add(Native.FRAME_BOOL, name, values, JAVA_BYTE,
                (array, row, value) -> array.set(JAVA_BYTE, row, (byte) (value ? 1 : 0)));
    }

    /**
     * Adds a column of moments: event timestamps, or features in whole seconds.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
    public Frame instants(String name, List<Instant> values) {
        return add(Native.FRAME_TIMESTAMP, name, values, JAVA_LONG, (array, row, value) -> array.setAtIndex(JAVA_LONG, row,
                Math.addExact(Math.multiplyExact(value.getEpochSecond(), 1_000_000_000L), value.getNano())));
    }

    /**
     * Adds a column of strings.
     *
     * @param name its name
     * @param values one a row
     * @return this
     */
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
            MemorySegment text = Native.string(arena, name);
            long count = values.size();
            Native.check(arena, error ->
                    (int) Native.FRAME_STRING.invokeExact(handle, text, pointers, lengths, count, error));
            return this;
        }
    }

    /**
     * Adds a column by a JSON array, one element a row: maps, lists of lists.
     *
     * @param name its name
     * @param array JSON
     * @return this
     */
    public Frame json(String name, String array) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = Native.string(arena, name);
            MemorySegment json = Native.string(arena, array);
            Native.check(arena, error -> (int) Native.FRAME_JSON.invokeExact(handle, text, json, error));
            return this;
        }
    }

    /**
     * Adds a column of lists of integers.
     *
     * @param name its name
     * @param lists one a row
     * @return this
     */
    public Frame longLists(String name, List<long[]> lists) {
        try (Arena arena = Arena.ofConfined()) {
            long[] all = lists.stream().filter(list -> list != null).flatMapToLong(java.util.Arrays::stream).toArray();
            return addLists(Native.FRAME_INT64_LIST, arena, name, arena.allocateFrom(JAVA_LONG, all),
                    lists, list -> list.length);
        }
    }

    /**
     * Adds a column of lists of numbers.
     *
     * @param name its name
     * @param lists one a row
     * @return this
     */
    public Frame doubleLists(String name, List<double[]> lists) {
        try (Arena arena = Arena.ofConfined()) {
            double[] all = lists.stream().filter(list -> list != null).flatMapToDouble(java.util.Arrays::stream).toArray();
            return addLists(Native.FRAME_DOUBLE_LIST, arena, name, arena.allocateFrom(JAVA_DOUBLE, all),
                    lists, list -> list.length);
        }
    }

    /**
     * Adds a column of lists of numbers of 32 bits: embeddings.
     *
     * @param name its name
     * @param lists one a row
     * @return this
     */
    public Frame floatLists(String name, List<float[]> lists) {
        try (Arena arena = Arena.ofConfined()) {
            long items = lists.stream().filter(list -> list != null).mapToLong(list -> list.length).sum();
            MemorySegment all = arena.allocate(JAVA_FLOAT, items + 1);
            long at = 0;
            for (float[] list : lists) {
                if (list != null) {
                    MemorySegment.copy(list, 0, all, JAVA_FLOAT, at * 4, list.length);
                    at += list.length;
                }
            }
            return addLists(Native.FRAME_FLOAT_LIST, arena, name, all, lists, list -> list.length);
        }
    }

    /**
     * Adds a column of lists of strings, none of which is null.
     *
     * @param name its name
     * @param lists one a row
     * @return this
     */
    public Frame stringLists(String name, List<List<String>> lists) {
        try (Arena arena = Arena.ofConfined()) {
            List<String> all = new ArrayList<>();
            lists.stream().filter(list -> list != null).forEach(all::addAll);
            MemorySegment texts = Native.strings(arena, all.toArray(String[]::new));
            return addLists(Native.FRAME_STRING_LIST, arena, name, texts, lists, List::size);
        }
    }

    private interface Placing<T> {
        void place(MemorySegment array, long row, T value);
    }

    private <T> Frame add(MethodHandle setter, String name, List<T> values, MemoryLayout item, Placing<T> placing) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(item, values.size() + 1L);
            for (int row = 0; row < values.size(); row++) {
                if (values.get(row) != null) {
                    placing.place(array, row, values.get(row));
                }
            }
            MemorySegment validity = validity(arena, values);
            MemorySegment text = Native.string(arena, name);
            long count = values.size();
            Native.check(arena, error -> (int) setter.invoke(handle, text, array, validity, count, error));
            return this;
        }
    }

    private interface Length<T> {
        int of(T list);
    }

    private <T> Frame addLists(
            MethodHandle setter, Arena arena, String name, MemorySegment items, List<T> lists, Length<T> length) {
        MemorySegment offsets = arena.allocate(JAVA_LONG, lists.size() + 1L);
        for (int row = 0; row < lists.size(); row++) {
            T list = lists.get(row);
            long end = offsets.getAtIndex(JAVA_LONG, row) + (list == null ? 0 : length.of(list));
            offsets.setAtIndex(JAVA_LONG, row + 1L, end);
        }
        MemorySegment validity = validity(arena, lists);
        MemorySegment text = Native.string(arena, name);
        long count = lists.size();
        Native.check(arena, error -> (int) setter.invoke(handle, text, offsets, items, validity, count, error));
        return this;
    }

    private static MemorySegment validity(Arena arena, List<?> values) {
        MemorySegment validity = arena.allocate(values.size() / 8 + 1L);
        for (int row = 0; row < values.size(); row++) {
            if (values.get(row) != null) {
                byte bits = (byte) (validity.get(JAVA_BYTE, row / 8) | 1 << row % 8);
                validity.set(JAVA_BYTE, row / 8, bits);
            }
        }
        return validity;
    }
}
