package feast.remote;

/**
 * A feature view that an answer has values of, as the server named it.
 *
 * @param name its name
 * @param version as Feast counts them; 0 for one without versions
 */
public record FeatureViewVersion(String name, long version) {
}
