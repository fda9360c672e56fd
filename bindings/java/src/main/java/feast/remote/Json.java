package feast.remote;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes values of entities and request data as JSON. */
final class Json {
    private Json() {}

    static String of(List<?> values) {
        StringBuilder json = new StringBuilder();
        write(json, values);
        return json.toString();
    }

    private static void write(StringBuilder json, Object value) {
        switch (value) {
            case null -> json.append("null");
            case Boolean truth -> json.append(truth);
            case Double real when !Double.isFinite(real) -> throw notWritten(value);
            case Float real when !Float.isFinite(real) -> throw notWritten(value);
            case Number number -> json.append(number);
            case CharSequence text -> quote(json, text);
            case java.util.UUID id -> quote(json, id.toString());
            case java.time.Instant moment -> quote(json, moment.toString());
            case Iterable<?> items -> {
                json.append('[');
                for (Iterator<?> item = items.iterator(); item.hasNext();) {
                    write(json, item.next());
                    json.append(item.hasNext() ? "," : "");
                }
                json.append(']');
            }
            case Map<?, ?> map -> {
                json.append('{');
                for (Iterator<? extends Map.Entry<?, ?>> entry = map.entrySet().iterator(); entry.hasNext();) {
                    Map.Entry<?, ?> next = entry.next();
                    quote(json, String.valueOf(next.getKey()));
                    json.append(':');
                    write(json, next.getValue());
                    json.append(entry.hasNext() ? "," : "");
                }
                json.append('}');
            }
            default -> throw notWritten(value);
        }
    }

    private static IllegalArgumentException notWritten(Object value) {
        return new IllegalArgumentException(value + " (" + value.getClass().getName() + ") cannot be written as JSON");
    }

    private static void quote(StringBuilder json, CharSequence text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '"' || letter == '\\') {
                json.append('\\').append(letter);
            } else if (letter < ' ') {
                json.append("\\u%04x".formatted((int) letter));
            } else {
                json.append(letter);
            }
        }
        json.append('"');
    }
}
