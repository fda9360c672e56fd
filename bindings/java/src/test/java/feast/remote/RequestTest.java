package feast.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a request sends. */
@Timeout(60)
final class RequestTest {
    private static final String DATA = """
            "longs":[1,2],"doubles":[0.5,1.5],"flags":[true,false],"texts":["Köln",""],"mixed":[7,null],"json":[[1],null]""";

    private static final OnlineFeaturesRequest REQUEST = new OnlineFeaturesRequest("view:number").entity("id", 7, 7)
            .requestData("longs", 1, 2).requestData("doubles", 0.5, 1.5).requestData("flags", true, false)
            .requestData("texts", "Köln", "").requestData("mixed", Arrays.asList(7, null)).requestDataJson("json", "[[1],null]");

    /** The body that is sent to such a server. */
    private static String sent(String kind, OnlineFeaturesRequest request) {
        try (FakeServer server = new FakeServer(2, false);
                FeastRemote remote = FeastRemote.open(Map.of("path", server.url(), "server", kind));
                Response response = remote.getOnlineFeatures(request)) {
            assertEquals(List.of(), response.featureViews());
            assertTrue(response.toJson().startsWith("{\"id\":["), response.toJson());
            return server.bodies.getFirst();
        }
    }

    @Test
    void requestDataGoesWhereTheServerTakesIt() {
        String go = sent("go", REQUEST);
        assertTrue(go.contains("\"entities\":{\"id\":[7,7]},\"request_context\":{" + DATA + "}"), go);
        String python = sent("python", REQUEST.copy());
        assertTrue(python.contains("\"entities\":{\"id\":[7,7]," + DATA + "}"), python);
        assertTrue(sent("go", REQUEST.copy().requestData("longs", 3, 4)).contains("\"longs\":[3,4]"));
    }

    @Test
    void requestDataThatCannotBeUsedIsRefused() {
        OnlineFeaturesRequest request = REQUEST.copy();
        assertThrows(FeastException.InvalidArgument.class, () -> request.requestData("doubles", Double.NaN, 1));
        assertThrows(FeastException.InvalidArgument.class, () -> request.requestDataJson("json", "{"));
        assertThrows(IllegalArgumentException.class, () -> request.requestData("a\0b", 1, 2));
        try (FeastRemote remote = FeastRemote.open("http://127.0.0.1:1")) {
            request.requestData("longs", 1);
            assertThrows(FeastException.InvalidArgument.class, () -> remote.getOnlineFeatures(request));
        }
    }
}
