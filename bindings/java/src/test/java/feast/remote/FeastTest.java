package feast.remote;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Against the real feature server that the system property feast.url names, on the repository of tests/feast. */
@Timeout(60)
@EnabledIfSystemProperty(named = "feast.url", matches = ".+")
final class FeastTest {
    private static final String URL = System.getProperty("feast.url");
    private static final OnlineFeaturesRequest RATES =
            new OnlineFeaturesRequest("driver_hourly_stats:conv_rate").entity("driver_id", 1001, 9999);

    @Test
    void columnsAreReadByNameAndType() {
        OnlineFeaturesRequest request = new OnlineFeaturesRequest("driver_hourly_stats:avg_daily_trips").feature(
                "driver_hourly_stats:conv_rate", ColumnType.DOUBLE).entity("driver_id", 1001, 9999);
        try (FeastRemote remote = FeastRemote.open(URL); Response response = remote.getOnlineFeatures(request)) {
            assertEquals(List.of("driver_id", "avg_daily_trips", "conv_rate"),
                    response.columns().stream().map(Column::name).toList());
            assertEquals(1, response.numEntities());
            assertArrayEquals(new long[] {1001, 9999}, response.longs("driver_id"));
            double[] rates = response.doubles("conv_rate");
            assertTrue(rates[0] > 0 && rates[1] == 0);
            assertEquals((float) rates[0], response.floats("conv_rate")[0]);
            assertEquals(rates[0], response.float64("conv_rate").getAtIndex(ValueLayout.JAVA_DOUBLE, 0));
            Column rate = response.column("conv_rate");
            assertEquals(ColumnType.DOUBLE, rate.type());
            assertEquals(rates[0], rate.value(0));
            assertNull(rate.value(1));
            assertFalse(rate.isNull(0));
            assertEquals(FieldStatus.PRESENT, rate.status(0));
            assertEquals(FieldStatus.NOT_FOUND, rate.status(1));
            assertTrue(rate.eventTimestamp(0).isAfter(Instant.parse("2020-01-01T00:00:00Z")));
            assertNull(rate.eventTimestamp(1));
            assertNull(response.column("none"));
            assertThrows(IndexOutOfBoundsException.class, () -> rate.isNull(2));
            assertThrows(FeastException.WrongType.class, () -> response.booleans("conv_rate"));
            assertThrows(FeastException.InvalidArgument.class, () -> response.doubles("conv_rat"));
            float[] matrix = new float[4];
            byte[] statuses = new byte[4];
            response.copyInto(matrix, 2, -1, statuses);
            assertArrayEquals(new float[] {response.longs("avg_daily_trips")[0], (float) rates[0], -1, -1}, matrix);
            assertArrayEquals(new byte[] {1, 1, 3, 3}, statuses);
            assertThrows(IllegalArgumentException.class, () -> response.copyInto(new float[3], 2, -1));
            float[] direct = new float[4];
            remote.getOnlineFeaturesInto(request, direct, 2, -1, null);
            assertArrayEquals(matrix, direct);
            Timing timing = response.timing();
            assertTrue(timing.total().compareTo(timing.firstByte()) >= 0 && timing.rows() == 2 && timing.httpStatus() == 200);
            assertEquals(URL, timing.server());
            assertEquals(URL, response.server());
        }
    }

    @Test
    void onDemandFeaturesAreMadeOfRequestDataAndFeatureViewsHaveVersions() {
        OnlineFeaturesRequest request = new OnlineFeaturesRequest(
                "driver_hourly_stats:conv_rate", "trip_forecast:expected_conversions").entity("driver_id", 1001, 1002)
                .requestData("trips_today", 10, 20).includeFeatureViewVersionMetadata(true);
        try (FeastRemote remote = FeastRemote.open(URL); Response response = remote.getOnlineFeatures(request)) {
            double[] rates = response.doubles("conv_rate");
            assertArrayEquals(new double[] {rates[0] * 10, rates[1] * 20}, response.doubles("expected_conversions"));
            assertTrue(response.featureViews().stream().anyMatch(view -> view.name().equals("driver_hourly_stats")),
                    response.featureViews()::toString);
        }
    }

    @Test
    void whatWasWrittenIsRead() {
        Instant then = Instant.parse("2026-01-01T00:00:00Z");
        Frame frame = new Frame().longs("driver_id", List.of(40_001L, 40_002L)).longs("number", Arrays.asList(1L << 53 | 1, null))
                .instants("event_timestamp", List.of(then, then));
        try (FeastRemote remote = FeastRemote.open(URL)) {
            assertEquals(2, remote.writeToOnlineStore("written_number", frame).rows());
            OnlineFeaturesRequest request = new OnlineFeaturesRequest("written_number:number").entity("driver_id", 40_001, 40_002);
            try (Response response = remote.getOnlineFeatures(request.copy())) {
                assertEquals(1L << 53 | 1, response.longs("number")[0]);
                assertTrue(response.column("number").isNull(1));
                assertEquals(then, response.column("number").eventTimestamp(0));
            }
            FeastException refused = assertThrows(FeastException.class, () -> remote.push("no_such_source", frame, PushTo.ONLINE));
            assertArrayEquals(new long[] {0, 1}, refused.unwrittenRows());
            assertEquals(0, refused.rowsWritten());
            assertThrows(FeastException.InvalidArgument.class,
                    () -> remote.retrieveOnlineDocuments(new DocumentSearch("docs:text").query()));
        }
    }

    @Test
    void errorsHaveTheirKindAndFeastsClass() {
        try (FeastRemote remote = FeastRemote.open(URL)) {
            FeastException.NotFound error = assertThrows(FeastException.NotFound.class, () -> remote.getOnlineFeatures(
                    new OnlineFeaturesRequest("no_such_view:feature").entity("driver_id", 1001)));
            assertEquals("FeatureViewNotFoundException", error.feastClass());
            assertEquals(404, error.httpStatus());
            assertEquals(1, error.attempts());
            assertFalse(error.isRetriable());
            assertEquals(URL, error.server());
        }
        assertThrows(FeastException.Config.class, () -> FeastRemote.open(Map.of("no_such_key", "1")));
        assertThrows(FeastException.InvalidArgument.class, () -> new OnlineFeaturesRequest("no colon"));
        assertThrows(IllegalArgumentException.class, () -> new OnlineFeaturesRequest("a:b\0c"));
        assertThrows(IllegalArgumentException.class, () -> RATES.copy().entity("x", List.of(new Object())));
    }

    @Test
    void arrowStructsAreFilledIn() throws Throwable {
        try (FeastRemote remote = FeastRemote.open(URL); Response response = remote.getOnlineFeatures(RATES);
                var arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment array = arena.allocate(80, 8);
            MemorySegment schema = arena.allocate(72, 8);
            response.exportArrowFull(array.address(), schema.address());
            assertEquals(2, array.get(ValueLayout.JAVA_LONG, 0));
            // What a write takes, it releases; of an answer's columns only the types are not all writable.
            assertThrows(FeastException.InvalidArgument.class, () -> Frame.ofArrow(0, 0));
            Frame frame = Frame.ofArrow(array.address(), schema.address());
            assertEquals(2, frame.numRows());
            assertEquals(0, array.get(ValueLayout.JAVA_LONG, 64));
        }
    }

    @Test
    void theStoreShowsFiguresAndLogs() {
        List<String> messages = new CopyOnWriteArrayList<>();
        FeastLog.setListener((_, message) -> messages.add(message), Level.INFO);
        try (FeastRemote remote = FeastRemote.open(URL)) {
            remote.checkHealth();
            remote.warmUp(2, Duration.ofSeconds(10));
            remote.getOnlineFeatures(RATES).close();
            assertTrue(remote.statsJson().startsWith("{"));
            assertTrue(FeastRemote.prometheus(Map.of("mine", remote)).contains("feast_remote_calls_total{store=\"mine\""));
            assertThrows(FeastException.InvalidArgument.class, () -> FeastRemote.prometheus(Map.of()));
            String json = remote.getOnlineFeaturesJson(
                    "{\"features\":[\"driver_hourly_stats:conv_rate\"],\"entities\":{\"driver_id\":[1001]}}", Duration.ZERO);
            assertTrue(json.contains("conv_rate"));
        } finally {
            FeastLog.setListener(null, Level.INFO);
        }
        assertTrue(FeastRemote.libraryVersion().contains("libcurl"));
    }
}
