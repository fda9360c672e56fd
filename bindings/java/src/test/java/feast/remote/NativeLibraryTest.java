package feast.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process each, since a process loads the library once. */
@Timeout(60)
final class NativeLibraryTest {
    /** What is run. */
    static final class Twice {
        public static void main(String[] arguments) {
            for (int time = 0; time < 2; time++) {
                try {
                    FeastRemote.libraryVersion();
                } catch (UnsatisfiedLinkError error) {
                    System.out.println(error.getMessage());
                }
            }
        }
    }

    private static String run(String library, String... options) throws IOException, InterruptedException {
        return runWith(System.getProperty("java.class.path"), library, options);
    }

    private static String runWith(String classPath, String library, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "-Dfeast.remote.library=" + library));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", classPath, Twice.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return printed;
    }

    @Test
    void anErrorOfAMissingOrUnfitLibrarySaysEachTimeHowToNameAnother() throws Exception {
        for (String library : List.of("/no/such/library.so", "libno_such_library.so", "libc.so.6", "/etc/passwd")) {
            String printed = run(library);
            List<String> lines = printed.lines().filter(line -> line.contains("FEAST_REMOTE_LIBRARY")).toList();
            assertTrue(lines.size() == 2 && lines.stream().allMatch(line -> line.contains(library)), printed);
        }
    }

    @Test
    void theNativesAreUnpackedAndLeaveNothingBehind(@TempDir Path folder) throws Exception {
        assertEquals("", run("", "-Djava.io.tmpdir=" + folder));
        try (var left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
        // Where nothing can be written, the error says so: the library did come from there.
        assertTrue(run("", "-Djava.io.tmpdir=" + folder.resolve("none")).contains("FEAST_REMOTE_LIBRARY"));
    }

    @Test
    void aNativeThatIsNotThePackagesIsNotLoaded(@TempDir Path folder, @TempDir Path temporary) throws Exception {
        Path natives = Files.createDirectories(folder.resolve("feast/remote/natives"));
        String wrong = "0".repeat(64);
        try (var sums = NativeLibrary.class.getResourceAsStream("natives/SHA256SUMS")) {
            String own = new String(sums.readAllBytes(), StandardCharsets.UTF_8);
            Files.writeString(natives.resolve("SHA256SUMS"), own.replaceAll("[0-9a-f]{64}", wrong));
        }
        String printed = runWith(folder + ":" + System.getProperty("java.class.path"), "", "-Djava.io.tmpdir=" + temporary);
        List<String> lines = printed.lines().filter(line -> line.contains("not " + wrong + " as the package says")).toList();
        assertTrue(lines.size() == 2 && printed.contains("FEAST_REMOTE_LIBRARY"), printed);
        try (var left = Files.list(temporary)) {
            assertEquals(List.of(), left.toList());
        }
    }
}
