import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.generic.GenericArray;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;

/**
 * Apache Avro's answers for resolver.test.ts. Each line of input is reader, writer and values in base64, separated by tabs; a value begins with `=`.
 * Each line of output is COMPATIBLE or INCOMPATIBLE, or REFUSED if a schema cannot be parsed, and one text per value: `!` and
 * the reason if it cannot be read.
 */
class Resolve {
  public static void main(String[] args) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(line.split("\t")));
    out.flush();
  }

  static String answer(String[] parts) {
    Schema reader;
    Schema writer;
    try {
      reader = new Schema.Parser().parse(parts[0]);
      writer = new Schema.Parser().setValidateDefaults(false).parse(parts[1]);
    } catch (RuntimeException error) {
      return "REFUSED " + error.getMessage();
    }
    var text = new StringBuilder(verdict(reader, writer));
    for (int i = 2; i < parts.length; i++) text.append('\t').append(read(reader, writer, parts[i]));
    return text.toString();
  }

  static String verdict(Schema reader, Schema writer) {
    try {
      return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType().name();
    } catch (RuntimeException error) {
      return "INCOMPATIBLE";
    }
  }

  static String read(Schema reader, Schema writer, String base64) {
    try {
      var bytes = DecoderFactory.get().binaryDecoder(Base64.getDecoder().decode(base64.substring(1)), null);
      return text(new GenericDatumReader<Object>(writer, reader).read(null, bytes));
    } catch (Exception | StackOverflowError error) {
      return "!" + String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
    }
  }

  static String text(Object value) {
    if (value == null) return "null";
    if (value instanceof Boolean) return value.toString();
    if (value instanceof Number number) return "n" + Long.toHexString(Double.doubleToLongBits(number.doubleValue()));
    if (value instanceof ByteBuffer buffer) {
      var bytes = new byte[buffer.remaining()];
      buffer.duplicate().get(bytes);
      return "b" + HexFormat.of().formatHex(bytes);
    }
    if (value instanceof GenericFixed fixed) return "b" + HexFormat.of().formatHex(fixed.bytes());
    if (value instanceof List<?> list) {
      var items = new StringBuilder("[");
      for (Object item : list) items.append(text(item)).append(',');
      return items.append(']').toString();
    }
    if (value instanceof Map<?, ?> map) {
      var entries = new TreeMap<String, String>();
      map.forEach((key, inner) -> entries.put(text(key), text(inner)));
      return entries.toString();
    }
    if (value instanceof GenericRecord record) {
      var entries = new TreeMap<String, String>();
      for (Schema.Field field : record.getSchema().getFields()) entries.put(text(field.name()), text(record.get(field.pos())));
      return entries.toString();
    }
    return "s" + HexFormat.of().formatHex(value.toString().getBytes(StandardCharsets.UTF_8)); // Strings and symbols
  }
}
