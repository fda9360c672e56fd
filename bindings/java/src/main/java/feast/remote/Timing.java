package feast.remote;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.Serializable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Where the time of one call went. The phases from mergeWait to decode make the total.
 *
 * @param start when the call began
 * @param mergeWait waiting to be merged with other calls
 * @param retries attempts before the last one, and the pauses after them
 * @param queue waiting for a token and a free connection
 * @param connect name lookup and TCP connection, if the last attempt made a connection
 * @param tls TLS handshake, likewise
 * @param firstByte from then to the first byte of the answer
 * @param transfer from then to its last byte
 * @param decode from bytes to columns
 * @param total the whole call
 * @param bytesSent of the request's body
 * @param bytesReceived of the answer's body
 * @param rows of the answer
 * @param callsInRequest calls that the request asked for
 * @param attempts HTTP attempts
 * @param httpStatus of the last answer; 0 if there was none
 * @param reusedConnection whether a connection kept from before carried the last attempt
 * @param newConnection whether the last attempt made a connection
 * @param merged whether the request asked for other calls, too
 * @param hedged whether the request went out twice at a time
 * @param server the server that answered; null if none was asked
 */
public record Timing(Instant start, Duration mergeWait, Duration retries, Duration queue, Duration connect, Duration tls,
        Duration firstByte, Duration transfer, Duration decode, Duration total, long bytesSent, long bytesReceived, long rows,
        long callsInRequest, int attempts, int httpStatus, boolean reusedConnection, boolean newConnection, boolean merged,
        boolean hedged, String server) implements Serializable {

    /** The bytes of a feast_timing_t as far as this package knows it. */
    private static final long SIZE = 144;

    /** Of a response or an error; null if it has none. */
    static Timing of(MethodHandle function, MemorySegment owner) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timing = arena.allocate(SIZE, 8);
            timing.set(JAVA_LONG, 0, SIZE);
            if (!Native.call(() -> (boolean) function.invokeExact(owner, timing))) {
                return null;
            }
            int flags = timing.get(JAVA_INT, 128);
            return new Timing(
                    Instant.EPOCH.plusNanos(timing.get(JAVA_LONG, 8)),
                    micros(timing, 16), micros(timing, 24), micros(timing, 32), micros(timing, 40), micros(timing, 48),
                    micros(timing, 56), micros(timing, 64), micros(timing, 72), micros(timing, 80),
                    timing.get(JAVA_LONG, 88), timing.get(JAVA_LONG, 96), timing.get(JAVA_LONG, 104),
                    timing.get(JAVA_LONG, 112), timing.get(JAVA_INT, 120), timing.get(JAVA_INT, 124),
                    (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0,
                    Native.text(timing.get(ADDRESS, 136)));
        }
    }

    private static Duration micros(MemorySegment timing, long offset) {
        return Duration.of(timing.get(JAVA_LONG, offset), ChronoUnit.MICROS);
    }
}
