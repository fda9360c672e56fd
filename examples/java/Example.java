import feast.remote.FeastException;
import feast.remote.FeastRemote;
import feast.remote.FieldStatus;
import feast.remote.OnlineFeaturesRequest;
import feast.remote.Response;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * Prints features of three drivers, in several ways:
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp feast-remote.jar Example.java http://localhost:6566
 * </pre>
 */
final class Example {
    public static void main(String[] arguments) {
        OnlineFeaturesRequest request =
                new OnlineFeaturesRequest("driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips")
                        .entity("driver_id", 1001, 1002, 9999);
        try (FeastRemote remote = FeastRemote.open(arguments[0])) {
            try (Response response = remote.getOnlineFeatures(request)) {
                long[] drivers = response.longs("driver_id");
                double[] rates = response.doubles("conv_rate");
                long[] trips = response.longs("avg_daily_trips");
                for (int row = 0; row < response.numRows(); row++) {
                    if (response.column("avg_daily_trips").status(row) == FieldStatus.NOT_FOUND) {
                        System.out.println(drivers[row] + " is not known");
                        continue;
                    }
                    System.out.println(drivers[row] + " " + rates[row] + " " + trips[row]);
                }
                float[] matrix = new float[3 * 2];
                response.copyInto(matrix, 2, -1);
                System.out.println(Arrays.toString(Arrays.copyOfRange(matrix, 4, 6)) + " in the matrix");
                // The library's memory in place, as a buffer for what takes one.
                var inPlace = response.int64("avg_daily_trips").asByteBuffer().order(ByteOrder.nativeOrder());
                System.out.println(inPlace.asLongBuffer().limit() + " longs in the buffer");
            }

            var calls = Stream.generate(() -> remote.getOnlineFeaturesAsync(request)).limit(20).toList();
            long rows = calls.stream().map(CompletableFuture::join).mapToLong(Example::rows).sum();
            System.out.println(rows + " rows from " + calls.size() + " calls at once");

            remote.getOnlineFeatures(new OnlineFeaturesRequest("no_such_view:feature").entity("driver_id", 1001)).close();
        } catch (FeastException.NotFound failure) {
            System.out.println(failure.status() + " " + failure.feastClass());
        }
    }

    private static long rows(Response response) {
        try (response) {
            return response.numRows();
        }
    }
}
