import com.fasterxml.jackson.databind.ObjectMapper;
import feast.remote.FeastRemote;
import feast.remote.OnlineFeaturesRequest;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A load client with the line protocol of benches/feast_remote_client.c, over this package or over what one would write by
 * hand, java.net.http and Jackson; both decode every answer.
 *
 * <pre>
 * Bench feast_remote|java_http BASE_URL ROWS FEATURES REQUESTS THREADS
 * </pre>
 */
final class Bench {
    /** What Feast's server answers. */
    record Answer(List<Result> results, Map<String, Object> metadata) {}

    record Result(List<Object> values, List<String> statuses, List<String> event_timestamps) {}

    public static void main(String[] arguments) throws Exception {
        String url = arguments[1];
        int total = Integer.parseInt(arguments[4]);
        int threads = Integer.parseInt(arguments[5]);
        String[] features = IntStream.range(0, Integer.parseInt(arguments[3]))
                .mapToObj("stats:feature_%03d"::formatted)
                .toArray(String[]::new);
        long[] drivers = LongStream.range(1000, 1000 + Integer.parseInt(arguments[2])).toArray();
        Callable<?> call = arguments[0].equals("feast_remote")
                ? overFeastRemote(url, features, drivers)
                : overJavaHttp(url, features, drivers);
        // The JIT compilers want many rounds before they are done.
        run(call, Math.max(total / threads, 200), threads, new long[Math.max(total, 200 * threads)]);
        long[] latencies = new long[total / threads * threads];
        long cpu = cpu();
        long start = System.nanoTime();
        int errors = run(call, total / threads, threads, latencies);
        double seconds = (System.nanoTime() - start) / 1e9;
        double each = (cpu() - cpu) / 1e3 / latencies.length;
        Arrays.sort(latencies);
        int n = latencies.length;
        System.out.printf("java-%s conc=%d n=%d rps=%.0f p50=%dus p99=%dus max=%dus cpu/req=%.1fus errors=%d%n", arguments[0],
                threads, n, n / seconds, latencies[n / 2] / 1000, latencies[n * 99 / 100] / 1000, latencies[n - 1] / 1000, each, errors);
        System.exit(0);
    }

    private static Callable<?> overFeastRemote(String url, String[] features, long[] drivers) {
        FeastRemote remote = FeastRemote.open(Map.of("path", url));
        OnlineFeaturesRequest request = new OnlineFeaturesRequest(features).entity("driver_id", drivers);
        return () -> {
            try (var response = remote.getOnlineFeatures(request)) {
                return response.numRows();
            }
        };
    }

    private static Callable<?> overJavaHttp(String url, String[] features, long[] drivers) throws Exception {
        ObjectMapper json = new ObjectMapper();
        byte[] body = json.writeValueAsBytes(Map.of("features", features, "entities", Map.of("driver_id", drivers)));
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/get-online-features"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        return () -> json.readValue(client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body(), Answer.class);
    }

    /** Returns the number of errors. */
    private static int run(Callable<?> call, int each, int threads, long[] latencies) throws InterruptedException {
        int[] errors = new int[threads];
        Thread[] running = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int thread = t;
            running[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    long start = System.nanoTime();
                    try {
                        call.call();
                    } catch (Exception failure) {
                        if (errors[thread]++ == 0) {
                            System.err.println(failure);
                        }
                    }
                    latencies[thread * each + i] = System.nanoTime() - start;
                }
            });
        }
        for (Thread thread : running) {
            thread.join();
        }
        return Arrays.stream(errors).sum();
    }

    private static long cpu() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }
}
