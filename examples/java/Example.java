import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import feast.remote.FeastException;
import feast.remote.FeastRemote;
import feast.remote.Request;
import feast.remote.Response;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * Prints features of three drivers, in several ways:
 *
 * <pre>
 * javac -d classes Example.java feast/remote/*.java
 * java --enable-native-access=ALL-UNNAMED -cp classes Example http://localhost:6566
 * </pre>
 */
final class Example {
    public static void main(String[] arguments) {
        Request request = new Request("driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips")
                .entity("driver_id", 1001, 1002, 9999);
        try (FeastRemote remote = FeastRemote.open(Map.of("path", arguments[0]))) {
            try (Response response = remote.getOnlineFeatures(request)) {
                MemorySegment drivers = response.int64("driver_id");
                MemorySegment rates = response.float64("conv_rate");
                MemorySegment trips = response.int64("avg_daily_trips");
                MemorySegment statuses = response.statuses(response.column("avg_daily_trips"));
                for (long row = 0; row < response.numRows(); row++) {
                    long driver = drivers.getAtIndex(JAVA_LONG, row);
                    if (statuses.getAtIndex(JAVA_BYTE, row) == Response.NOT_FOUND) {
                        System.out.println(driver + " is not known");
                        continue;
                    }
                    System.out.println(driver + " " + rates.getAtIndex(JAVA_DOUBLE, row) + " " + trips.getAtIndex(JAVA_LONG, row));
                }
                float[] matrix = new float[3 * 2];
                response.copyInto(matrix, 2, -1);
                System.out.println(Arrays.toString(Arrays.copyOfRange(matrix, 4, 6)) + " in the matrix");
                // The same memory as a buffer, for what takes one.
                System.out.println(trips.asByteBuffer().order(ByteOrder.nativeOrder()).asLongBuffer().limit() + " longs in the buffer");
            }

            var calls = Stream.generate(() -> remote.getOnlineFeaturesAsync(request)).limit(20).toList();
            long rows = calls.stream().map(CompletableFuture::join).mapToLong(Example::rows).sum();
            System.out.println(rows + " rows from " + calls.size() + " calls at once");

            remote.getOnlineFeatures(new Request("no_such_view:feature").entity("driver_id", 1001)).close();
        } catch (FeastException failure) {
            System.out.println(failure.status() + " " + failure.feastClass());
        }
    }

    private static long rows(Response response) {
        try (response) {
            return response.numRows();
        }
    }
}
