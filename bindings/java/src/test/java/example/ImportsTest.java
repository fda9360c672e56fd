package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.*;
import feast.remote.*;
import org.junit.jupiter.api.Test;

/** Both packages are imported whole: a name that is in both would not compile. */
final class ImportsTest {
    @Test
    void noNameClashesWithTheHttpServers() {
        assertEquals("com.sun.net.httpserver", Request.class.getPackageName());
        assertEquals("feast.remote", OnlineFeaturesRequest.class.getPackageName());
    }
}
