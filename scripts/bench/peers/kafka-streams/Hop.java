import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The hop in Kafka Streams: exactly_once_v2, ids and orders in RocksDB stores with changelogs, emitted events on a topic. Its
 * parameters are JSON on the command line; it writes the lines that `runProgram` reads. Without a number of events it runs
 * until it is stopped.
 */
public final class Hop {
  private static final String IDS = "ids";
  private static final String ORDERS = "orders";

  public static void main(String[] args) throws Exception {
    JsonNode order = new ObjectMapper().readTree(args[0]);
    String application = order.get("application").asText();
    long events = order.path("events").asLong();
    Properties settings = settings(order, application);
    CountDownLatch running = new CountDownLatch(1);

    try (KafkaStreams streams = new KafkaStreams(topology(order), settings);
        Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, order.get("brokers").asText()))) {
      streams.setStateListener((state, before) -> {
        if (state == KafkaStreams.State.RUNNING) running.countDown();
        if (state == KafkaStreams.State.ERROR) System.exit(1);
      });
      streams.start();
      running.await();
      OperatingSystemMXBean process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
      long cpu = process.getProcessCpuTime();
      long startedAt = System.nanoTime();
      System.out.println("{\"started\":true}");
      if (!order.has("events")) Thread.currentThread().join();
      while (committed(admin, application) < events) Thread.sleep(20);
      double seconds = (System.nanoTime() - startedAt) / 1e9;
      double cpuSeconds = (process.getProcessCpuTime() - cpu) / 1e9;
      System.out.printf(
          "{\"events\":%d,\"seconds\":%f,\"cpuSeconds\":%f,\"counts\":{}}%n", events, seconds, cpuSeconds);
    }
  }

  private static Properties settings(JsonNode order, String application) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, order.get("brokers").asText());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, order.get("stateDir").asText());
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, order.get("threads").asInt());
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    if (order.has("sessionTimeout")) {
      int session = order.get("sessionTimeout").asInt();
      settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, session);
      settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, session / 3);
      settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), session);
    }
    return settings;
  }

  private static Topology topology(JsonNode order) {
    Schema placed = new Schema.Parser().parse(order.get("inputSchema").asText());
    Schema authorized = new Schema.Parser().parse(order.get("outputSchema").asText());
    int schemaId = order.get("outputSchemaId").asInt();
    return new Topology()
        .addSource("source", order.get("input").asText())
        .addProcessor("hop", () -> new TakeOnce(placed, authorized, schemaId), "source")
        .addStateStore(store(IDS), "hop")
        .addStateStore(store(ORDERS), "hop")
        .addSink("sink", order.get("output").asText(), "hop");
  }

  private static StoreBuilder<KeyValueStore<String, byte[]>> store(String name) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), Serdes.ByteArray());
  }

  /** Input events whose transactions are committed, with effects and published events. */
  private static long committed(Admin admin, String application) throws Exception {
    ListConsumerGroupOffsetsOptions stable = new ListConsumerGroupOffsetsOptions().requireStable(true);
    return admin.listConsumerGroupOffsets(application, stable).partitionsToOffsetAndMetadata().get().values().stream()
        .mapToLong(each -> each == null ? 0 : each.offset())
        .sum();
  }

  /** Processes an event with an unknown id: stores its order and emits an event. */
  private static final class TakeOnce implements Processor<String, byte[], String, byte[]> {
    private static final int FRAME = 5;

    private final Schema authorized;
    private final int schemaId;
    private final GenericDatumReader<GenericRecord> reader;
    private final GenericDatumWriter<GenericRecord> writer;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> ids;
    private KeyValueStore<String, byte[]> orders;
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;

    TakeOnce(Schema placed, Schema authorized, int schemaId) {
      this.authorized = authorized;
      this.schemaId = schemaId;
      reader = new GenericDatumReader<>(placed);
      writer = new GenericDatumWriter<>(authorized);
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
      context = given;
      ids = context.getStateStore(IDS);
      orders = context.getStateStore(ORDERS);
    }

    @Override
    public void process(Record<String, byte[]> record) {
      String id = new String(record.headers().lastHeader("ce_id").value(), UTF_8);
      if (ids.putIfAbsent(id, new byte[0]) != null) return;
      byte[] value = record.value();
      try {
        decoder = DecoderFactory.get().binaryDecoder(value, FRAME, value.length - FRAME, decoder);
        GenericRecord order = reader.read(null, decoder);
        String orderId = order.get("orderId").toString();
        orders.get(orderId);
        orders.put(orderId, row(order));
        long now = context.currentSystemTimeMs();
        context.forward(record.withValue(authorize(order, now)).withTimestamp(now));
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }

    /** The columns of the table of the other contenders. */
    private static byte[] row(GenericRecord order) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(64);
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeUTF(order.get("customerId").toString());
      out.writeUTF(order.get("currency").toString());
      out.writeLong((Long) order.get("totalMinor"));
      out.writeLong((Long) order.get("placedAt"));
      return bytes.toByteArray();
    }

    private byte[] authorize(GenericRecord order, long time) throws IOException {
      GenericRecord event = new GenericData.Record(authorized);
      event.put("orderId", order.get("orderId"));
      event.put("authorizationId", "auth_" + order.get("orderId"));
      event.put("amountMinor", order.get("totalMinor"));
      event.put("currency", order.get("currency"));
      event.put("authorizedAt", time);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(160);
      bytes.writeBytes(ByteBuffer.allocate(FRAME).put((byte) 0).putInt(schemaId).array());
      encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
      writer.write(event, encoder);
      return bytes.toByteArray();
    }
  }
}
