import com.sun.net.httpserver.HttpServer;
import feast.remote.FeastRemote;
import feast.remote.OnlineFeaturesRequest;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The figures of stores as Micrometer's meters: counters, gauges, and of each histogram its count and sum, as a timer. Micrometer
 * takes no foreign buckets; a program that wants quantiles serves the text of {@link FeastRemote#prometheus} itself.
 *
 * <pre>new FeastMetrics(Map.of("drivers", remote)).bindTo(registry);</pre>
 */
final class FeastMetrics implements MeterBinder {
    private static final Pattern SERIES = Pattern.compile("(\\w+)\\{(.*)} (\\S+)");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Map<String, FeastRemote> stores;
    private Map<String, Double> values = Map.of();
    private long readAt;

    /** Of stores by their names, which must stay open as long as the registry is asked. */
    FeastMetrics(Map<String, FeastRemote> stores) {
        this.stores = Map.copyOf(stores);
    }

    /** Registers a meter for each series there is now. */
    @Override
    public void bindTo(MeterRegistry registry) {
        Map<String, String> types = new HashMap<>();
        for (String line : FeastRemote.prometheus(stores).split("\n")) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# TYPE ")) {
                types.put(words[2], words[3]);
            }
            Matcher series = SERIES.matcher(line);
            if (series.matches()) {
                bind(registry, types, series.group(1), series.group(2));
            }
        }
    }

    private void bind(MeterRegistry registry, Map<String, String> types, String name, String labels) {
        ToDoubleFunction<FeastMetrics> value = metrics -> metrics.value(name + "{" + labels + "}");
        if ("counter".equals(types.get(name))) {
            FunctionCounter.builder(name, this, value).tags(tags(labels)).register(registry);
        } else if ("gauge".equals(types.get(name))) {
            Gauge.builder(name, this, value).tags(tags(labels)).register(registry);
        } else if (name.endsWith("_count")) {
            String timer = name.substring(0, name.length() - "_count".length());
            ToDoubleFunction<FeastMetrics> sum = metrics -> metrics.value(timer + "_sum{" + labels + "}");
            FunctionTimer.builder(timer, this, metrics -> (long) value.applyAsDouble(metrics), sum, TimeUnit.SECONDS)
                    .tags(tags(labels))
                    .register(registry);
        }
    }

    private static Tags tags(String labels) {
        Function<String, String> unescaped = text -> text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
        return Tags.of(LABEL.matcher(labels).results()
                .map(label -> Tag.of(label.group(1), unescaped.apply(label.group(2))))
                .toList());
    }

    /** One text serves all meters of a scrape. */
    private synchronized double value(String series) {
        if (values.isEmpty() || System.nanoTime() - readAt > FRESH_NANOS) {
            Map<String, Double> read = new HashMap<>();
            for (String line : FeastRemote.prometheus(stores).split("\n")) {
                int end = line.lastIndexOf("} ");
                if (end > 0) {
                    read.put(line.substring(0, end + 1), Double.valueOf(line.substring(end + 2)));
                }
            }
            values = read;
            readAt = System.nanoTime();
        }
        return values.getOrDefault(series, Double.NaN);
    }

    /** Asks a feature server ten times a second, and serves what there is to see of it on /metrics. Prints its port. */
    public static void main(String[] arguments) throws Exception {
        try (FeastRemote remote = FeastRemote.open(Map.of("path", arguments[0]))) {
            PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            new FeastMetrics(Map.of("drivers", remote)).bindTo(registry);
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/metrics", exchange -> {
                byte[] text = registry.scrape().getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
                exchange.sendResponseHeaders(200, text.length);
                try (var body = exchange.getResponseBody()) {
                    body.write(text);
                }
            });
            server.start();
            System.out.println(server.getAddress().getPort());
            for (;;) {
                remote.getOnlineFeatures(new OnlineFeaturesRequest("driver_hourly_stats:conv_rate").entity("driver_id", 1001)).close();
                Thread.sleep(100);
            }
        }
    }
}
